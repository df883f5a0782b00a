"""Numbers for people: bytes, rates and times in a few characters. Pure."""

from __future__ import annotations

_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """Bytes with a decimal prefix, as download pages and disks count: ``491 MB``, ``4.68 GB``."""
    value = float(count)
    for prefix in _PREFIXES:
        if abs(value) < 999.5 or prefix == _PREFIXES[-1]:
            break
        value /= 1000
    if prefix == "B" or abs(value) >= 99.95:
        return f"{value:.0f} {prefix}"
    return f"{value:.3g} {prefix}"


def duration(seconds: float) -> str:
    """Seconds in the largest units that matter: ``7 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def tokens_per_second(speed: float) -> str:
    """A speed, with a digit after the point where that matters."""
    return f"{speed:.0f} tokens/s" if speed >= 10 else f"{speed:.1f} tokens/s"


def context(tokens: int) -> str:
    """Tokens of a context: 32768 are ``32k``."""
    return f"{tokens // 1024}k" if tokens >= 1024 and tokens % 1024 == 0 else str(tokens)
