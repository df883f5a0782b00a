"""Text of a model, made safe to print: no escape sequence, control or direction override is left. Pure.

An answer may hold anything, also the bytes that set a terminal's clipboard (OSC 52), hide a link (OSC 8),
overwrite a line (CR), or show code in another order than it runs in (CVE-2021-42574).
"""

from __future__ import annotations

import re

_ESC = "\x1b"
_STRING_OPENERS = frozenset("]P_^X")
"""ESC and one of these (OSC, DCS, APC, PM, SOS) begin a string that BEL or ST ends."""
_C1 = {"\x9b": "[", "\x9d": "]", "\x90": "P", "\x9f": "_", "\x9e": "^", "\x98": "X"}
"""The one-character forms of the same."""
_CUT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPECIAL = re.compile("[\x1b\x98\x9b\x9d-\x9f\x90]")


class PlainText:
    """Filters a text that comes in pieces: a sequence may begin in one and end in the next."""

    def __init__(self) -> None:
        self._state = "text"

    def feed(self, piece: str) -> str:
        """What may be printed of a piece; line feeds and tabs stay."""
        if self._state == "text" and not _SPECIAL.search(piece):
            return _CUT.sub("", piece)
        return "".join(filter(self._keep, piece))

    def _keep(self, char: str) -> bool:
        """Move on by one character; whether it is text."""
        if char in _C1:
            self._state = _after_escape(_C1[char])
            return False
        if char == _ESC:
            self._state = "escape"
            return False
        if self._state == "text" or char == "\n":  # so that an open string cannot swallow the rest
            self._state = "text"
            return not _CUT.match(char)
        if self._state == "escape":
            self._state = _after_escape(char)
        elif (self._state == "csi" and "@" <= char <= "~") or (
            self._state == "string" and char in "\x07\x9c"
        ):
            self._state = "text"
        return False


def plain(text: str) -> str:
    """What may be printed of a whole text."""
    return PlainText().feed(text)


def _after_escape(char: str) -> str:
    if char == "[":
        return "csi"
    if char in _STRING_OPENERS:
        return "string"
    return "escape" if " " <= char <= "/" else "text"  # intermediate characters, or the last one
