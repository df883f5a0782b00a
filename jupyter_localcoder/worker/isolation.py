"""The worker has no network: it needs none, and what it reads comes from anybody.

Two walls. A *namespace* of its own, in which there is no network device, where the system lets this user make
one (Linux): it holds for native code too. A *guard* in the interpreter everywhere: Python code that opens a
socket, or asks for an address, gets an error.
"""

from __future__ import annotations

import sys
from typing import Literal

from ..machine import namespaces

Wall = Literal["namespace", "guard"]

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
    # Who is not root may do it inside of a user namespace of its own.
    return namespaces.leave(namespaces.NETWORK) or namespaces.leave(namespaces.USER | namespaces.NETWORK)
