"""Which model answers a request, and how it is loaded: settings, profile and machine make a `LoadPlan`.

Reads the model store, so it may block: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import psutil
from jupyter_core.paths import jupyter_runtime_dir

from ..contract import wire
from ..contract.models import MemoryFit, ModelSpeed, Profile
from ..contract.settings import Settings
from ..errors import LocalCoderError, ModelNotFound, ModelNotReady, ValidationError
from ..models import memory, profiles
from ..models.store import InstalledModel, ModelStore
from ..settings import LocalCoderSettings
from .calibration_store import Calibrations
from .completion_budget import speeds
from .load_plan import LoadPlan, Role
from .tuning import Tuning

_MIN_STABLE_CONTEXT = 2048
_ROLES: tuple[Role, Role] = ("code", "general")
LEAST_DRAFT_RATIO = 5
"""A draft model must be so many times smaller: what it writes has to cost little."""
_STATE_PREFIX = "localcoder-state-"


class _Choice(NamedTuple):
    """What `auto` has chosen."""

    profile: Profile
    reason: str
    stand_ins: dict[Role, str]
    """Ids of the models that answer where the model of the profile is not here."""


class Planner:
    """Makes load plans."""

    def __init__(
        self,
        store: ModelStore,
        settings: LocalCoderSettings,
        tuning: Tuning,
        calibrations: Calibrations,
        state_dir: Path | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._tuning = tuning
        self._calibrations = calibrations
        self._state_dir = state_dir or _own_state_dir()
        self._chosen: tuple[tuple[object, ...], _Choice] | None = None
        self._lockable: dict[str, bool] = {}
        self._drafting: dict[tuple[str, str], bool] = {}
        self.gpu = sys.platform == "darwin"
        """Whether a GPU can be used. A guess until a worker has said it: every Mac has Metal."""

    @property
    def settings(self) -> Settings:
        """The settings in force; the same object until they change."""
        return self._settings.current

    @property
    def drafts(self) -> bool:
        """Whether answers may be drafted from their prompt."""
        return bool(self._tuning.lookup)

    def close(self) -> None:
        """Remove what was kept of computations."""
        shutil.rmtree(self._state_dir, ignore_errors=True)

    def learn(self, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        """Take in what a load has shown of this machine."""
        self.gpu = hello.gpu_offload
        self._calibrations.remember(Calibrations.key(plan.digest, plan.load), loaded.costs)

    def terms(self, profile: Profile | None = None) -> memory.Terms:
        """How a model would be loaded, for the memory that it takes; None takes the profile in force."""
        settings = self._settings.current
        return self._terms(settings, profile or self.profile()[0])

    def fit(self, plan: LoadPlan, *, given_back_bytes: int = 0) -> MemoryFit:
        """Return whether a plan fits into the memory that is free now, and what comes free before it.

        Raises
        ------
        ModelNotFound, ModelNotReady, ChecksumMismatch
        """
        load = plan.load.on(gpu=self.gpu)
        installed = self._store.locate(plan.model)
        terms = memory.Terms(
            context_window=load.n_ctx,
            extra_cells=max(0, load.n_cells - load.n_ctx),
            cache_type=load.cache_type,
            n_ubatch=load.n_ubatch,
            flash_attention=load.flash_attention != "off",
            repack=load.repack,
            given_back_bytes=given_back_bytes,
        )
        shape, trained = installed.header.shape, installed.context_length
        return memory.fit_of(shape, installed.size_bytes, trained, terms, memory.available())

    def speed(self, model_id: str) -> ModelSpeed | None:
        """Return how fast a model was here, loaded as it would be now; None where it was not measured."""
        try:
            installed = self._store.inspect(model_id)
        except LocalCoderError:
            return None
        # The profile decides only the length of the context, on which the measured steps do not depend.
        profile = next(iter(self._store.catalogue.profiles.values()))
        load = self._parameters(self._settings.current, profile, installed)
        costs = self._calibrations.find(Calibrations.key(installed.digest, load))
        if 1 not in costs:
            return None
        prefill, decode = speeds(costs)
        return ModelSpeed(prefill_tokens_per_second=prefill, decode_tokens_per_second=decode)

    def forget_choice(self) -> None:
        """Let `auto` choose anew; it otherwise stays with its choice, since a loaded model takes memory."""
        self._chosen = None
        self._lockable.clear()
        self._drafting.clear()

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
            return self._named(wanted), "It is the model selected in the settings."
        choice = self._auto(settings)
        return choice.profile, choice.reason

    def division(self) -> str:
        """The sentence that says which model completes and which one answers; empty where it is the same."""
        code, general = self.answering()
        return (
            f"Completes with `{code}`, answers with `{general or '-'}`." if code not in ("", general) else ""
        )

    def _auto(self, settings: Settings) -> _Choice:
        """What `auto` has chosen, of what is here."""
        known = self._store.infos(self._terms(settings, None))
        key = (tuple(m.id for m in known if m.state == "ready"), settings.acceleration, settings.run_mode)
        if self._chosen is None or self._chosen[0] != key:
            gpu = self.gpu and settings.acceleration != "cpu" and settings.run_mode != "stability"
            available, _ = memory.available()
            speeds_here = {m.id: self.speed(m.id) for m in known if m.state == "ready"}
            measured = {id_: s.decode_tokens_per_second for id_, s in speeds_here.items() if s}
            profile, reason = profiles.choose(
                known,
                self._store.catalogue.profiles,
                available_bytes=available,
                gpu=gpu,
                measured=measured,
            )
            stand_ins: dict[Role, str] = {}
            for role in _ROLES:
                if (other := profiles.stand_in(known, role, gpu, measured)) is not None:
                    stand_ins[role] = other.id
            if "code" in stand_ins and not self._is_here(profile.model):
                reason += f" Until then, the installed model `{stand_ins['code']}` is used."
            self._chosen = (key, _Choice(profile, reason, stand_ins))
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
        wanted = model or self._answering(role, settings, chosen, named=profile is not None)
        try:
            # Not to be loaded like this: who loads it has it verified (see `fit`).
            installed = self._store.inspect(wanted)
        except (ModelNotReady, ModelNotFound) as failure:
            raise failure if model else self._missing(wanted, settings, chosen, failure) from None
        load = self._parameters(settings, chosen, installed)
        return LoadPlan(
            model=installed.id,
            digest=installed.digest,
            quantization=installed.quantization,
            profile=chosen.name,
            load=load,
            gpu_asked=settings.acceleration == "gpu",
            costs=self._calibrations.find(Calibrations.key(installed.digest, load)),
        )

    def answering(self) -> tuple[str, str]:
        """Ids of the models that answer code and general questions as things are; empty for none."""
        settings = self._settings.current
        profile, _ = self.profile()
        ids = (self._answering(role, settings, profile, named=False) for role in _ROLES)
        code, general = (id_ if self._is_here(id_) else "" for id_ in ids)
        return code, general

    def _answering(self, role: Role, settings: Settings, profile: Profile, *, named: bool) -> str:
        """Id of the model for a request that names none, whether it is here or not.

        Parameters
        ----------
        named
            The request names the profile: what the settings say of models does not count then.
        """
        if role == "code":
            return self._for_code(settings, profile, named=named)
        code = self._for_code(settings, profile, named=named)
        auto = settings.profile == "auto" and not named
        own = "" if named else settings.general_model
        if not own and auto and settings.model and self.answers(code):
            # Whoever chose one model did not choose another beside it, which would take turns with it.
            return code
        general = own or profile.general_model
        if self.answers(general):
            return general
        # Better an answer of a model that is here than none; the answer names its model.
        if self.answers(code):
            return code
        completes_only = self._is_here(code)
        if auto or completes_only:
            return self._auto(settings).stand_ins.get("general", general if completes_only else code)
        return code

    def _for_code(self, settings: Settings, profile: Profile, *, named: bool) -> str:
        if settings.model and not named:
            return settings.model
        if named or settings.profile != "auto" or self._is_here(profile.model):
            return profile.model
        return self._auto(settings).stand_ins.get("code", profile.model)

    def _is_here(self, model_id: str) -> bool:
        try:
            self._store.inspect(model_id)
        except LocalCoderError:
            return False
        return True

    def answers(self, model_id: str) -> bool:
        """Whether a model is here and can follow an instruction."""
        if not self._store.catalogue.answers(model_id):
            return False
        try:
            return self._store.inspect(model_id).header.chats
        except LocalCoderError:
            return False

    def _missing(
        self, wanted: str, settings: Settings, profile: Profile, failure: LocalCoderError
    ) -> LocalCoderError:
        """Why a model does not answer that no request has named: who chose it, and what to do."""
        if wanted == settings.model:
            return type(failure)(
                f"The settings select the model `{wanted}`. {failure.message}",
                recovery="Download or import it again, or use another model: `jupyter localcoder config "
                "reset model`.",
                **failure.details,
            )
        if self._store.is_installed(wanted):
            return failure
        others = self._auto(settings).stand_ins
        pull = f"Download it with `jupyter localcoder models pull {wanted}`, or import a GGUF file."
        auto = "Or use an installed model: `jupyter localcoder config set profile auto`."
        if others and settings.profile != "auto":
            return ModelNotReady(
                f"`{wanted}`, the model of the profile {profile.name}, is not on this machine yet.",
                recovery=f"{pull} {auto}",
                model=wanted,
            )
        return ModelNotReady(
            f"No usable model is installed: `{wanted}`, the model of the profile {profile.name}, is not "
            "on this machine yet.",
            recovery=pull,
            model=wanted,
        )

    def _window(self, settings: Settings, profile: Profile | None) -> int:
        window = settings.context_window or (profile.context_window if profile else 0)
        if settings.run_mode == "stability":
            return min(window, max(_MIN_STABLE_CONTEXT, window // 2))
        return window

    def _batch(self, settings: Settings) -> int:
        return int(self._tuning.batch_tokens or (128 if settings.run_mode == "stability" else 512))

    def _terms(self, settings: Settings, profile: Profile | None) -> memory.Terms:
        tuning = self._tuning
        cache_type = cast(wire.CacheType, tuning.cache_type)
        wanted = cast(wire.FlashAttention, tuning.flash_attention)
        on_gpu = self.gpu and self._gpu_layers(settings) != 0
        return memory.Terms(
            context_window=self._window(settings, profile),
            extra_cells=0 if settings.run_mode == "stability" else tuning.completion_cells,
            cache_type=cache_type,
            n_ubatch=wire.ubatch_of(self._batch(settings), on_gpu=on_gpu),
            flash_attention=wire.attention_of(wanted, cache_type, on_gpu=on_gpu) != "off",
            repack=tuning.repack,
        )

    def _gpu_layers(self, settings: Settings) -> int:
        on_cpu = settings.run_mode == "stability" or settings.acceleration == "cpu"
        return 0 if on_cpu else int(self._tuning.gpu_layers)

    def _parameters(self, settings: Settings, profile: Profile, installed: InstalledModel) -> wire.LoadFrame:
        stable = settings.run_mode == "stability"
        n_ctx = self._window(settings, profile)
        n_ctx = min(n_ctx, installed.context_length or n_ctx)
        tuning = self._tuning
        n_batch = self._batch(settings)
        load = wire.LoadFrame(
            id=0,
            path=str(installed.path),
            n_ctx=n_ctx,
            n_batch=n_batch,
            n_ubatch=n_batch,
            n_gpu_layers=self._gpu_layers(settings),
            n_threads=tuning.threads,
            n_threads_batch=tuning.threads,
            flash_attention=cast(wire.FlashAttention, tuning.flash_attention),
            cache_type=cast(wire.CacheType, tuning.cache_type),
            use_mmap=tuning.mmap,
            use_mlock=self._locks(stable, installed),
            repack=tuning.repack,
            n_cells=n_ctx + (0 if stable else tuning.completion_cells),
            splice=tuning.splice,
            splice_changed_share=tuning.splice_changed_share,
            builtin_chat_format=tuning.builtin_chat_format,
            draft_path="" if stable else self._draft_path(settings, profile, installed),
        )
        if not tuning.kept_state_megabytes:
            return load
        with contextlib.suppress(OSError):
            self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return msgspec.structs.replace(
            load,
            state_path=str(self._state_dir / f"{_fingerprint(installed.digest, load)}.state"),
            state_bytes=tuning.kept_state_megabytes * 2**20,
        )

    def _draft_path(self, settings: Settings, profile: Profile, installed: InstalledModel) -> str:
        """The small model that drafts for this one; empty for none."""
        wanted = self._tuning.draft_model
        if wanted == "auto":
            wanted = profile.draft_model if installed.id in (profile.model, profile.general_model) else ""
        if wanted in ("", "off", installed.id):
            return ""
        try:
            small = self._store.locate(wanted)
        except LocalCoderError:
            return ""
        if small.size_bytes * LEAST_DRAFT_RATIO > installed.size_bytes:
            return ""
        # Decided once, for the same reason as whether to lock.
        key = (installed.digest, small.digest)
        if key not in self._drafting:
            free, _ = memory.available()
            need = sum(self._needed(model, settings, profile) for model in (installed, small))
            self._drafting[key] = not free or need <= memory.SAFE_SHARE * free
        return str(small.path) if self._drafting[key] else ""

    def _needed(self, model: InstalledModel, settings: Settings, profile: Profile) -> int:
        fit = self._store.info(model.id, self._terms(settings, profile)).fit
        return fit.needed_bytes or model.size_bytes

    def _locks(self, stable: bool, installed: InstalledModel) -> bool:
        if self._tuning.mlock == "auto":
            # Decided once: the loaded model itself takes memory, and another answer would be another plan,
            # which loads it again.
            if installed.digest not in self._lockable:
                self._lockable[installed.digest] = may_lock(installed.size_bytes)
            return not stable and self._lockable[installed.digest]
        return bool(self._tuning.mlock == "on")


def _own_state_dir() -> Path:
    """Folder for what this process keeps over an unload; what killed ones have left is removed."""
    runtime = Path(jupyter_runtime_dir())
    for old in runtime.glob(f"{_STATE_PREFIX}*"):
        pid = old.name.removeprefix(_STATE_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    return runtime / f"{_STATE_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def _fingerprint(digest: str, load: wire.LoadFrame) -> str:
    """What a kept state depends on: other weights or another setting make another file."""
    return hashlib.sha256(digest.encode() + msgspec.json.encode(load)).hexdigest()[:24]


def may_lock(weights_bytes: int) -> bool:
    """Whether the system lets this user lock the weights into memory, and half of it is left then."""
    if sys.platform == "win32":
        return False
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    allowed = soft == resource.RLIM_INFINITY or soft > weights_bytes
    return allowed and weights_bytes < memory.available()[0] / 2
