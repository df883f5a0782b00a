"""``setup``: from an empty machine to a first completion, step by step, or in one go for scripts."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Unicode

from ..contract import backend, codec, generation, models, registry
from ..contract.settings import SettingsUpdateRequest
from ..errors import Disabled, InvalidArgument, OutOfMemory, ValidationError
from ..text.plain_text import PlainText
from ..text.units import size, tokens_per_second
from .command import LocalCoderCommand, options
from .config.show import settings_of
from .exits import ExitCode
from .models import consent
from .models.pull import check_air_gap, fetch, license_of
from .progress import shown
from .table import table

if TYPE_CHECKING:
    from ..client import Client

_ABOUT = (
    "The model runs on this machine, in a separate process. Your code, your data and your questions stay "
    "here. Only the download of a model needs the network."
)
_OTHER_WAYS = (
    "If you have a model file, enter its path instead. If you have a server, such as Ollama, add it with "
    "`jupyter localcoder providers add`."
)
_FIT = {"fits": "fits", "tight": "tight", "does-not-fit": "too big", "unknown": "?"}
_EXAMPLE = 'def celsius(fahrenheit):\n    """Convert degrees Fahrenheit to Celsius."""\n    return '
_EXAMPLE_TOKENS = 32


class Setup(LocalCoderCommand):
    """Set up a first model, step by step."""

    usage = "setup [options]"
    description = """Choose a profile for this machine, accept the licence of its model, download
    and load it, and see a first completion. An installed model is not downloaded again. Nothing is
    downloaded before its licence is accepted. You can also use an existing model file."""
    aliases = LocalCoderCommand.aliases | {"profile": "Setup.profile", "file": "Setup.file"}
    flags = LocalCoderCommand.flags | options(
        yes=("Setup.yes", "Use the recommended choices, and prompt only for the licence."),
        accept_license=("Setup.accept_license", "Accept the licence of the model without a prompt."),
    )
    examples = """
jupyter localcoder setup
jupyter localcoder setup --yes --profile=Compact --accept-license
jupyter localcoder setup --file=/media/stick/model.gguf
"""

    profile = Unicode("", config=True, help="Profile to set up. Default: the recommended profile.")
    file = Unicode("", config=True, help="GGUF file or bundle to import instead of a download.")
    yes = Bool(False, config=True, help="Use the recommended choices, and prompt only for the licence.")
    accept_license = Bool(False, config=True, help="Accept the licence without a prompt.")

    def run(self) -> ExitCode:
        """Go through the steps."""
        with self.client() as client:
            known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
            if known.engine_error is not None:
                raise codec.error_of(known.engine_error)  # before anything is downloaded in vain
            self._print_wrapped(_ABOUT + "\n")
            chosen = self._choose(known)
            fetched = False
            if isinstance(chosen, Path):
                model = self._import_model(client, chosen)
            else:
                model = chosen.model
                fetched = self._make_ready(client, model)
                self._save_profile(client, chosen, known)
            loaded = self._load(client, model)
            speeds = self._speeds(client)
            text = self._complete(client, model)
            info = self.store().info(model, 0)
        self.console.document(
            {
                "profile": None if isinstance(chosen, Path) else chosen.name,
                "model": info,
                "fetched": fetched,
                "loaded": loaded,
                "speeds": speeds,
                "completion": text,
            }
        )
        self._print_wrapped("Setup is complete. Start `jupyter lab`, and type in a notebook.")
        return ExitCode.OK

    def _choose(self, known: models.ModelList) -> models.Profile | Path:
        """The file or profile that was named, is recommended, or is answered at the question."""
        if self.file:
            return Path(self.file).expanduser().absolute()
        by_name = {profile.name.lower(): profile for profile in known.profiles}
        recommended = by_name[known.recommended_profile.lower()]
        if self.profile:
            return _named(self.profile, by_name)
        self._print_wrapped(known.recommended_reason)
        if self.yes:
            return recommended
        if not self.console.can_ask:
            raise InvalidArgument(
                "Cannot prompt for a profile in a non-interactive session; pass --profile.",
                recovery="Pass `--yes` for the recommended profile, or `--profile=NAME`.",
            )
        infos = {info.id: info for info in known.models}
        rows = [_row(profile, infos[profile.model], profile == recommended) for profile in known.profiles]
        self.console.note(
            "\n" + table(("PROFILE", "MODEL", "SIZE", "FIT", ""), rows, width=self.console.width) + "\n"
        )
        self._print_wrapped(_OTHER_WAYS + "\n")
        while answer := self.console.ask(f"Profile [{recommended.name}]: "):
            if answer.lower() in by_name:
                return by_name[answer.lower()]
            if (path := Path(answer).expanduser().absolute()).exists():
                return path
            self.console.note(f"No profile or file is named `{answer}`.")
        return recommended

    def _import_model(self, client: Client, path: Path) -> str:
        """Import a model, and let it answer; its id."""
        with shown(self, path.name) as progress:
            model = self.store().import_file(path, model_id=None, link=False, progress=progress).id
        known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
        if (known.code_model, known.general_model) != (model, model):
            # Another one would answer: the person has named this one. One alone, so that none takes turns.
            both = SettingsUpdateRequest(model=model, general_model=model)
            client.call(registry.SETTINGS_UPDATE, both)
            self._print_wrapped(
                f"`{model}` is pinned for code and for general questions. To unpin it, run `jupyter "
                "localcoder config reset model general_model`."
            )
        return model

    def _make_ready(self, client: Client, model: str) -> bool:
        """Fetch the model unless it is here; whether it was fetched."""
        store = self.store()
        info = store.info(model, 0)
        if info.state == "ready":
            self.note(f"{info.name} is on this machine.")
            return False
        air_gap = settings_of(client).settings.air_gap
        check_air_gap(store, info, air_gap)
        license = license_of(store, model)
        accepted = consent.agreed(self, info, license, accept=self.accept_license)
        ready = store.prepare(
            model, allow_download=True, accept_license=accepted, accepted_by=consent.who(), air_gap=air_gap
        )
        if ready is None:
            fetch(self, store, info)
        return ready is None

    def _save_profile(self, client: Client, profile: models.Profile, known: models.ModelList) -> None:
        """Let the profile be in force; what is recommended is what `auto` chooses by itself."""
        wanted = "auto" if profile.name == known.recommended_profile else profile.name
        settings = settings_of(client).settings
        if (settings.profile, settings.model, settings.general_model) != (wanted, "", ""):
            # Models of one's own choice would go before those of the profile.
            none = SettingsUpdateRequest(profile=wanted, model=None, general_model=None)
            client.call(registry.SETTINGS_UPDATE, none)

    def _load(self, client: Client, model: str) -> models.LoadedModel:
        self.note(f"Loading {model} …")
        try:
            return client.call(registry.MODEL_LOAD, models.ModelLoadRequest(id=model))
        except OutOfMemory as refusal:
            if self.yes or not (self.console.can_ask and refusal.details.get("refused")):
                raise
            self._print_wrapped(refusal.message)
            if self.console.ask("Load it anyway? [y/N] ").lower() not in ("y", "yes"):
                raise
        return client.call(registry.MODEL_LOAD, models.ModelLoadRequest(id=model, force=True))

    def _speeds(self, client: Client) -> backend.Calibration | None:
        status: backend.BackendStatus = client.call(registry.PING, backend.PingRequest())
        speeds = status.calibration
        if speeds is not None:
            self.note(
                f"Measured here: reads {tokens_per_second(speeds.prefill_tokens_per_second)}, "
                f"writes {tokens_per_second(speeds.decode_tokens_per_second)}."
            )
        return speeds

    def _complete(self, client: Client, model: str) -> str:
        """Show a first completion; its text, and an empty one where completion is switched off."""
        request = codec.decode(
            generation.CompleteRequest,
            {"prefix": _EXAMPLE, "suffix": "\n", "language": "python", "multiline": False,
             "max_tokens": _EXAMPLE_TOKENS, "model": model},
        )  # fmt: skip
        plain, pieces = PlainText(), []
        self.note("\nA first completion:\n")
        self.console.out(_EXAMPLE, end="")
        try:
            with client.stream(registry.TAB_COMPLETE, request) as frames:
                for frame in frames:
                    if isinstance(frame, generation.Delta):
                        pieces.append(plain.feed(frame.text))
                        self.console.out(self.console.paint(pieces[-1], "cyan"), end="")
        except Disabled as reason:
            self.console.out("")
            self.note(f"{reason.message} {reason.recovery}")
            return ""
        self.console.out("")
        self.note("")
        return "".join(pieces)

    def _print_wrapped(self, text: str) -> None:
        lines = textwrap.wrap(text, self.console.width or 80, break_on_hyphens=False)
        self.note("\n".join(lines) + "\n" * text.endswith("\n"))


def _named(name: str, by_name: dict[str, models.Profile]) -> models.Profile:
    try:
        return by_name[name.lower()]
    except KeyError:
        known = ", ".join(profile.name for profile in by_name.values())
        raise ValidationError(
            f"There is no profile `{name}`.", recovery=f"Choose one of: {known}.", field="profile"
        ) from None


def _row(profile: models.Profile, info: models.ModelInfo, recommended: bool) -> tuple[Any, ...]:
    here = "on this machine" if info.state == "ready" else size(info.size_bytes)
    return (profile.name, info.name, here, _FIT[info.fit.fit], "recommended" if recommended else "")
