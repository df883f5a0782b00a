"""Linux namespaces: a process can leave the network, the mounts and the processes of the system behind.

A user who is not root makes them inside of a user namespace, where the system permits that: some containers
and hardened systems do not.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

MOUNTS = 0x00020000
IPC = 0x08000000
USER = 0x10000000
PROCESSES = 0x20000000
NETWORK = 0x40000000
"""Values of `clone(2)`."""


def leave(flags: int) -> bool:
    """Move this process into new namespaces; False where the system does not permit it.

    To be called while the process has one thread. After `PROCESSES`, the next child is the first process of
    the new namespace.

    Parameters
    ----------
    flags
        The namespaces, joined by ``|``. With `USER`, the process keeps its user and group ids.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
            return False
    except (AttributeError, OSError):
        return False
    if flags & USER:
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
