"""The settings in force: which layer says what, and the file that keeps what a person changes.

Five layers; a higher one wins:

1. ``default``: the default of the trait,
2. ``config``: Jupyter's configuration files (``c.LocalCoderSettings.profile = "Compact"``),
3. ``settings``: what was changed while it ran, kept in ``settings.json``,
4. ``environment``: ``LOCALCODER_PROFILE`` and so on,
5. ``command-line``: ``--LocalCoderSettings.profile=Compact``.

All of them are checked against the same declaration, `contract.settings.SettingsUpdateRequest`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
from jupyter_core.paths import jupyter_data_dir
from traitlets import Bool, Enum, Float, Integer, TraitError, Unicode, validate
from traitlets.config import Config, LoggingConfigurable

from .contract import codec
from .contract.common import Layer
from .contract.providers import EMBEDDED
from .contract.settings import Settings, SettingsUpdateRequest, SettingsView
from .errors import ValidationError
from .storage.json_file import Document, JsonFile
from .storage.latest import Latest
from .storage.regular import FileMark, mark_of

ENVIRONMENT_PREFIX = "LOCALCODER_"
_SETTINGS = "settings"
_AIR_GAP = "air_gap"
_CLOSED = re.compile(rb'"air_gap"\s*:\s*true')
_TICK_NS = 20_000_000
_OF_PROVIDERS = {"completion_provider": (), "title_provider": ("title_model",)}
"""The settings that name a provider, and those that are about something of that provider."""


class Earlier(Protocol):
    """A file of an older version that keeps some of the settings, until one is changed."""

    def read(self) -> dict[str, Any]:
        """Those that it keeps, by the names that they have now; nothing where it is gone. May block."""
        ...

    def remove(self) -> None:
        """Its settings are in the settings file now. May block."""
        ...


class LocalCoderSettings(LoggingConfigurable):
    """User settings, which can also be changed at run time."""

    profile = Unicode(
        "auto",
        config=True,
        help="Profile: a name from the catalogue, or `auto` to choose by the free memory of this machine.",
    )
    model = Unicode("", config=True, help="Id of the model for code. Empty uses the model of the profile.")
    general_model = Unicode(
        "", config=True, help="Id of the model for general questions. Empty uses the model of the profile."
    )
    context_window = Integer(
        0,
        config=True,
        help="Context window in tokens. 0 uses the value of the profile. A larger window uses more memory.",
    )
    temperature = Float(0.2, config=True, help="Sampling temperature, 0 to 2. 0 is greedy.")
    top_k = Integer(40, config=True, help="Number of most likely tokens to sample from. 0 disables it.")
    top_p = Float(
        0.95,
        config=True,
        help="Sample from the smallest set of tokens with this total probability. 1 disables it.",
    )
    min_p = Float(
        0.05,
        config=True,
        help="Minimum probability of a token, relative to the most likely token. 0 disables it.",
    )
    repeat_penalty = Float(
        1.0,
        config=True,
        help="Penalty for repeated tokens, 1 to 2. Use 1 (off) for code, which repeats naturally.",
    )
    max_tokens = Integer(
        1024,
        config=True,
        help="Maximum length of an answer of a command or a chat turn in tokens, including reasoning.",
    )
    max_reasoning_chars = Integer(
        100_000,
        config=True,
        help="Maximum number of characters of reasoning to save with an answer. 0 saves none.",
    )
    idle_minutes = Float(
        15.0,
        config=True,
        help="Minutes without a request after which the model is unloaded. 0 never unloads it.",
    )
    keep_resident = Bool(False, config=True, help="Keep the model in memory, regardless of `idle_minutes`.")
    acceleration = Enum(
        ["auto", "gpu", "cpu"],
        "auto",
        config=True,
        help="`auto` uses a GPU if llama-cpp-python was built with GPU support (including Metal); `cpu` "
        "never does.",
    )
    run_mode = Enum(
        ["performance", "stability"],
        "performance",
        config=True,
        help="`performance` offloads all layers, uses large batches and locks memory if allowed; `stability` "
        "stays on the CPU with a smaller context and batch.",
    )
    air_gap = Bool(
        False, config=True, help="Do not connect to any other machine: no downloads, no remote providers."
    )
    tab_completion = Bool(True, config=True, help="Enable completion while typing.")
    completion_provider = Unicode(
        EMBEDDED,
        config=True,
        help="Id of the provider that completes while typing. The code around the cursor is sent to it on "
        "nearly every keystroke, so it is set separately from the active provider and defaults to "
        "`embedded`.",
    )
    completion_timeout_seconds = Float(
        15.0,
        config=True,
        help="Default time limit of a completion in seconds, 0.1 to 3600. The text generated by then is "
        "returned.",
    )
    completion_max_tokens = Integer(
        0,
        config=True,
        help="Default maximum length of a completion in tokens, at most 512. 0 adapts the length to the "
        "speed of this machine.",
    )
    completion_temperature = Float(
        0.0,
        config=True,
        help="Default sampling temperature of a completion, 0 to 2. 0 is greedy: the same text for the same "
        "code, and the fastest.",
    )
    prewarm = Bool(
        False,
        config=True,
        help="Load the model when a notebook is opened instead of at the first completion. Memory is used "
        "earlier.",
    )
    suggestion_counts = Bool(
        True,
        config=True,
        help="Count shown, accepted, dismissed and kept suggestions on this machine, without their text, and "
        "adapt the threshold of automatic suggestions to them (`jupyter localcoder stats`).",
    )
    rules = Bool(
        True,
        config=True,
        help="Give commands and chats the rules of the project: `AGENTS.md` and `.localcoder/rules/*.md` in "
        "the folder of the notebook and the folders above it, within the folder that Jupyter serves.",
    )
    history = Bool(
        True,
        config=True,
        help="Save the answers of commands, chats and queued prompts in the history, on this machine.",
    )
    titles = Bool(
        True,
        config=True,
        help="Generate short titles for the answers in the history when the model is idle.",
    )
    title_provider = Unicode(
        EMBEDDED,
        config=True,
        help="Id of the provider that generates titles. A provider other than `embedded` receives the first "
        "500 characters of each question and its answer, and may charge for them.",
    )
    title_model = Unicode(
        "",
        config=True,
        help="Id of the model that generates titles. Empty uses the loaded model, or the model of the "
        "provider. No model is loaded only for titles.",
    )
    title_timeout_seconds = Float(
        60.0,
        config=True,
        help="Time limit for generating a title in seconds, 10 to 120, not counting the time in the queue.",
    )
    settings_dir = Unicode(
        config=True,
        help="Folder of `settings.json`, which stores settings changed at run time. Default: `localcoder` in "
        "Jupyter's data folder.",
    )

    def __init__(
        self,
        *,
        command_line: Config | None = None,
        environment: Mapping[str, str] | None = None,
        earlier: Earlier | None = None,
        **kwargs: Any,
    ) -> None:
        self.environment = dict(os.environ if environment is None else environment)
        self._said: dict[str, str] = {}
        self._told: list[str] = []
        self._json: JsonFile | None = None
        self._earlier = earlier
        self._usual_dir = str(Path(jupyter_data_dir()) / "localcoder")
        self._seen: tuple[dict[str, Any], SettingsView] | None = None
        self._last_sound: dict[str, Any] = {}
        self._read: tuple[Path, FileMark, dict[str, Any]] | None = None
        self._latest: Latest[dict[str, Any]] = Latest(self._stored_values, {})
        super().__init__(**kwargs)
        self.observe(self._forget)
        self._command_line = dict((command_line or Config()).get(type(self).__name__, {}))
        self._check_config()

    @validate("settings_dir")
    def _settings_dir_is_absolute(self, proposal: Any) -> str:
        value = str(Path(proposal["value"]).expanduser())
        if not Path(value).is_absolute():
            raise TraitError("settings_dir must be an absolute path")
        return value

    @property
    def path(self) -> Path:
        """Path of the file that keeps what was changed at run time."""
        return Path(self.settings_dir or self._usual_dir) / "settings.json"

    def view(self) -> SettingsView:
        """Return the settings in force, and the layer that decided each.

        They are looked at several times for each request. In an event loop no disk is touched: what another
        process has changed is in force after `refresh`.

        Raises
        ------
        ValidationError
            The environment says what cannot be.
        """
        return self._in_force(self._latest.get())

    async def refresh(self) -> None:
        """Let what another process has changed be in force, if the disk answers in time."""
        await self._latest.refresh()

    def _in_force(self, kept: dict[str, Any]) -> SettingsView:
        seen = self._seen
        if seen is not None and seen[0] is kept:
            return seen[1]
        values: dict[str, Any] = {}
        sources: dict[str, Layer] = {}
        for layer, layer_values in self._layers(kept):
            for name, value in layer_values.items():
                values[name] = value
                sources[name] = layer
        view = SettingsView(settings=codec.decode(Settings, values), sources=sources, path=str(self.path))
        if seen is not None and seen[1] == view:
            view = seen[1]  # What was worked out of the same settings still holds.
        self._seen = (kept, view)
        return view

    @property
    def current(self) -> Settings:
        """The settings in force."""
        return self.view().settings

    def update(self, request: SettingsUpdateRequest) -> SettingsView:
        """Keep what the request changes; ``None`` gives a setting back to the layers below.

        Raises
        ------
        FileWriteError, DiskFull
            The file cannot be written; nothing is changed.
        """
        with self._changing() as kept:
            for name in _NAMES:
                value = getattr(request, name)
                if value is msgspec.UNSET:
                    continue
                if value is None:
                    kept.pop(name, None)
                else:
                    kept[name] = value
        return self._in_force(self._latest.read())

    def forget_provider(self, id_: str) -> set[str]:
        """Let the embedded provider complete, and make titles, where what is kept, or configured, names this.

        Answers the names of the settings that did. What the environment or the command line says stays in
        force.

        Raises
        ------
        FileWriteError, DiskFull
            The file cannot be written; nothing is changed.
        """
        configured = self._from_config()
        named: set[str] = set()
        with self._changing() as kept:
            for name, of_provider in _OF_PROVIDERS.items():
                below = configured.get(name)
                if kept.get(name, below) != id_:
                    continue
                named.add(name)
                for setting in (name, *of_provider):
                    kept.pop(setting, None)
                    if setting in configured:
                        kept[setting] = self.traits()[setting].default()
        self._latest.read()
        return named

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The settings in the file, to be changed: those that this version does not know among them."""
        earlier = self._earlier
        with self._file().change() as document:
            kept = document.setdefault(_SETTINGS, {})
            if earlier is not None:
                for name, value in earlier.read().items():
                    kept.setdefault(name, value)
            yield kept
        if earlier is not None:
            earlier.remove()

    # The layers

    def _layers(self, kept: dict[str, Any]) -> list[tuple[Layer, dict[str, Any]]]:
        return [
            ("default", {name: self.traits()[name].default() for name in _NAMES}),
            ("config", self._from_config()),
            ("settings", kept),
            ("environment", self._from_environment()),
            ("command-line", {n: getattr(self, n) for n in _NAMES if n in self._command_line}),
        ]

    def _from_config(self) -> dict[str, Any]:
        """What the configuration sets, on the command line or in a file."""
        configured = self.config.get(type(self).__name__, {})
        return {name: getattr(self, name) for name in _NAMES if name in configured}

    def _from_environment(self) -> dict[str, Any]:
        found = {
            name: self.environment[ENVIRONMENT_PREFIX + name.upper()]
            for name in _NAMES
            if ENVIRONMENT_PREFIX + name.upper() in self.environment
        }
        try:
            return _values_of(codec.decode(SettingsUpdateRequest, found, from_text=True))
        except ValidationError as error:
            name = str(error.details.get("field", "")).upper()
            variable = ENVIRONMENT_PREFIX + name
            raise ValidationError(
                f"The environment variable {variable} is not valid. {error.message}", field=variable
            ) from None

    def _check_config(self) -> None:
        """Say at once, and in the words of the contract, when a configured value is out of range."""
        codec.decode(SettingsUpdateRequest, {n: getattr(self, n) for n in _NAMES})

    # The file

    def _mark(self) -> FileMark:
        return mark_of(self.path)

    def _forget(self, _change: object) -> None:
        """A configured value has changed: it may be the folder of the file."""
        self._seen = None

    def _file(self) -> JsonFile:
        """The file of the folder in force: a trait may change it."""
        if self._json is None or self._json.path != self.path:
            self._json = JsonFile(
                self.path,
                what="The settings",
                place="`LocalCoderSettings.settings_dir`",
                check=_check_document,
                salvage=self._salvage,
                report=self._report,
            )
        return self._json

    def _report(self, sentence: str) -> None:
        self.log.warning(sentence)
        self._told.append(sentence)

    def reported(self) -> list[str]:
        """What is wrong with the file, or was set aside, in sentences that were not taken before."""
        told, self._told = self._told, []
        return told

    def _stored_values(self) -> dict[str, Any]:
        """What the file keeps; the same object until it changes."""
        path, mark = self.path, self._mark()
        if self._read is not None and self._read[:2] == (path, mark):
            return self._read[2]
        kept = self._understood()
        self._read = (path, mark, kept) if _is_settled(mark) else None
        return kept

    def _understood(self) -> dict[str, Any]:
        """What the file keeps, as far as this version understands it."""
        earlier = self._valid(self._earlier.read()) if self._earlier is not None else {}
        return {**earlier, **self._understood_file()}

    def _understood_file(self) -> dict[str, Any]:
        found = self._file().read()
        if found.kind == "closed":
            return self._last_sound
        if found.kind == "damaged":
            return self._valid(found.document.get(_SETTINGS, {}))
        if found.kind == "newer":
            # Only what keeps connections closed is believed of a form that is not known.
            newer = found.newer.get(_SETTINGS)
            return {_AIR_GAP: True} if isinstance(newer, dict) and newer.get(_AIR_GAP) is True else {}
        self._last_sound = self._valid(found.document.get(_SETTINGS, {}))
        return self._last_sound

    def _salvage(self, raw: bytes) -> Document:
        """Of a file that is damaged, maybe half written by an editor: that connections stay closed."""
        is_closed = self._last_sound.get(_AIR_GAP) or _CLOSED.search(raw)
        return {_SETTINGS: {_AIR_GAP: True}} if is_closed else {}

    def _valid(self, kept: dict[str, Any]) -> dict[str, Any]:
        """The values that are settings of this version. One that is not in range takes no other with it."""
        values: dict[str, Any] = {}
        for name, value in kept.items():
            if name not in _NAMES:
                continue
            try:
                values |= _values_of(codec.decode(SettingsUpdateRequest, {name: value}))
            except ValidationError as error:
                self._say_once(name, f"{self.path} sets `{name}` to an invalid value. {error.message}")
        return values

    def _say_once(self, name: str, sentence: str) -> None:
        """Log a warning; the settings are looked at with each request."""
        if self._said.get(name) != sentence:
            self._said[name] = sentence
            self.log.warning(sentence)


def _is_settled(mark: FileMark) -> bool:
    """Whether the next change will have another mark: file systems tick some hundred times a second."""
    return not isinstance(mark, tuple) or abs(time.time_ns() - mark[0]) > _TICK_NS


def _check_document(document: Document) -> None:
    msgspec.convert(document.get(_SETTINGS, {}), dict[str, Any])


def _values_of(request: SettingsUpdateRequest) -> dict[str, Any]:
    """Return the fields that a request sets to something."""
    values = {name: getattr(request, name) for name in _NAMES}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET and value is not None}


_NAMES = SettingsUpdateRequest.__struct_fields__
