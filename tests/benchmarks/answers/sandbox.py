"""Runs code that a model wrote: in a child process, in an empty folder, with limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SECONDS = 4
_MEMORY_BYTES = 2 * 2**30
_ERROR_CHARS = 1500
_LIMITED = """\
import runpy, sys
try:
    import resource
except ImportError:
    pass  # Windows: only the time is limited, by the parent
else:
    resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
    resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**24, 2**24))
sys.argv = sys.argv[1:]
sys.path.insert(0, "")
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True) if sys.argv[0] == "pytest" else \
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    passed: bool
    error: str = ""
    """The end of what it wrote to its standard error and output."""


def run(program: str, *, pytest: bool = False, seconds: int = SECONDS) -> Outcome:
    """Run a program, or the tests that are in it.

    Parameters
    ----------
    pytest
        Whether it is a file of tests; it passes if there are some and all of them do.
    """
    with tempfile.TemporaryDirectory(prefix="localcoder-answer-") as folder:
        name = "test_cell.py" if pytest else "cell.py"
        Path(folder, name).write_text(program, encoding="utf-8")
        limited = _LIMITED.format(seconds=seconds, memory=_MEMORY_BYTES)
        options = ["pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir", folder, name]
        arguments = options if pytest else [name]
        try:
            done = subprocess.run(
                [sys.executable, "-B", "-c", limited, *arguments],
                cwd=folder,
                env={**_environment(), "HOME": folder},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds * 2,
            )
        except subprocess.TimeoutExpired:
            return Outcome(False, "TimeoutError: the code did not end.")
    text = (done.stdout if pytest else done.stderr).strip()
    return Outcome(done.returncode == 0, text[-_ERROR_CHARS:])


def _environment() -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if key in os.environ}
    # Many threads reserve much memory each.
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
