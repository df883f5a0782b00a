"""The inputs of a cell: which names it reads, and their values in files. On the side of the kernel.

Values are pickled by one pickler, so that two names of one object stay two names of one object; the functions
of the notebook keep its namespace as theirs. A value that cannot be copied is left out, with the reason.
"""

from __future__ import annotations

import ast
import io
import pickle
import re
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import cloudpickle

from ..text.units import size

MAX_COPYING_SECONDS = 20.0
_PICKLES, _BUFFERS = "pickles", "buffers"
_WORD = re.compile(r"[^\W\d]\w*")
_OF_IPYTHON = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open", "display"})


class InputTooLarge(Exception):
    """More is to be copied than is allowed."""


class InputTooSlow(Exception):
    """Copying takes too long."""


def names_read(code: str, python: Callable[[str], str]) -> set[str]:
    """Names that a cell may read.

    Parameters
    ----------
    code
        The cell; it may contain magics.
    python
        Turns a cell into Python, as IPython does.
    """
    try:
        tree = ast.parse(textwrap.dedent(python(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(_WORD.findall(code))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == "get_ipython()"
        ):
            # A line of a magic, of which IPython makes a call with a string.
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            names.update(word for text in texts for word in _WORD.findall(str(text)))
    return names


def loop_names(code: str, python: Callable[[str], str]) -> frozenset[str]:
    """Names that a cell binds only as the variable of a loop: they are no result."""
    try:
        tree = ast.parse(textwrap.dedent(python(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    looped = {
        node.id
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For | ast.AsyncFor)
        for node in ast.walk(loop.target)
        if isinstance(node, ast.Name)
    }
    bound = [
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return frozenset(
        name
        for name in looped
        if bound.count(name)
        == sum(
            isinstance(node, ast.Name) and node.id == name
            for loop in ast.walk(tree)
            if isinstance(loop, ast.For | ast.AsyncFor)
            for node in ast.walk(loop.target)
        )
    )


def chosen(names: Iterable[str], namespace: Mapping[str, Any]) -> list[str]:
    """The names that the namespace has, without those of IPython itself."""
    return sorted(
        name for name in names if name in namespace and name not in _OF_IPYTHON and not name.startswith("__")
    )


def write_inputs(
    folder: Path, names: Iterable[str], namespace: Mapping[str, Any], most_bytes: int
) -> tuple[list[str], dict[str, str]]:
    """Write values into a folder; nothing of the namespace is changed.

    Returns
    -------
    copied, left_out
        The names that were copied, and those that were not, with the reason as a phrase.
    """
    deadline = time.monotonic() + MAX_COPYING_SECONDS
    left = list(names)
    left_out: dict[str, str] = {}
    while True:
        failed = _write(folder, left, namespace, most_bytes, deadline)
        if failed is None:
            return left, left_out
        name, reason = failed
        left_out[name] = reason
        # What the failed value had in common with others is not in the file: begin again without it.
        left.remove(name)


def read_inputs(folder: Path, into: dict[str, Any]) -> None:
    """Read what `write_inputs` has written. To be called in the copy only: it runs code."""
    with (folder / _PICKLES).open("rb") as pickles, (folder / _BUFFERS).open("rb") as buffers:
        unpickler = pickle.Unpickler(pickles, buffers=_stored(buffers))  # noqa: S301
        while True:
            try:
                name, value = unpickler.load()
            except EOFError:
                return
            into[name] = value


def user_namespace() -> dict[str, Any]:
    """The namespace of the notebook, in the process that reads the inputs."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    namespace: dict[str, Any] = shell.user_ns
    return namespace


class _Namespace(dict[str, Any]):
    """Stands for the namespace of the notebook in a pickle."""


class _Bounded(io.RawIOBase):
    """A file that takes a limited number of bytes."""

    def __init__(self, file: io.BufferedIOBase, most_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._left = most_bytes

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        self._left -= count
        if self._left < 0:
            raise InputTooLarge
        self._file.write(data)
        return count


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(
        self, file: Any, namespace: Mapping[str, Any], deadline: float, on_buffer: Callable[[Any], Any]
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=on_buffer)
        self._deadline = deadline
        # cloudpickle gives the functions of a notebook a namespace that is not the cell's: a function would
        # not see what the cell assigns.
        self.globals_ref[id(namespace)] = _Namespace({"": None})

    def reducer_override(self, obj: Any) -> Any:
        if time.monotonic() > self._deadline:
            raise InputTooSlow
        if type(obj) is _Namespace:
            return user_namespace, ()
        return super().reducer_override(obj)


def _write(
    folder: Path, names: list[str], namespace: Mapping[str, Any], most_bytes: int, deadline: float
) -> tuple[str, str] | None:
    """Write all values; the first name that cannot be copied, and why."""
    with (folder / _PICKLES).open("wb") as pickles, (folder / _BUFFERS).open("wb") as buffers:
        bounded = _Bounded(pickles, most_bytes)
        stored = [0]

        def store(buffer: pickle.PickleBuffer) -> bool:
            with buffer.raw() as raw:
                stored[0] += raw.nbytes
                if stored[0] > most_bytes:
                    raise InputTooLarge
                buffers.write(raw.nbytes.to_bytes(8, "little") + bytes([raw.readonly]))
                buffers.write(raw)
            return False

        pickler = _Pickler(bounded, namespace, deadline, store)
        for name in names:
            value = namespace[name]
            try:
                pickler.dump((name, value))
            except InputTooLarge:
                return name, f"is too large to copy (the limit is {size(most_bytes)})"
            except InputTooSlow:
                return name, "takes too long to copy"
            except Exception:
                return name, f"({type(value).__name__}) cannot be copied"
    return None


def _stored(file: Any) -> Iterable[Any]:
    while head := file.read(9):
        count = int.from_bytes(head[:8], "little")
        data: bytes | bytearray = file.read(count) if head[8] else bytearray(count)
        if isinstance(data, bytearray):
            file.readinto(data)
        yield data
