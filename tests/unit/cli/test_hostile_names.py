"""Whatever models, files, providers and conversations are called: it neither acts on a terminal nor hides."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.cli.console import Console
from jupyter_localcoder.cli.ports import Ports
from jupyter_localcoder.cli.root import LocalCoderRoot
from jupyter_localcoder.cli.run import run
from jupyter_localcoder.text.plain_text import plain
from tests.unit.cli.conftest import Ran, Stream, _scripted
from tests.unit.cli.helptexts import commands

HOSTILE = (
    "name\x1b]52;c;QQ==\x07\x1b[2J\x1b[31m\x9b8m\x9d0;t\x9c\r\b\x7f\u202e\u2066\u200e\u200f\u200b\u2060\ufeff"
    "\U000e0041\U000e0042\udc80\u2028\x85\nerror: forged\x1b]0;open"
)
FILE = f"{HOSTILE.replace(chr(0xDC80), '')}.py".replace("/", "")
COMMANDS = (
    "setup --yes --accept-license", "models list", "models pull qwen2.5-coder-0.5b --accept-license",
    "models import FILE", "models export qwen2.5-coder-0.5b OUT", "models rm qwen2.5-coder-0.5b --yes",
    "models pin qwen2.5-coder-0.5b", "models unpin qwen2.5-coder-0.5b",
    "models verify", "config show", "config get profile", "config set air_gap true", "config reset air_gap",
    "config path", "status", "load qwen2.5-coder-0.5b", "unload", "providers list",
    "providers add box --type=ollama --url=http://localhost:1", "providers test box",
    "providers activate box", "providers rm box --yes", "providers set-key box", "providers forget-key box",
    "queue add why", "queue show q1", "queue retry q1", "queue list", "queue cancel q1", "queue cancel-all",
    "history list",
    "history search why", "history show last", "history title last a", "history delete last --yes",
    "history export OUT", "history chats", "history chat c1", "titles show", "titles set enabled true",
    "explain FILE", "improve FILE", "fix FILE", "document FILE", "test FILE", "generate why", "ask why",
    "chat why", "complete FILE", "clean FILE", "inspect", "doctor", "stats",
)  # fmt: skip


def visible(text: str) -> str:
    """The text of a terminal, without the colours of the program itself."""
    for code in ("31", "32", "33", "36", "2", "1", "0"):
        text = text.replace(f"\x1b[{code}m", "")
    return text


def hostile(value: Any) -> Any:
    """The same answer of the service, with a hostile name in each text of it that is free."""
    if isinstance(value, msgspec.Struct):
        kinds = {field.name: field.type for field in msgspec.inspect.type_info(type(value)).fields}  # type: ignore[union-attr]
        return msgspec.structs.replace(
            value,
            **{name: _field(name, kinds[name], getattr(value, name)) for name in value.__struct_fields__},
        )
    if isinstance(value, tuple):
        return tuple(hostile(item) if isinstance(item, msgspec.Struct) else item for item in value)
    return value


class HostileClient:
    """A client in whose answers everything that can have a name has a hostile one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        return value + HOSTILE if isinstance(value, str) else value

    def call(self, op: Any, request: Any) -> Any:
        return hostile(self._client.call(op, request))

    def stream(self, op: Any, request: Any) -> Any:
        return HostileStream(self._client.stream(op, request))


class HostileStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> Iterator[Any]:
        return map(hostile, self._stream)

    def __exit__(self, *ended: object) -> None:
        self._stream.close()


class HostileStore:
    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not callable(value):
            return value
        return lambda *given, **options: hostile(value(*given, **options))


def _field(name: str, kind: Any, value: Any) -> Any:
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    if isinstance(value, str) and any(isinstance(each, msgspec.inspect.StrType) for each in kinds):
        return value if name.endswith("_at") or name in ("added", "started", "ended") else value + HOSTILE
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        inner = getattr(kinds[0], "item_type", None)
        return (
            tuple(each + HOSTILE for each in value) if isinstance(inner, msgspec.inspect.StrType) else value
        )
    return hostile(value)


def root() -> LocalCoderRoot:
    console = Console(*(io.StringIO() for _ in range(3)))
    return LocalCoderRoot(console=console, ports=_scripted().ports(_scripted().Script(), []))


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a command where everything has a hostile name."""
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_text("print(1)\n")
    scripted = _scripted()

    def call(command: str, **script: Any) -> Ran:
        argv = [
            FILE if word == "FILE" else f"{HOSTILE[:40]}.zip" if word == "OUT" else word
            for word in command.split()
        ]
        # As errors hold what the person has typed too.
        streams = Stream("key", tty="set-key" not in command), Stream(tty=True), Stream(tty=True)
        console = Console(*streams, json="--json" in argv, environ={"TERM": "xterm"})
        log: list[Any] = []
        real = scripted.ports(scripted.Script(answer=["x = 1 ", HOSTILE, "\n"], **script), log)
        ports = Ports(
            connect=lambda command, local: HostileClient(real.connect(command, local)),  # type: ignore[arg-type,return-value]
            store=lambda command: HostileStore(real.store(command)),  # type: ignore[arg-type,return-value]
        )
        return Ran(run(argv, console=console, ports=ports), streams[1].getvalue(), streams[2].getvalue(), log)

    return call


FULL: dict[str, Any] = {"ready": True, "accepted": True, "loaded": True, "answered": 3, "queued": 3}


def test_each_command_is_tried() -> None:
    every = {name for name, command in commands() if not command.subcommands}
    assert every == {name for name in every if any(tried.startswith(name) for tried in COMMANDS)}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["", " --json"])
def test_no_name_acts_on_the_terminal(told: Callable[..., Ran], command: str, form: str) -> None:
    ran = told(command + form, **FULL)
    for text in (ran.out, ran.err):
        # A bar of progress goes back to the beginning of its line.
        seen = visible(text).replace("\r", "") if "pull" in command else visible(text)
        assert plain(seen) == seen, ascii(text)
    assert ran.out or ran.err
    if command.split()[-1] in ("list", "status", "show", "chats", "inspect", "why"):
        assert "UNKNOWN_ERROR" not in ran.out + ran.err
    if form and ran.out:
        json.loads(ran.out)


CLASSES = sorted(
    {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LocalCoderError)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_error_acts_on_the_terminal_or_forges_another_line(kind: type[errors.LocalCoderError]) -> None:
    for json_ in (False, True):
        streams = Stream(), Stream(tty=True), Stream(tty=True)
        Console(*streams, json=json_).error(
            kind(f"`{HOSTILE}` is gone.", recovery=f"Look at {HOSTILE}", name=HOSTILE)
        )
        text = visible(streams[1].getvalue() + streams[2].getvalue())
        assert plain(text) == text
        assert "is gone." in text, "what the name leaves open swallows the sentence"
        if not json_:
            assert text.count("\n") == 2


def test_no_record_acts_on_the_terminal_or_forges_another(capfd: Any) -> None:
    command = root()
    try:
        raise ValueError(HOSTILE)
    except ValueError as failure:
        command.log.warning("%s is damaged: %s", HOSTILE, HOSTILE, exc_info=failure)
    written = capfd.readouterr().err
    assert "is damaged" in written
    assert "Traceback" in written
    assert plain(written) == written
    assert not any(line.startswith("error: forged") for line in written.splitlines())
