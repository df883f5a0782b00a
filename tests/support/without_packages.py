"""An environment of child processes in which some packages cannot be imported, or fail as they are loaded."""

from __future__ import annotations

import os
from pathlib import Path

_HOOK = """
import sys

MISSING = {missing!r}
BROKEN = {broken!r}

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

class Breakage:
    def find_spec(self, name, path=None, target=None):
        # Only what imports it, and not what looks whether it is there.
        if name in BROKEN and "importlib.util" not in sys._getframe(1).f_globals.get("__name__", ""):
            raise OSError(BROKEN[name])

sys.meta_path[:0] = [Refusal(), Breakage()]
"""


def environment_without(folder: Path, *missing: str, broken: dict[str, str] | None = None) -> dict[str, str]:
    """Variables for a child process; those that it starts inherit the hook.

    Parameters
    ----------
    missing
        Top-level modules that are not there.
    broken
        What is raised as an `OSError` by the import of a module that is there.
    """
    hooks = folder / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "sitecustomize.py").write_text(_HOOK.format(missing=missing, broken=broken or {}))
    home = folder / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER_LOCALCODER_")}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(hooks), "COLUMNS": "400"}
