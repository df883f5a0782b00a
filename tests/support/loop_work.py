"""Counts what is computed in the thread of an event loop, without a clock: the same on every machine.

A unit is a call, of Python or of C. A call of C that reads a text counts more, by the text: a method of a
string by its length, a regular expression, a hash or a parser by the longest text at hand where it is called.
"""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

_METHOD_CHARS, _READER_CHARS = 2000, 200
"""So many characters are a unit: of what only copies or compares, and of what looks at each."""
_READERS = ("re", "msgspec", "_json", "_hashlib", "hashlib", "_ast", "_sha2")
_STEP = asyncio.events.Handle._run.__code__


class LoopWork:
    """What a ``with`` block, and all that the loop does meanwhile in this thread, computes at one go."""

    def __init__(self) -> None:
        self.most = 0
        """Units between two turns of the loop, in the longest one."""
        self.where = ""
        """What called most often in it."""
        self._units = 0
        self._by_place: dict[str, int] = {}

    def __enter__(self) -> LoopWork:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        self._turn()

    def _profile(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            if frame.f_code is _STEP:
                self._turn()
            self._count(frame, 1)
        elif event == "c_call":
            self._count(frame, _cost(frame, called))

    def _count(self, frame: FrameType, units: int) -> None:
        self._units += units
        place = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        self._by_place[place] = self._by_place.get(place, 0) + units

    def _turn(self) -> None:
        if self._units > self.most:
            self.most = self._units
            worst = sorted(self._by_place.items(), key=lambda item: -item[1])[:5]
            self.where = "; ".join(f"{place} {units}" for place, units in worst)
        self._units = 0
        self._by_place.clear()


def _cost(frame: FrameType, called: Any) -> int:
    owner = getattr(called, "__self__", None)
    if isinstance(owner, str | bytes | bytearray):
        return 1 + len(owner) // _METHOD_CHARS
    module = getattr(called, "__module__", None) or type(owner).__module__
    if str(module).partition(".")[0] in _READERS:
        texts = (value for value in frame.f_locals.values() if isinstance(value, str | bytes))
        return 1 + max(map(len, texts), default=0) // _READER_CHARS
    return 1
