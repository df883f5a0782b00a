"""Which profile suits this machine, and why: the choice behind `auto`.

Pure: it is told what is installed, how much memory is free and how fast models were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contract.models import ModelInfo, Profile, Role
from ..text.units import size, tokens_per_second

SLOW_TOKENS_PER_SECOND = 4.0
"""Below this, text comes more slowly than a person reads."""
GPU_BYTES = 8 * 1024**3
"""Free memory from which a 7B model leaves room for the notebook's own data."""

COMFORTABLE_BYTES = 2_000_000_000
"""Weights up to which a model answers at ease without a GPU: those of 1.5 to 3 billion parameters."""
COMFORTABLE_GPU_BYTES = 8_000_000_000

_WITH_GPU = ("Fast", "Balanced", "Compact", "Tiny")
_WITHOUT_GPU = ("Compact", "Tiny", "Fast", "Balanced")
_NEVER_BY_ITSELF = frozenset({"Heavy", "Pair", "Large pair"})


def choose(
    infos: Sequence[ModelInfo],
    profiles: Mapping[str, Profile],
    available_bytes: int,
    gpu: bool,
    measured: Mapping[str, float] | None = None,
) -> tuple[Profile, str]:
    """The profile for this machine, and the sentence that says why.

    Parameters
    ----------
    infos
        All models, with their fit.
    profiles
        By name; at least one.
    available_bytes
        Free memory; 0 where it is not known.
    gpu
        Whether the models run on a GPU, Apple's included.
    measured
        Tokens per second of models that have run here, by id.

    """
    speeds = measured or {}
    models = {info.id: info for info in infos}
    order = _order(profiles, gpu and (available_bytes == 0 or available_bytes >= GPU_BYTES))
    fitting = [profile for profile in order if _fits(models.get(profile.model), profile.model in models)]
    here = [profile for profile in fitting if models[profile.model].state == "ready"]
    quick = [profile for profile in here if not _slow(profile, speeds)]
    if quick:
        return quick[0], _reason_for(quick[0], models, speeds)
    if here:
        lightest = min(here, key=lambda profile: models[profile.model].size_bytes)
        return lightest, (
            f"{lightest.name}: {models[lightest.model].name} is slow on this machine "
            f"({tokens_per_second(speeds[lightest.model])}), and no faster model is installed."
        )
    machine = "with a GPU" if gpu else "without a GPU"
    if fitting:
        chosen = next((profile for profile in fitting if not _slow(profile, speeds)), fitting[0])
        return chosen, (
            f"{chosen.name}: recommended for a machine {machine} and {size(available_bytes)} of free "
            f"memory; {models[chosen.model].name} has to be downloaded first."
        )
    smallest = min(order, key=lambda profile: _size(models.get(profile.model)))
    return smallest, (
        f"{smallest.name}: the smallest profile; {size(available_bytes)} of free memory may not be enough."
    )


def stand_in(
    infos: Sequence[ModelInfo], role: Role, gpu: bool, measured: Mapping[str, float] | None = None
) -> ModelInfo | None:
    """The model that answers where that of no profile is here: the best of those that are, or None.

    What fits goes before what does not, what serves the role best before others, then the largest that is
    still comfortable here. Parameters as of `choose`.
    """
    here = [info for info in infos if info.state == "ready" and _serves(info, role)]
    speeds, limit = measured or {}, COMFORTABLE_GPU_BYTES if gpu else COMFORTABLE_BYTES

    def rank(info: ModelInfo) -> tuple[bool, int, bool, bool, int]:
        comfortable = info.size_bytes <= limit
        return (
            info.fit.fit != "does-not-fit",
            _serves(info, role),
            not 0.0 < speeds.get(info.id, 0.0) < SLOW_TOKENS_PER_SECOND,
            comfortable,
            info.size_bytes if comfortable else -info.size_bytes,
        )

    return max(here, key=rank, default=None)


def _serves(info: ModelInfo, role: Role) -> int:
    """How well a model serves a role; 0 for not at all."""
    answers = "general" in info.roles
    if role == "general":
        return int(answers)
    # Commands on code need a model that follows instructions, completion one that fills in.
    return 2 * ("code" in info.roles) + answers


def _order(profiles: Mapping[str, Profile], gpu: bool) -> list[Profile]:
    """Profiles from the most to the least suitable; the user's own after the built-in ones."""
    names = _WITH_GPU if gpu else _WITHOUT_GPU
    known = [profiles[name] for name in names if name in profiles]
    own = [p for name, p in profiles.items() if name not in names and name not in _NEVER_BY_ITSELF]
    return known + own or list(profiles.values())


def _fits(info: ModelInfo | None, known: bool) -> bool:
    return known and info is not None and info.fit.fit != "does-not-fit"


def _slow(profile: Profile, speeds: Mapping[str, float]) -> bool:
    speed = speeds.get(profile.model, 0.0)
    return 0.0 < speed < SLOW_TOKENS_PER_SECOND


def _size(info: ModelInfo | None) -> int:
    return info.size_bytes if info is not None else 2**63


def _reason_for(profile: Profile, models: Mapping[str, ModelInfo], speeds: Mapping[str, float]) -> str:
    model = models[profile.model]
    speed = speeds.get(model.id, 0.0)
    measured = f" and reached {tokens_per_second(speed)} on this machine" if speed else ""
    memory = "fits into free memory"
    if model.fit.fit == "tight":
        memory = "fits tightly into memory"
    elif model.fit.fit == "unknown":
        memory = "is the best installed match"
    return f"{profile.name}: {model.name} is installed, {memory}{measured}."
