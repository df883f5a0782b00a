"""From the bytes of tokens to text that may be shown.

Two things stand between a token and the screen: a character can be spread over several tokens, and a
stop string can begin in one token and end in a later one. Nothing is released that may still turn out
to be the half of either. Pure: no model, no I/O.
"""

from __future__ import annotations

import codecs


class TextStream:
    """Takes the bytes of one token after the other and releases what is certain.

    Parameters
    ----------
    stop
        Strings that end the text; the text ends before the first of them.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = stop
        self._held = ""
        self.stopped = False
        """Whether a stop string has come; what is fed after it is dropped."""

    def feed(self, piece: bytes) -> str:
        """Take the bytes of the next token, and return the text that is certain now."""
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back and turned out to be text; half a character becomes U+FFFD."""
        text = self._release(self._decoder.decode(b"", True))
        if self.stopped:
            return text
        text, self._held = text + self._held, ""
        return text

    def _release(self, more: str) -> str:
        if self.stopped:
            return ""
        text = self._held + more
        found = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        cut = len(text) - keep
        self._held = text[cut:]
        return text[:cut]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``."""
    for size in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
