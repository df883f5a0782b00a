"""Doctor: the interpreter, the machine, and the packages that must be there."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.utils import canonicalize_name

from ..._version import __version__
from .finding import Finding, note, ok, problem
from .requirements import argument_of, extra_of, supported

OLDEST_PYTHON = (3, 10)
PACKAGES = ("jupyter_server", "jupyterlab", "ipykernel", "ipython", "llama-cpp-python", "ipywidgets")


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
    shown = {canonicalize_name(name) for name in PACKAGES}
    others = (_package(name) for name in supported() if name not in shown)
    yield from (finding for finding in others if finding.verdict == "problem")


def _package(name: str) -> Finding:
    install = f"Install it: `pip install {argument_of(name)}`."
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if (extra := extra_of(name)) is not None:
            command = f"`pip install 'jupyter_localcoder[{extra}]'`"
            return note("Package", f"{name} is not installed (optional)", f"To install it: {command}.")
        return problem("Package", f"{name} is not installed", install)
    requirement = supported().get(canonicalize_name(name))
    if requirement is not None and not requirement.specifier.contains(version, prereleases=True):
        return problem("Package", f"{name} {version}; supported: {requirement.specifier}", install)
    return ok("Package", f"{name} {version}")
