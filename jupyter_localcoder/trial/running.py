"""Run a cell as IPython does, and note what it did. Inside of a copy."""

from __future__ import annotations

import ast
import contextlib
import dis
import errno
import gc
import io
import os
import random
import re
import sys
import time
import traceback
import types
from pathlib import Path
from typing import Any

import cloudpickle
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from . import isolation
from .inputs import read_inputs
from .report import RESULT, CopiedValue, Failure, Job, LimitKind, RunReport

MAX_TRACEBACK_CHARS = 6_000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PACKAGE = str(Path(__file__).parent)
_CELL = re.compile(r"ipython-input|<ipython|ipykernel_")


class BoundedText(io.StringIO):
    """Keeps the beginning of what is written."""

    def __init__(self, most_chars: int) -> None:
        super().__init__()
        self._left = most_chars

    def write(self, text: str) -> int:
        """Keep what still fits."""
        if self._left > 0:
            super().write(text[: self._left])
            self._left -= len(text)
        return len(text)


def run(job: Job, own: Path, guard: isolation.AuditHook) -> RunReport:
    """Run the code of a job; values go into a file, for the process that compares them."""
    shown: list[str] = []
    shell = _shell(own, shown)
    namespace: dict[str, Any] = shell.user_ns
    read_inputs(Path(job.inputs), namespace)
    before = {name: id(value) for name, value in namespace.items()}
    _import_first(job.code, shell)
    _seed()
    isolation.limit_resources(job.limits)
    text = BoundedText(job.limits.output_chars)
    (own / "started").touch()
    memory, process = _Memory(), os.getpid()
    start = time.perf_counter()
    error: BaseException | None = None
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
            result = shell.run_cell(job.code, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        value = result.result
    except BaseException as raised:
        error, value = raised, None
    if os.getpid() != process:
        os._exit(0)  # a process that the code has forked: the report is not its business
    seconds = time.perf_counter() - start
    peak = memory.growth()
    gc.collect()  # what a failed allocation has left is needed for the report
    refusals = guard.refusals_of(error)
    names = [
        name
        for name, one in namespace.items()
        if not name.startswith("_")
        and name not in _HIDDEN
        and (name in job.watched or id(one) != before.get(name))
    ]
    values = {name: namespace[name] for name in names}
    if value is not None:
        values[RESULT] = value
    return RunReport(
        failure=_failure(error) if error is not None else None,
        limit=_limit(error),
        seconds=seconds,
        peak_bytes=peak,
        output=_ADDRESS.sub("", text.getvalue()).replace("\r\n", "\n"),
        displays=tuple(shown),
        values=_save(values, own, job.limits.copied_bytes) if error is None else (),
        bound=tuple(name for name in names if id(namespace[name]) != before.get(name)),
        refusals=refusals,
    )


_HIDDEN = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})


class _Publisher(DisplayPublisher):
    """Keeps the plain text of what is displayed."""

    shown: list[str]

    def publish(self, data: Any, *arguments: Any, **named: Any) -> None:
        if len(self.shown) < 1_000:
            kinds = "" if set(data) <= {"text/plain"} else ", ".join(sorted(data))
            self.shown.append(_ADDRESS.sub("", f"{kinds}\n{data.get('text/plain', '')}"[:100_000]))


class _Hook(DisplayHook):
    """Shows nothing: the value of the last line is compared as a value."""

    def __call__(self, result: Any = None) -> None:
        if result is not None and self.exec_result and not self.quiet():  # type: ignore[no-untyped-call]
            self.exec_result.result = result


def _shell(own: Path, shown: list[str]) -> Any:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    config.BaseIPythonApplication.auto_create = False
    shell: Any = InteractiveShell.instance(
        config=config, ipython_dir=str(own / "ipython"), display_pub_class=_Publisher, displayhook_class=_Hook
    )
    shell.display_pub.shown = shown
    # An error is reported, and not shown.
    shell.showtraceback = lambda *arguments, **named: None
    shell.showsyntaxerror = lambda *arguments, **named: None
    return shell


def _import_first(code: str, shell: Any) -> None:
    """Import what the code imports: in the kernel it is imported, so its time is not that of the code."""
    try:
        tree = ast.parse(shell.transform_cell(code))
    except (SyntaxError, ValueError):
        return
    for statement in tree.body:
        names = (
            [alias.name for alias in statement.names] if isinstance(statement, ast.Import)
            else [statement.module] if isinstance(statement, ast.ImportFrom) and statement.module else []
        )  # fmt: skip
        for name in names:
            # What fails here, fails in the code.
            with contextlib.suppress(BaseException):
                __import__(name)


def _seed() -> None:
    """Both runs draw the same random numbers, as far as they use the global generators."""
    random.seed(0)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(0)


class _Memory:
    """How much the memory of this process grows; its peak, where the system tells it."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        self._before = self._read("VmRSS") or self._most()

    def growth(self) -> int:
        return max(0, (self._read("VmHWM") or self._most()) - self._before)

    def _read(self, name: str) -> int:
        try:
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) * 1024
        except (OSError, ValueError, IndexError):
            pass
        return 0

    def _most(self) -> int:
        try:
            import resource
        except ImportError:
            return 0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _limit(error: BaseException | None) -> LimitKind | None:
    seen = error
    while seen is not None:
        if isinstance(seen, MemoryError):
            return "memory"
        if isinstance(seen, OSError) and seen.errno in (errno.EFBIG, errno.ENOSPC):
            return "disk"
        if isinstance(seen, OSError) and seen.errno == errno.EMFILE:
            return "files"
        if isinstance(seen, BlockingIOError) and seen.errno == errno.EAGAIN:
            return "processes"
        seen = seen.__cause__ or seen.__context__
    return None


def _failure(error: BaseException) -> Failure:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _CELL.search(frame.filename)]
    line = (frames[-1].lineno or 0) if frames else 0
    if isinstance(error, SyntaxError):
        line = error.lineno or 0
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        message = ""
    described = traceback.TracebackException.from_exception(error)
    _leave_out_own(described)
    text = re.sub(r'File "[^"]*(?:ipython-input|ipykernel_)[^"]*"', "Cell In[1]", "".join(described.format()))
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    return Failure(
        type=_public_name(type(error)),
        message=message[:2_000],
        line=line,
        traceback=text[-MAX_TRACEBACK_CHARS:],
        name=name if isinstance(name, str) else "",
    )


def _public_name(kind: type[BaseException]) -> str:
    """The name that people know: Python 3.13 has `_IncompleteInputError`, a `SyntaxError`."""
    return next(
        one.__name__
        for one in kind.__mro__
        if one.__module__ != "builtins" or not one.__name__.startswith("_")
    )


def _leave_out_own(described: traceback.TracebackException | None) -> None:
    """Take the frames of IPython above the cell, and those of this package, out of a traceback."""
    seen = 0
    while described is not None and seen < 50:
        frames = [frame for frame in described.stack if not frame.filename.startswith(_PACKAGE)]
        first = next((at for at, frame in enumerate(frames) if _CELL.search(frame.filename)), 0)
        described.stack[:] = frames[first:]
        described, seen = described.__cause__ or described.__context__, seen + 1


def _save(values: dict[str, Any], own: Path, most_bytes: int) -> tuple[CopiedValue, ...]:
    """Write each value by itself; functions and classes as what they do."""
    saved: list[CopiedValue] = []
    with (own / "values").open("wb") as file:
        for name, value in values.items():
            kind = type(value).__name__
            if isinstance(value, types.ModuleType):
                continue
            left = most_bytes - file.tell()
            if left > 0 and _too_large(value, left):
                saved.append(CopiedValue(name=name, type=kind, reason="too large"))
                continue
            try:
                data = cloudpickle.dumps(("code", code_of(value)) if _is_code(value) else ("value", value))
            except BaseException:
                saved.append(CopiedValue(name=name, type=kind, reason="cannot be copied"))
                continue
            if len(data) > left:
                saved.append(CopiedValue(name=name, type=kind, reason="too large"))
                continue
            saved.append(CopiedValue(name=name, offset=file.tell(), size=len(data), type=kind))
            file.write(data)
    return tuple(saved)


def _too_large(value: Any, most_bytes: int) -> bool:
    size = getattr(value, "nbytes", 0)
    return isinstance(size, int) and size > most_bytes


def _is_code(value: Any) -> bool:
    return isinstance(value, types.FunctionType) or (
        isinstance(value, type) and value.__module__ == "__main__"
    )


def code_of(value: Any) -> Any:
    """What a function or class does, without documentation and place: equal where it does the same."""
    if isinstance(value, types.FunctionType):
        return (
            "function",
            _instructions(value.__code__),
            repr(value.__defaults__),
            repr(value.__kwdefaults__),
        )
    if isinstance(value, type):
        parts = []
        for name, part in sorted(vars(value).items()):
            inner = getattr(part, "__func__", part)
            if isinstance(inner, types.FunctionType | type):
                parts.append((name, type(part).__name__, code_of(inner)))
            elif name not in _DOCUMENTATION:
                parts.append((name, type(part).__name__, _ADDRESS.sub("", repr(part))))
        return ("class", [base.__qualname__ for base in value.__bases__], parts)
    return ("other", repr(value))


_DOCUMENTATION = frozenset({
    "__doc__", "__dict__", "__weakref__", "__firstlineno__", "__annotations__", "__annotate__",
    "__static_attributes__", "__annotate_func__", "__annotations_cache__",
})  # fmt: skip


def _instructions(code: types.CodeType) -> Any:
    return (
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_flags & ~0x4000000,  # it has a docstring
        code.co_varnames[: code.co_argcount + code.co_kwonlyargcount],
        [
            (
                one.opname,
                _instructions(one.argval) if isinstance(one.argval, types.CodeType) else repr(one.argval),
            )
            for one in dis.get_instructions(code)
        ],
    )
