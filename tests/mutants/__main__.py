"""The command line: ``python -m tests.mutants [ROOM …] [--write]``; without a room, all of them.

Everything happens in copies of the working tree, one for each processor. A process that has loaded what the
tests need, but nothing of the product and no test, is forked for each change.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from . import document
from .changes import Change, changes
from .rooms import ROOMS, Room

REPOSITORY = Path(__file__).parents[2]
ACCEPTED = Path(__file__).with_name("accepted.txt")
LEAST_SHARE = 0.9
_OURS = ("tests", "jupyter_localcoder")
_TIMES_LONGER = 10
"""Tests that take so many times as long as they do without a change hang."""
_LEAST_SECONDS = 60.0


class Result(NamedTuple):
    """What became of the changes of a room."""

    room: str
    changes: int
    caught: int
    accepted: int
    survivors: list[str]
    stale: list[str]
    """Accepted changes that there are not, or that a test notices."""

    @property
    def share(self) -> float:
        """Of the changes that are not accepted."""
        return self.caught / max(1, self.changes - self.accepted)


class Copy:
    """A copy of the working tree, in which one change at a time is tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
        for name in names.split("\0"):
            if name and (REPOSITORY / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / name, folder / name)
        self.pid = 0
        self.began = 0.0
        self.module = ""
        self.change: Change | None = None

    def begin(self, tests: Sequence[str], module: str = "", change: Change | None = None) -> None:
        """Run the tests in a process of their own, with this change of this module."""
        self.module, self.change = module, change
        if change is not None:
            self._file.write_text(change.source)
        sys.stdout.flush()
        self.began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_run(self.folder, tests))

    def end(self, limit: float) -> int | None:
        """The status of the process: 0 where all tests have passed; None while it runs."""
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if not ended and time.monotonic() - self.began > limit:
            status = 1
        elif not ended:
            return None
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)  # And what its tests have left behind.
        if not ended:
            os.waitpid(self.pid, 0)
        if self.change is not None:
            shutil.copyfile(REPOSITORY / self._name, self._file)
        self.pid = 0
        return status

    @property
    def _name(self) -> str:
        return f"jupyter_localcoder/{self.module}"

    @property
    def _file(self) -> Path:
        return self.folder / self._name


class _Quick:
    """Examples of Hypothesis are the same each time, and none is looked for that is smaller."""

    def pytest_collection(self) -> None:
        import hypothesis

        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "mutants", hypothesis.settings(), phases=phases, database=None, derandomize=True
        )
        hypothesis.settings.load_profile("mutants")


def _run(folder: Path, tests: Sequence[str]) -> int:
    """Run tests in this process, which is a fork."""
    os.setsid()
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log = os.open("pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True
    sys.path[:] = [str(folder), *(p for p in sys.path if p not in ("", str(REPOSITORY)))]
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    importlib.invalidate_caches()
    try:
        import pytest

        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins=[_Quick()]))
    except BaseException:
        return 1
    finally:
        with contextlib.suppress(Exception):
            (folder / "modules.txt").write_text("\n".join(sys.modules))
            sys.stdout.flush()


def _measure(copy: Copy, tests: Sequence[str]) -> float:
    """Seconds that the tests take without a change; loads what they need, for all later runs."""
    for _ in range(2):
        copy.begin(tests)
        while (status := copy.end(600.0)) is None:
            time.sleep(0.05)
        if status:
            raise SystemExit(
                f"Without any change the tests fail:\n{(copy.folder / 'pytest.log').read_text()}"
            )
        seconds = time.monotonic() - copy.began
        for name in (copy.folder / "modules.txt").read_text().split("\n"):
            if name.partition(".")[0] not in (*_OURS, "__main__", "conftest"):
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
    gc.freeze()
    return seconds


def measure(name: str, room: Room, copies: Sequence[Copy], accepted: dict[str, str]) -> Result:
    """Try all changes of a room."""
    limit = max(_LEAST_SECONDS, _TIMES_LONGER * _measure(copies[0], room.tests))
    todo = [
        (module, change)
        for module in room.modules
        for change in changes((REPOSITORY / "jupyter_localcoder" / module).read_text())
    ]
    names = [f"{module}: {change.name}" for module, change in todo]
    total, passed, began = len(todo), [], time.monotonic()
    todo.reverse()
    while todo or any(copy.pid for copy in copies):
        for copy in copies:
            if copy.pid and copy.end(limit) == 0 and copy.change is not None:
                passed.append(f"{copy.module}: {copy.change.name}")
                print(f"  {copy.module}:{copy.change.line}: {copy.change.name}", flush=True)
            if not copy.pid and todo:
                copy.begin(room.tests, *todo.pop())
        time.sleep(0.01)
    own = [key for key in accepted if key.partition(":")[0] in room.modules]
    kept = [key for key in passed if key in accepted]
    result = Result(
        room=name,
        changes=total,
        caught=total - len(passed),
        accepted=len(kept),
        survivors=[key for key in names if key in passed and key not in accepted],
        stale=[key for key in own if key not in kept],
    )
    seconds = time.monotonic() - began
    print(
        f"{name}: {result.changes} changes, {result.caught} caught, {result.accepted} accepted, "
        f"{result.share:.0%}, {seconds:.0f} s",
        flush=True,
    )
    return result


def read_accepted(text: str) -> dict[str, str]:
    """Changes that change nothing real, each with its reason, which stands in the line before."""
    found: dict[str, str] = {}
    reason = ""
    for line in text.splitlines():
        if line.startswith("# "):
            reason = line.removeprefix("# ")
        elif line:
            found[line] = reason
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The status is 1 where a room catches less than `LEAST_SHARE`, or an accepted change is stale."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)} (default: all)")
    parser.add_argument("--write", action="store_true", help="write the shares into docs/reliability.md")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    if unknown := set(asked.rooms) - set(ROOMS):
        parser.error(f"there is no room {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    accepted = read_accepted(ACCEPTED.read_text())
    failed = False
    with tempfile.TemporaryDirectory(prefix="localcoder-mutants-") as folder:
        copies = [Copy(Path(folder).resolve() / str(number)) for number in range(asked.processes)]
        for name in asked.rooms or ROOMS:
            result = measure(name, ROOMS[name], copies, accepted)
            for key in result.stale:
                print(f"  accepted, but there is none, or a test notices it: {key}")
            failed = failed or result.share < LEAST_SHARE or bool(result.stale)
            if asked.write:
                document.write(name, result.changes, result.caught, result.accepted, result.share)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
