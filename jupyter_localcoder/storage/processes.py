"""Which process left something behind, and whether it has ended.

A number alone does not say: the system gives it to another process later, and a folder may be shared with
another machine or container, which has numbers of its own. So a birth also says where the number means
something, and when the process began there.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class _Birth(NamedTuple):
    host: str
    boot: str
    """Which start of the machine; empty where the system does not tell."""
    space: str
    """Which of the spaces of process numbers on it: containers have their own."""
    began: str


def birth(pid: int) -> str:
    """What no other process has; empty where there is no such process, or the system does not tell."""
    began = _began(pid)
    return " ".join((*_here(), began)) if began else ""


def has_ended(pid: int, birth_: str) -> bool:
    """Whether a process is there no more, as far as can be seen from here.

    Parameters
    ----------
    birth_
        As `birth` said it when the process was there; otherwise its number has to do.

    """
    now, then = _began(pid), _read(birth_)
    if now is None or then is None:
        return now is None
    host, boot, space = _here()
    if then.host != host:
        return False
    return then.boot != boot or (then.space == space and now not in ("", then.began))


def can_be_seen(birth_: str) -> bool:
    """Whether a process with this birth, if it were there, could be seen from here."""
    then = _read(birth_)
    host, boot, space = _here()
    return then is None or (then.host == host and (then.boot != boot or then.space == space))


def _read(birth_: str) -> _Birth | None:
    parts = birth_.split(" ")
    return _Birth(*parts) if len(parts) == len(_Birth._fields) else None


def _here() -> tuple[str, str, str]:
    host = socket.gethostname().replace(" ", "-")
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return host, boot, Path("/proc/self/ns/pid").readlink().name
    return host, "", ""


def _began(pid: int) -> str | None:
    """When a process began; empty where that cannot be told, None where there is none, or its remains."""
    if pid <= 0:
        return None
    if sys.platform == "linux" and Path("/proc/self/stat").exists():
        # By the system's own count: its clock may be set meanwhile.
        try:
            # The name of the program stands in brackets, and may hold some.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
        except (OSError, IndexError, UnicodeDecodeError):
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return ""
