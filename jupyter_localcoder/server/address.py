"""Under which host a process on this machine reaches a server that listens on an address."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def host_for_kernels(ip: str, port: int) -> str:
    """Return what stands for the host in the server's URL; IPv6 addresses are in brackets.

    Parameters
    ----------
    ip
        What the server was told to listen on: an address, a name, or `""` or `"*"` for every address.
    port
        Where it listens.

    """
    every = _listened_on("" if ip == "*" else ip, port)
    if not every:
        return _in_url(ip)
    # The address and not the name: Jupyter does not let in who calls a name that stands for this machine
    # alone, but for `localhost`.
    chosen = min(every, key=lambda address: address.version)
    # `::` alone is heard by nobody who asks at 127.0.0.1: tornado keeps the two families apart.
    return _in_url(_LOOPBACK[chosen.version] if chosen.is_unspecified else str(chosen))


def _listened_on(ip: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The addresses that tornado binds to, found as it finds them; none where the name is not known."""
    try:
        found = socket.getaddrinfo(ip or None, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    except OSError:
        return []
    return [ipaddress.ip_address(_with_zone(entry[4])) for entry in found]


def _with_zone(address: tuple[Any, ...]) -> str:
    """What a socket is bound to; an address of one link means nothing without the number of its interface."""
    host = str(address[0]).partition("%")[0]
    return f"{host}%{address[3]}" if len(address) == 4 and address[3] else host


def _in_url(host: str) -> str:
    # The zone of a link-local address stays as it is: the clients' library does not read RFC 6874's `%25`.
    return f"[{host}]" if ":" in host else host
