"""Check what was built: ``python -m tests.package dist`` after ``python -m build``.

``--install`` also installs the wheel, without extras, in a fresh environment that has no Node, and uses it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from jupyter_localcoder import __version__
from tests.versions import REPOSITORY

_LAB = f"jupyter_localcoder-{__version__}.data/data/share/jupyter/labextensions/jupyter-localcoder/"
_CONFIG = f"jupyter_localcoder-{__version__}.data/data/etc/jupyter/jupyter_server_config.d/"
WHEEL_NEEDS = (
    "jupyter_localcoder/py.typed",
    "jupyter_localcoder/models/catalogue.json",
    "jupyter_localcoder/models/licenses/apache-2.0.txt",
    "jupyter_localcoder/models/licenses/llama3.txt",
    f"jupyter_localcoder-{__version__}.dist-info/licenses/LICENSE",
    f"{_LAB}package.json",
    f"{_LAB}install.json",
    f"{_LAB}static/style.js",
    f"{_LAB}schemas/jupyter-localcoder/plugin.json",
    f"{_CONFIG}jupyter_localcoder.json",
)
SDIST_NEEDS = (
    "pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "labextension/src/index.ts",
    "labextension/package-lock.json", "jupyter_localcoder/labextension/static/style.js",
    "jupyter_localcoder/models/catalogue.json",
)  # fmt: skip
_UNWANTED = re.compile(
    r"(^|/)(node_modules|__pycache__|\.venv[^/]*|\.git|\.mypy_cache|\.pytest_cache)(/|$)|\.py[co]$"
)


def wheel_faults(names: Iterable[str]) -> list[str]:
    """What a wheel lacks, or has and should not have, by the names of its files."""
    names = set(names)
    foreign = sorted(
        name
        for name in names
        if _UNWANTED.search(name)
        or not name.startswith(("jupyter_localcoder/", f"jupyter_localcoder-{__version__}."))
        or name.startswith("jupyter_localcoder/labextension/")
    )
    return [f"missing: {name}" for name in WHEEL_NEEDS if name not in names] + [
        f"unwanted: {name}" for name in foreign
    ]


def sdist_faults(names: Iterable[str]) -> list[str]:
    """The same for an sdist."""
    top = f"jupyter_localcoder-{__version__}/"
    names = set(names)
    return [f"missing: {name}" for name in SDIST_NEEDS if top + name not in names] + [
        f"unwanted: {name}"
        for name in sorted(names)
        if _UNWANTED.search(name) or not name.startswith(top[:-1])
    ]


def main(arguments: Sequence[str]) -> int:
    """Check everything that is in the folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.package")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--install", action="store_true")
    asked = parser.parse_args(arguments)
    (wheel,), (sdist,) = (list(asked.folder.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    with zipfile.ZipFile(wheel) as archive:
        faults = wheel_faults(archive.namelist())
    with tarfile.open(sdist) as archive:
        faults += sdist_faults(archive.getnames())
    for fault in faults:
        print(fault, file=sys.stderr)
    tools = Path(sys.executable).parent
    for command in (
        [tools / "twine", "check", "--strict", wheel, sdist],
        # The extension is data of the wheel, and not a package.
        [tools / "check-wheel-contents", wheel],
        [tools / "validate-pyproject", REPOSITORY / "pyproject.toml"],
    ):
        faults += ["tool"] * (subprocess.run(command, check=False).returncode != 0)
    if asked.install and not faults:
        install(wheel)
    return 1 if faults else 0


def install(wheel: Path) -> None:
    """Install a wheel where there is no Node and no compiler, and use it."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        environment = {**os.environ, "PATH": str(python.parent)}
        subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], env=environment, check=True)
        subprocess.run([python, REPOSITORY / "tests" / "smoke.py"], env=environment, cwd=folder, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
