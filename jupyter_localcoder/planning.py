"""Which model answers a request, and how it is loaded: settings, profile and machine make a `LoadPlan`.

Reads the model store, so it may block: call it in a thread.
"""

from __future__ import annotations

import sys
from typing import Literal

from .contract import wire
from .contract.models import Profile
from .contract.settings import Settings
from .errors import ModelNotReady, ValidationError
from .models import memory, profiles
from .models.store import InstalledModel, ModelStore
from .settings import LocalCoderSettings
from .supervisor import LoadPlan

Role = Literal["code", "general"]

_MIN_STABLE_CONTEXT = 2048


class Planner:
    """Makes load plans."""

    def __init__(self, store: ModelStore, settings: LocalCoderSettings) -> None:
        self._store = store
        self._settings = settings
        self._chosen: tuple[tuple[object, ...], tuple[Profile, str]] | None = None
        self.gpu = sys.platform == "darwin"
        """Whether a GPU can be used. A guess until a worker has said it: every Mac has Metal."""

    def forget_choice(self) -> None:
        """Let `auto` choose anew; it otherwise stays with its choice, since a loaded model takes memory."""
        self._chosen = None

    def profile(self, name: str | None = None) -> tuple[Profile, str]:
        """Return a profile and the reason for it; None takes the one of the settings.

        Raises
        ------
        ValidationError
            There is no such profile.
        """
        settings = self._settings.current
        wanted = name or settings.profile
        if wanted != "auto":
            return self._named(wanted), "It is the one that the settings name."
        known = self._store.infos(settings.context_window)
        key = (tuple(m.id for m in known if m.state == "ready"), settings.acceleration, settings.run_mode)
        if self._chosen is None or self._chosen[0] != key:
            gpu = self.gpu and settings.acceleration != "cpu" and settings.run_mode != "stability"
            available, _ = memory.available()
            choice = profiles.choose(
                known, self._store.catalogue.profiles, available_bytes=available, gpu=gpu
            )
            self._chosen = (key, choice)
        return self._chosen[1]

    def _named(self, name: str) -> Profile:
        known = self._store.catalogue.profiles
        by_lower = {profile.name.lower(): profile for profile in known.values()}
        try:
            return by_lower[name.lower()]
        except KeyError:
            raise ValidationError(
                f"There is no profile `{name}`.",
                recovery=f"Choose one of: auto, {', '.join(known)}.",
                field="profile",
                known=["auto", *known],
            ) from None

    def plan(self, role: Role, *, model: str | None = None, profile: str | None = None) -> LoadPlan:
        """Return the plan for a request.

        Raises
        ------
        ModelNotFound, ModelNotReady, ChecksumMismatch, ValidationError
        """
        settings = self._settings.current
        chosen, _ = self.profile(profile)
        installed = self._locate(role, settings, chosen, model, named_profile=profile is not None)
        return LoadPlan(
            model=installed.id,
            digest=installed.digest,
            quantization=installed.quantization,
            profile=chosen.name,
            load=self._parameters(settings, chosen, installed),
        )

    def _locate(
        self,
        role: Role,
        settings: Settings,
        profile: Profile,
        model: str | None,
        *,
        named_profile: bool,
    ) -> InstalledModel:
        if model:
            return self._store.locate(model)
        code = profile.model if named_profile else settings.model or profile.model
        if role == "code":
            return self._store.locate(code)
        general = profile.general_model if named_profile else settings.general_model or profile.general_model
        try:
            return self._store.locate(general)
        except ModelNotReady:
            # Better an answer of the model that is here than none; the answer names its model.
            return self._store.locate(code)

    def _parameters(self, settings: Settings, profile: Profile, installed: InstalledModel) -> wire.Load:
        stable = settings.run_mode == "stability"
        n_ctx = settings.context_window or profile.context_window
        if stable:
            n_ctx = min(n_ctx, max(_MIN_STABLE_CONTEXT, n_ctx // 2))
        n_ctx = min(n_ctx, installed.context_length or n_ctx)
        on_cpu = stable or settings.acceleration == "cpu"
        return wire.Load(
            id=0,
            path=str(installed.path),
            n_ctx=n_ctx,
            n_batch=256 if stable else 2048,
            n_ubatch=128 if stable else 512,
            n_gpu_layers=0 if on_cpu else -1,
            n_threads=0,
            n_threads_batch=0,
            use_mlock=not stable and _may_lock(installed.size_bytes),
        )


def _may_lock(weights_bytes: int) -> bool:
    """Whether the system lets this user lock the weights into memory, and half of it is left then."""
    if sys.platform == "win32":
        return False
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    allowed = soft == resource.RLIM_INFINITY or soft > weights_bytes
    return allowed and weights_bytes < memory.available()[0] / 2
