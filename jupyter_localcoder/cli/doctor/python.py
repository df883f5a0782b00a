"""Doctor: the interpreter, the machine, and the packages that must be there."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from ..._version import __version__
from .finding import Finding, ok, problem

OLDEST_PYTHON = (3, 10)
PACKAGES = ("llama-cpp-python", "jupyter_server", "jupyterlab", "ipykernel", "ipywidgets", "ipython")


def findings() -> Iterator[Finding]:
    """Look."""
    python = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        yield ok("Python", python)
    else:
        yield problem("Python", python, "Python 3.10 or newer is needed.")
    yield ok("Platform", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield ok("Version", f"jupyter_localcoder {__version__}")
    yield from (_package(name) for name in PACKAGES)


def _package(name: str) -> Finding:
    try:
        return ok("Package", f"{name} {metadata.version(name)}")
    except metadata.PackageNotFoundError:
        return problem("Package", f"{name} is not installed", f"Install it: `pip install {name}`.")
