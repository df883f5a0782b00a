"""Which interpreter a version's tests run with."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.matrix import candidates, interpreter

HERE = "%d.%d" % sys.version_info[:2]  # noqa: UP031 - as an interpreter says it


def _program(path: Path, said: str, status: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {said}\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_refuses_and_another_version_are_passed_over(tmp_path: Path) -> None:
    _program(tmp_path / "shims" / "python3.98", "pyenv: python3.98: command not found", status=127)
    _program(tmp_path / "bin" / "python3.98", "3.97")
    _program(tmp_path / "versions" / "3.98.9" / "bin" / "python", "3.98")
    newest = _program(tmp_path / "versions" / "3.98.10" / "bin" / "python", "3.98")
    environment = {"PATH": f"{tmp_path}/shims:{tmp_path}/bin", "PYENV_ROOT": str(tmp_path)}
    assert interpreter("3.98", candidates("3.98", environment)) == newest
    assert interpreter("3.99", candidates("3.99", environment)) is None


def test_what_stands_on_the_path_comes_first(tmp_path: Path) -> None:
    link = tmp_path / f"python{HERE}"
    link.symlink_to(sys.executable)
    assert interpreter(HERE, candidates(HERE, {"PATH": str(tmp_path), "HOME": str(tmp_path)})) == link
