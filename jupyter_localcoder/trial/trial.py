"""Try code in a copy: the old and the new version of a cell, or one version. On the side of the kernel.

Nothing is run in the kernel, and nothing that the copy makes is read in it but text.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..context.target import take_apart
from ..machine.free_memory import available
from .inputs import chosen, loop_names, names_read, write_inputs
from .process import Ended, NoNamespaces, new_folder, remove, run_process
from .report import Comparison, Job, RunReport, TrialLimits, Wall
from .verdict import Verdict, cannot_check, of_one, of_two

_LEAST_MEMORY_BYTES = 200_000_000
_PREFIX = "localcoder-trial-"
_ABANDONED_SECONDS = 86_400
"""A folder of that age was left by a kernel that was killed."""


@dataclass(frozen=True)
class Notebook:
    """What a copy is made of. It is only read."""

    namespace: Mapping[str, Any]
    python: Callable[[str], str]
    """Turns a cell with magics into Python."""
    folder: Path | None = None
    """Files to which relative paths lead; they can be read."""

    @classmethod
    def of(cls, shell: Any) -> Notebook:
        """The notebook of an IPython shell, in its current folder."""
        try:
            folder = Path.cwd()
        except OSError:  # it was deleted
            return cls(shell.user_ns, shell.transform_cell)
        return cls(shell.user_ns, shell.transform_cell, folder)


def compare(
    old: str,
    new: str,
    notebook: Notebook,
    *,
    limits: TrialLimits | None = None,
    wall: Wall = "namespace",
    stopped: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Run two versions of a cell, each in a fresh process, and compare what they do.

    Parameters
    ----------
    limits
        Default: those of `TrialLimits`, and no more than half of the free memory.
    wall
        The strongest isolation to use; `namespace` falls back to `guard`.
    stopped
        Asked again and again; once it is true, the trial ends with `KeyboardInterrupt`.

    Raises
    ------
    KeyboardInterrupt
        All processes are ended, and the folder is deleted.
    """
    if reason := _untriable(old) or _untriable(new):
        return cannot_check(reason)
    with _Copy(notebook, limits, wall, stopped) as copy:
        copy.read(old, new)
        before = copy.run("old", old)
        after = copy.run("new", new)
        comparison = None
        if before.ok and after.ok:
            comparison = copy.compare("old", "new")
            if comparison is not None and comparison.differences and copy.run("again", old).ok:
                # What differs between two runs of the same code says nothing about the new one.
                comparison = copy.compare("old", "new", "again") or comparison
        return of_two(
            before,
            after,
            comparison,
            limits=copy.limits,
            left_out=copy.left_out,
            wall=copy.wall,
            helpers=loop_names(old, notebook.python),
        )


def attempt(
    code: str,
    notebook: Notebook,
    *,
    limits: TrialLimits | None = None,
    wall: Wall = "namespace",
    stopped: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Run one version of a cell in a fresh process; parameters and errors as of `compare`."""
    if reason := _untriable(code):
        return cannot_check(reason)
    with _Copy(notebook, limits, wall, stopped) as copy:
        copy.read(code)
        return of_one(copy.run("new", code), copy.limits, copy.left_out, copy.wall)


class _Copy:
    """The folder of a trial, and the processes in it."""

    def __init__(
        self, notebook: Notebook, limits: TrialLimits | None, wall: Wall, stopped: Callable[[], bool]
    ) -> None:
        self.limits = _own_limits() if limits is None else limits
        self.wall: Wall = wall if sys.platform == "linux" else "guard"
        self.left_out: dict[str, str] = {}
        self._notebook = notebook
        self._stopped = stopped
        self._folder = Path()
        self._watched: tuple[str, ...] = ()

    def __enter__(self) -> _Copy:
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        return self

    def __exit__(self, *_: object) -> None:
        remove(self._folder)

    def read(self, *codes: str) -> None:
        """Copy what code reads."""
        inputs = self._folder / "inputs"
        inputs.mkdir()
        names: set[str] = set().union(*(names_read(code, self._notebook.python) for code in codes))
        wanted = chosen(names, self._notebook.namespace)
        copied, self.left_out = write_inputs(
            inputs, wanted, self._notebook.namespace, self.limits.copied_bytes
        )
        self._watched = tuple(copied)

    def run(self, name: str, code: str) -> RunReport:
        """Run code, and report."""
        job = Job(
            limits=self.limits,
            code=code,
            inputs=str(self._folder / "inputs"),
            watched=self._watched,
            path=_import_path(),
        )
        ended = self._process(name, job, self._notebook.folder)
        if ended.report:
            try:
                return msgspec.json.decode(ended.report, type=RunReport)
            except msgspec.DecodeError:
                ended = Ended(crash="damaged report")
        return RunReport(limit=ended.limit, crash=ended.crash, seconds=ended.seconds)

    def compare(self, *names: str) -> Comparison | None:
        """Compare runs; None if that fails."""
        job = Job(
            limits=self.limits, path=_import_path(), runs=tuple(str(self._folder / name) for name in names)
        )
        ended = self._process(f"compare-{len(names)}", job, None)
        try:
            return msgspec.json.decode(ended.report, type=Comparison)
        except msgspec.DecodeError:
            return None

    def _process(self, name: str, job: Job, beside: Path | None) -> Ended:
        own = new_folder(self._folder, name, beside)
        try:
            return run_process(own, job, self.wall, self._stopped)
        except NoNamespaces:
            self.wall = "guard"
            return run_process(own, job, self.wall, self._stopped)


def _sweep() -> None:
    """Delete what kernels that were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            facts = folder.lstat()
            own = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
            if own and stat.S_ISDIR(facts.st_mode) and time.time() - facts.st_mtime > _ABANDONED_SECONDS:
                remove(folder)


def _untriable(code: str) -> str:
    target = take_apart(code, "python")
    return (
        "" if target.is_python else f"the cell is {target.language}, and only Python can be tried in a copy"
    )


def _import_path() -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in sys.path:
        with contextlib.suppress(OSError):  # it is the current folder, which was deleted
            found[os.path.abspath(one)] = None  # noqa: PTH100
    return tuple(found)


def _own_limits() -> TrialLimits:
    limits = TrialLimits()
    free, total = available()
    if total:
        memory = min(limits.memory_bytes, max(free // 2, _LEAST_MEMORY_BYTES))
        limits = msgspec.structs.replace(limits, memory_bytes=memory)
    return limits
