"""Doctor: whom a program turned to, read out of a trace of its system calls."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

_NAME_SERVICE = "53"
"""A port of a service that asks others, also where it is on this machine."""
CALLS = "connect,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(
    r"\b(connect|sendto|sendmsg|sendmmsg)\(.*?sa_family=(AF_INET6?), sin6?_port=htons\((?P<port>\d+)\),.*?"
    r"(?:inet_addr\(\"(?P<v4>[^\"]+)\"\)|inet_pton\(AF_INET6, \"(?P<v6>[^\"]+)\")"
)


class Contacts(Struct, frozen=True):
    """Whom a traced program turned to."""

    inside: int
    """Calls that named an address of this machine."""
    outside: tuple[str, ...]
    """Other addresses, and name services, each once."""


def contacts(lines: Iterable[str]) -> Contacts:
    """Read a trace of `CALLS`, as strace writes it."""
    inside, outside = 0, dict[str, None]()
    for line in lines:
        found = _ADDRESS.search(line)
        if found is None:
            continue
        address = found["v4"] or found["v6"]
        if found["port"] == _NAME_SERVICE:
            outside[f"the name service at {address}"] = None
        elif ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            inside += 1
        else:
            outside[address] = None
    return Contacts(inside, tuple(outside))


def tracer(file: Path) -> list[str] | None:
    """Return what stands before a command to trace it and its children; None where strace is missing."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    return [
        # Without the filter in the kernel each system call stops the program, and servers give up waiting.
        *(strace, "--seccomp-bpf", "-f", "-qq", "-s", "0"),
        *("-e", "signal=none", "-e", f"trace={CALLS}", "-o", str(file)),
    ]
