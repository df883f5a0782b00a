"""The worker has no network: it needs none, and what it reads comes from anybody.

Two walls. A *namespace* of its own, in which there is no network device, where the system lets this user make
one (Linux): it holds for native code too. A *guard* in the interpreter everywhere: Python code that opens a
socket, or asks for an address, gets an error.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

Wall = Literal["namespace", "guard"]

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_REFUSED = ("socket.", "urllib.", "http.client.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.")


def close_network() -> Wall:
    """Take the network away from this process, for good; return the stronger of the walls that stand.

    To be called while the process has one thread.
    """
    wall: Wall = "namespace" if sys.platform == "linux" and _own_namespace() else "guard"
    sys.addaudithook(_refuse)
    return wall


def _refuse(event: str, _arguments: object) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError("The inference worker has no network.")


def _own_namespace() -> bool:
    """Move into a network namespace with nothing in it; False where this user may not."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.unshare(_CLONE_NEWNET) == 0:
            return True
        # Who is not root may do it inside of a user namespace of its own.
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            return False
    except AttributeError:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            Path(f"/proc/self/{name}").write_text(text)
        except OSError:
            break  # Then it is called nobody; what it may read and write stays the same.
    return True
