"""The numbers in the names of packages and files that a model is cut into."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\{n(?::0([1-9]))?\}")


def numbered(pattern: str, number: int) -> str:
    """Fill ``{n}`` and ``{n:02}`` in; no other format is understood, so a pattern can do nothing else."""
    return _NUMBER.sub(lambda match: str(number).zfill(int(match[1] or 1)), pattern)
