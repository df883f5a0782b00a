"""Two ways to run a command: over a script in this process, and as the real program in a child."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jupyter_localcoder.cli.console import Console
from jupyter_localcoder.cli.run import run
from tests.support.waiting import PATIENCE_SECONDS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def _scripted() -> ModuleType:
    spec = importlib.util.spec_from_file_location("localcoder_cli_scripted", HERE / "scripted.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Stream(io.StringIO):
    """A standard stream that may pretend to be a terminal."""

    encoding = "utf-8"

    def __init__(self, text: str = "", *, tty: bool = False) -> None:
        super().__init__(text)
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str
    log: list[Any] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def asked(self, operation: str) -> Any:
        """The request of the one call of an operation."""
        (request,) = [entry[1] for entry in self.log if isinstance(entry, tuple) and entry[0] == operation]
        return request


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in folders(tmp_path_factory.mktemp("home")).items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith(("JUPYTER_LOCALCODER_", "LOCALCODER_"))]:
        if name != "LOCALCODER_MODELS_DIR":
            monkeypatch.delenv(name)


def folders(home: Path) -> dict[str, str]:
    """Variables that keep a command within one folder."""
    names = ("CONFIG", "DATA", "RUNTIME")
    return {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "LOCALCODER_MODELS_DIR": str(home / "models"),
        **{f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in names},
        **{f"XDG_{name}_HOME": str(home / "xdg" / name.lower()) for name in ("CONFIG", "DATA", "CACHE")},
        "JUPYTER_NO_CONFIG": "",
    }


@pytest.fixture
def cli() -> Callable[..., Ran]:
    """Run a command over a script, in this process."""
    scripted = _scripted()

    def call(*argv: str, stdin: str = "", tty: bool = False, **script: Any) -> Ran:
        log: list[Any] = []
        streams = Stream(stdin, tty=tty), Stream(tty=tty), Stream(tty=tty)
        console = Console(*streams, json="--json" in argv, environ={"TERM": "xterm"})
        code = run(argv, console=console, ports=scripted.ports(scripted.Script(**script), log))
        return Ran(code, streams[1].getvalue(), streams[2].getvalue(), log)

    return call


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: this one, with the package on the path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **(extra or {})}


def until_hung_up(master: int) -> Iterator[bytes]:
    """What a terminal gets until the last process on it has ended."""
    while select.select([master], [], [], PATIENCE_SECONDS)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux says so
            return
        if not piece:
            return
        yield piece


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Ran]:
    """Run the real program in a child process."""

    def call(*argv: str, stdin: str = "", **environ: str) -> Ran:
        command = [sys.executable, "-m", "jupyter_localcoder.cli", *argv]
        ended = subprocess.run(
            command, input=stdin, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path,
            env=environment(environ), timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    return call


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command line over a script, in a child process."""

    def call(*argv: str, **script: Any) -> subprocess.Popen[str]:
        environ = environment({"SCRIPT": json.dumps(script), "LOG": str(tmp_path / "log")})
        return subprocess.Popen(
            [sys.executable, str(HERE / "scripted.py"), *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", cwd=tmp_path, env=environ,
        )  # fmt: skip

    return call
