"""A model as the widget shows it: what the service says of it, and what is under way. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ..contract.backend import BackendStatus, ResidentModel
from ..contract.models import Activity, ModelInfo, ModelList
from ..contract.settings import SettingsView

LOADING = ("starting", "loading")


class ModelProgress(msgspec.Struct, frozen=True):
    """What is under way with a model, or what of a stopped download is kept for later."""

    activity: Activity
    verifying: bool
    """The bytes are read again to compute their digest."""
    received_bytes: int
    total_bytes: int
    bytes_per_second: float

    @property
    def percent(self) -> int:
        """Whole percent, rounded down: what is not whole never reads as whole."""
        return min(100, max(0, 100 * self.received_bytes // max(1, self.total_bytes)))


class KnownModel(msgspec.Struct, frozen=True):
    """One model."""

    info: ModelInfo
    progress: ModelProgress | None
    loading: bool
    """It is being loaded now."""
    for_code: bool
    """It answers code, by the settings in force."""
    for_general: bool

    @property
    def under_way(self) -> bool:
        """Whether something goes on with its file."""
        return self.progress is not None and self.progress.activity != ""


def known_models(
    listed: ModelList | None, settings: SettingsView | None, status: BackendStatus | None
) -> tuple[KnownModel, ...]:
    """All models, in the order of the service."""
    if listed is None:
        return ()
    code, general = answering(listed, settings)
    loading = {one.model for one in residents(status) if one.state in LOADING}
    return tuple(
        KnownModel(
            info=info,
            progress=progress_of(info),
            loading=info.id in loading,
            for_code=info.id == code,
            for_general=info.id == general,
        )
        for info in listed.models
    )


def residents(status: BackendStatus | None) -> tuple[ResidentModel, ...]:
    """The models that are in memory, on their way there, or whose worker has failed."""
    if status is None or status.resident or status.model is None or status.state == "stopped":
        return status.resident if status is not None else ()
    # A service of before, which tells of one.
    one = ResidentModel(model=status.model, profile=status.profile, state=status.state, reason=status.reason)
    return (one,)


def gist(known: tuple[KnownModel, ...]) -> tuple[KnownModel, ...]:
    """The same without how much memory is free, which is never the same twice; whether it fits stays."""
    return tuple(
        replace(one, info=replace(one.info, fit=replace(one.info.fit, available_bytes=0))) for one in known
    )


def answering(listed: ModelList, settings: SettingsView | None) -> tuple[str, str]:
    """Ids of the models that answer code and general questions; empty where there is none."""
    active = next((profile for profile in listed.profiles if profile.name == listed.active_profile), None)
    chosen = settings.settings if settings is not None else None
    # Where none can answer: the one that would, if it were here. Empty means: as the profile says.
    code = listed.code_model or (chosen.model if chosen else "") or (active.model if active else "")
    general = (
        listed.general_model
        or (chosen.general_model if chosen else "")
        or (active.general_model if active else "")
    )
    return code, general


def progress_of(info: ModelInfo) -> ModelProgress | None:
    """What is under way with a model; None where nothing is, and nothing is kept for resuming."""
    if not info.activity and not (info.state == "idle" and info.received_bytes):
        return None
    return ModelProgress(
        activity=info.activity,
        verifying=info.state == "verifying",
        received_bytes=info.received_bytes,
        total_bytes=info.size_bytes,
        bytes_per_second=info.rate_bytes_per_second,
    )
