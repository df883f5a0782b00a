"""Runs notebook tasks in a real kernel, with limits of time and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from jupyter_localcoder.contract.notebook import KernelVariable

from ..simulation.kernel import Kernel

_SECONDS = 20.0
_LIMIT = """\
try:
    import resource as _resource
    _resource.setrlimit(_resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
except ImportError:
    pass
"""


class TaskKernel:
    """A kernel whose names are forgotten before each task; a new one after a cell that does not end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="localcoder-kernel-")
        self._kernel: Kernel | None = None

    def __enter__(self) -> TaskKernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def begin(self, cells: Sequence[str]) -> None:
        """Forget everything, and run the cells of a notebook.

        Raises
        ------
        RuntimeError
            One of them fails, which is a fault of the task.
        """
        if self._kernel is None:
            self._kernel = Kernel(Path(self._folder.name))
            self._kernel.run(_LIMIT)
        self._kernel.run("%reset -f")
        for source in cells:
            if source and (failure := self.error(source)) is not None:
                raise RuntimeError(f"a cell of the task fails: {failure}")

    def error(self, source: str) -> str | None:
        """Run a cell; the error as a person sees it, or None."""
        assert self._kernel is not None
        try:
            return self._kernel.error(source, _SECONDS)
        except TimeoutError:
            self._stop()
            return "TimeoutError: the cell did not end."

    def passes(self, cells: Sequence[str]) -> bool:
        """Whether further cells run to their end."""
        return all(self._kernel is not None and self.error(source) is None for source in cells)

    def variables(self) -> tuple[KernelVariable, ...]:
        """What the page would learn of it."""
        assert self._kernel is not None
        return self._kernel.variables()

    def _stop(self) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            kernel.__exit__(None, None, None)
