"""Things in the place of a file that are none: they block, never end, or lead nowhere."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

KINDS = ("pipe", "folder", "device", "zeros", "loop", "dangling", "sparse", "socket", "link to a pipe")


def put(kind: str, path: Path) -> None:
    """Put one of `KINDS` there, in place of what is there."""
    if sys.platform == "win32":
        pytest.skip("pipes and devices of Unix")
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/tty")
    elif kind == "zeros":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "dangling":
        path.symlink_to(path.with_name("nowhere"))
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(2**40)
    elif kind == "socket":
        here = Path.cwd()
        os.chdir(path.parent)  # its name may be a hundred characters long
        try:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)
        finally:
            os.chdir(here)
    else:
        os.mkfifo(path.with_name("a pipe"))
        path.symlink_to(path.with_name("a pipe"))
