"""The tests that need no browser, on several versions of Python: ``python -m tests.matrix VERSION...``.

Each version has a virtual environment of its own, ``.venv-VERSION``. llama.cpp is compiled once for all: its
wheel holds no code for a version of Python.

``--constraints FILE``  installs the versions of that file, else the newest that ``pyproject.toml`` allows.
``--wheels FOLDER``     keeps the wheel of llama.cpp there.
``--tests PATH...``     runs these.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.versions import REPOSITORY, requirements

TESTS = ("tests/unit", "tests/engine", "tests/server")
LLAMA = "llama-cpp-python"
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def main(arguments: Sequence[str]) -> int:
    """Run them; a line for each version at the end. Fails where a version fails, or none is found."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("versions", nargs="+")
    parser.add_argument("--constraints", default="")
    parser.add_argument("--wheels", type=Path, default=REPOSITORY / "build" / "wheels")
    parser.add_argument("--tests", nargs="+", default=TESTS)
    asked = parser.parse_args(arguments)
    constraints = ["--constraint", asked.constraints, "--build-constraint", asked.constraints]
    pip = ["-m", "pip", "install", "--quiet", *(constraints if asked.constraints else ["--upgrade"])]
    outcomes: dict[str, str] = {}
    for version in asked.versions:
        found = interpreter(version, candidates(version))
        outcomes[version] = (
            "not found: looked on the PATH and in pyenv" if found is None else "failed to install"
        )
        if found is not None and (python := _installed(version, found, pip, asked.wheels)) is not None:
            print(f"Python {version}: {' '.join(asked.tests)}", flush=True)
            ended = subprocess.run([python, "-m", "pytest", *asked.tests], cwd=REPOSITORY, check=False)
            outcomes[version] = "passed" if ended.returncode == 0 else f"failed ({ended.returncode})"
    for version, outcome in outcomes.items():
        print(f"Python {version}: {outcome}")
    run = [outcome for outcome in outcomes.values() if not outcome.startswith("not found")]
    return 0 if run and all(outcome == "passed" for outcome in run) else 1


def candidates(version: str, environment: dict[str, str] | None = None) -> Iterator[Path]:
    """Where an interpreter may be: on the PATH, and among those of pyenv, the newest first."""
    environment = dict(os.environ) if environment is None else environment
    for folder in environment.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / f"python{version}"
    root = Path(environment.get("PYENV_ROOT", "") or Path(environment.get("HOME", "/nowhere")) / ".pyenv")
    installed = root.glob(f"versions/{version}.*/bin/python")
    yield from sorted(installed, key=lambda path: _numbers(path.parts[-3]), reverse=True)


def interpreter(version: str, places: Iterable[Path]) -> Path | None:
    """The first of these that runs and is of this version.

    A shim of pyenv stands on the PATH for each version that is installed, and refuses those not chosen.
    """
    for place in places:
        if place.is_file():
            said = subprocess.run([place, "-c", _VERSION], capture_output=True, text=True, check=False)
            if said.returncode == 0 and said.stdout.strip() == version:
                return place
    return None


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _installed(version: str, interpreter: Path, pip: Sequence[str], wheels: Path) -> Path | None:
    """The Python of the version's environment, with what the tests need; None where that failed."""
    folder = REPOSITORY / f".venv-{version}"
    python = folder / "bin" / "python"
    if not python.is_file():
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
    # The page's code is built in the main environment, and is the same for all.
    environment = {**os.environ, "SKIP_JUPYTER_BUILDER": "1"}
    steps = [
        [python, "-m", "pip", "install", "--quiet", "--upgrade", "pip"],
        *([] if list(wheels.glob("llama_cpp_python-*.whl")) else [_compile(python, pip, wheels)]),
        [python, *pip, "--find-links", wheels, "--editable", ".[test]"],
    ]
    for step in steps:
        if subprocess.run(step, cwd=REPOSITORY, env=environment, check=False).returncode != 0:
            return None
    return python


def _compile(python: Path, pip: Sequence[str], wheels: Path) -> list[str | Path]:
    """Compile llama.cpp for this machine, in the version that is to be installed."""
    declared = (
        one for one in requirements(REPOSITORY / "pyproject.toml") if one.name == LLAMA and not one.extras
    )
    options = [option for option in pip[3:] if option != "--upgrade"]
    return [python, "-m", "pip", "wheel", *options, "--no-deps", "--wheel-dir", wheels, str(next(declared))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
