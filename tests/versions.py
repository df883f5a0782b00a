"""The versions that the tests run with: the first lines of ``make test``.

``python -m tests.versions [CONSTRAINTS]`` prints the programs and the declared packages, and which packages
differ from the constraints file.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.audit.installed import project_table

REPOSITORY = Path(__file__).parents[1]
PROGRAMS = ("node", "npm", "chromium", "google-chrome")
_WIDTH = 80


def main(arguments: list[str]) -> int:
    """Print them."""
    constraints = Path(arguments[0]) if arguments else None
    print(f"Python {platform.python_version()} on {platform.platform()}")
    print(", ".join(filter(None, map(_program, PROGRAMS))))
    installed = {
        name: version
        for requirement in requirements(REPOSITORY / "pyproject.toml")
        if (version := installed_version(name := canonicalize_name(requirement.name)))
    }
    words = [f"{name} {version}".replace(" ", "\N{NO-BREAK SPACE}") for name, version in installed.items()]
    print(textwrap.fill(", ".join(words), _WIDTH).replace("\N{NO-BREAK SPACE}", " "))
    if constraints is None:
        print("These are the newest versions that pyproject.toml allows.")
        return 0
    others = list(differences(constraints))
    print(f"Versions of {constraints.name}" + (", except:" if others else "."))
    print("".join(f"  {other}\n" for other in others), end="", flush=True)
    return 0


def requirements(project: Path) -> list[Requirement]:
    """All requirements of a ``pyproject.toml``, with those of all extras, that hold on this machine."""
    table = project_table(project)
    lines = [
        *table["dependencies"],
        *(line for extra in table["optional-dependencies"].values() for line in extra),
    ]
    return _applying(lines)


def pins(constraints: Path) -> list[Requirement]:
    """The lines of a constraints file that hold on this machine."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    return _applying(line for line in lines if line and not line.startswith("#"))


def _applying(lines: Iterable[str]) -> list[Requirement]:
    parsed = (Requirement(line) for line in lines)
    return [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]


def installed_version(name: str) -> str | None:
    """The version that is installed here."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def differences(constraints: Path) -> Iterable[str]:
    """A line for each installed package that is not as the constraints file says."""
    for pin in pins(constraints):
        version = installed_version(pin.name)
        if version is not None and not pin.specifier.contains(version, prereleases=True):
            yield f"{pin.name} {version} instead of {pin.specifier}"


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        return ""
    ended = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    version = ended.stdout.strip() or "of unknown version"
    return version if version.lower().startswith(name) else f"{name} {version}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
