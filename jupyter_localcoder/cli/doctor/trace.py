"""Doctor: whom a program turned to, read out of a trace of its system calls."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

CALLS = "connect,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(
    r"\b(connect|sendto|sendmsg|sendmmsg)\(.*?sa_family=(AF_INET6?),.*?"
    r"(?:inet_addr\(\"(?P<v4>[^\"]+)\"\)|inet_pton\(AF_INET6, \"(?P<v6>[^\"]+)\")"
)


class Contacts(Struct, frozen=True):
    """Whom a traced program turned to."""

    inside: int
    """Calls that named an address of this machine."""
    outside: tuple[str, ...]
    """Other addresses, each once."""


def contacts(lines: Iterable[str]) -> Contacts:
    """Read a trace of `CALLS`, as strace writes it."""
    inside, outside = 0, dict[str, None]()
    for line in lines:
        found = _ADDRESS.search(line)
        if found is None:
            continue
        address = found["v4"] or found["v6"]
        if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
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
