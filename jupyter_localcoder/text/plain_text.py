"""Text of a model, a file or a provider, made safe to print: what acts or hides is left out. Pure.

Such a text may hold anything, also the bytes that set a terminal's clipboard (OSC 52), hide a link (OSC 8),
overwrite a line (CR), show code in another order than it runs in (CVE-2021-42574), or carry words that nobody
sees (tag characters). Left are line feeds, tabs, and what writing needs: joiners in emoji and between letters
of scripts that join, one variation selector after a character, the flags that are spelled with tags.
"""

from __future__ import annotations

import logging
import re
import unicodedata

_ESC = "\x1b"
_STRING_OPENERS = frozenset("]P_^X")
"""ESC and one of these (OSC, DCS, APC, PM, SOS) begin a string that BEL or ST ends."""
_C1 = {"\x9b": "[", "\x9d": "]", "\x90": "P", "\x9f": "_", "\x9e": "^", "\x98": "X"}
"""The one-character forms of the same."""
_NEVER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"
    # Format characters without a shape: direction, zero width, invisible operators, annotations, shorthand.
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff"
    # Letters and marks without a shape, which make two names look the same.
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0"
)
_AT_TIMES = "\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef"
"""What writing needs after some characters, and what hides elsewhere."""
_CUT = re.compile(f"[{_NEVER}]")
_SPECIAL = re.compile(f"[\x1b\x98\x9b\x9d-\x9f\x90\u2028\u2029\ud800-\udfff{_AT_TIMES}]")
_SPELLED = re.compile(f"[{_NEVER}\u2028\u2029\ud800-\udfff{_AT_TIMES}]")
_LINE_FEEDS = "\u2028\u2029"
_UNENDED = re.compile(
    "(?:\x1b[\\]P_^X]|[\x90\x98\x9d-\x9f])(?![^\n\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x9c|\x1b\\\\))"
)
"""The opener of a string that does not end in its line: without it the rest of the line is text."""
_FLAGS = ("gbeng\x7f", "gbsct\x7f", "gbwls\x7f")
"""The flags that are spelled: England, Scotland, Wales (Unicode Technical Standard 51)."""
_BLACK_FLAG = "\U0001f3f4"


class PlainText:
    """Filters a text that comes in pieces: a sequence may begin in one and end in the next."""

    def __init__(self) -> None:
        self._state = "text"
        self._before = ""
        """The last character that was let through."""
        self._tags = ""
        """How far a flag is spelled."""

    def feed(self, piece: str, *, whole: bool = False) -> str:
        """What may be printed of a piece; line feeds and tabs stay.

        Parameters
        ----------
        whole
            No more comes of its last line: a string that is left open hides nothing of it.
        """
        if whole:
            piece = _UNENDED.sub("", piece)
        if self._state == "text" and not _SPECIAL.search(piece):
            shown = _CUT.sub("", piece)
            self._before = shown[-1:] or self._before
            return shown
        return "".join(map(self._pass, piece))

    def _pass(self, char: str) -> str:
        """Move on by one character; what is shown of it."""
        if char in _C1:
            self._state = _after_escape(_C1[char])
            return ""
        if char == _ESC:
            self._state = "escape"
            return ""
        if self._state == "text" or char == "\n":  # so that an open string cannot swallow the rest
            self._state = "text"
            shown = self._shown(char)
            self._before = shown or self._before
            return shown
        if self._state == "escape":
            self._state = _after_escape(char)
        elif (self._state == "csi" and "@" <= char <= "~") or (
            self._state == "string" and char in "\x07\x9c"
        ):
            self._state = "text"
        return ""

    def _shown(self, char: str) -> str:
        if char in _LINE_FEEDS:
            return "\n"
        if "\ud800" <= char <= "\udfff":
            return "\ufffd"  # a half of a pair, which no encoding has
        if char in "\u200c\u200d":
            return char if _joins(self._before) else ""
        if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
            return char if self._before.isprintable() and not _selects(self._before) else ""
        if "\U000e0020" <= char <= "\U000e007f":
            if self._before == _BLACK_FLAG:
                self._tags = ""
            elif not "\U000e0020" <= self._before <= "\U000e007f":
                return ""
            spelled = self._tags + chr(ord(char) - 0xE0000)
            if not any(flag.startswith(spelled) for flag in _FLAGS):
                return ""
            self._tags = spelled
            return char
        return "" if _CUT.match(char) else char


class Visible:
    """Takes a text that comes in pieces up to the first character in it that acts or hides.

    Parameters
    ----------
    before
        What stands before it: some characters have a place behind some others only.
    """

    def __init__(self, before: str = "") -> None:
        self.hides = False
        """Whether there was one."""
        self._plain = PlainText()
        self._plain.feed(before)
        self._return = ""

    def take(self, piece: str) -> str:
        """What can be seen of the next piece, with a line feed for each line end."""
        if self.hides:
            return ""
        piece = self._return + piece
        # It may be the first half of a line end.
        piece, self._return = (piece[:-1], "\r") if piece.endswith("\r") else (piece, "")
        piece = piece.replace("\r\n", "\n")
        if not (_SPECIAL.search(piece) or _CUT.search(piece)):
            return self._plain.feed(piece)
        for at, char in enumerate(piece):
            if self._plain.feed(char) != char:
                self.hides = True
                return piece[:at]
        return piece


def plain(text: str) -> str:
    """What may be printed of a whole text."""
    return PlainText().feed(text, whole=True)


def plain_line(text: str) -> str:
    """The same in one line: what makes a new line, and a run of spaces, is one space."""
    return " ".join(plain(text).split())


def plain_beside(text: str, own: str) -> str:
    """The same, but for the lines that stand in a text of the person's own: these stay as they are."""
    known = {line.strip() for line in own.split("\n")}
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line if line.strip() in known else plain(line) for line in lines)


def holds_hidden(text: str) -> bool:
    """Whether something in a text acts or hides, and would be left out of it."""
    return plain(text) != text


def spelled(document: str) -> str:
    r"""A JSON document, the same data, with each character that may act or hide as ``\uXXXX``."""

    def escape(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

    # Line feeds of the document itself are no part of its texts.
    return _SPELLED.sub(escape, document)


class PlainRecords(logging.Filter):
    """Makes records plain; no text in one can begin a line that looks like another record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it through, made plain."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            return True  # the handler says what is wrong with it
        record.msg, record.args = _indented(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _indented(record.exc_text)
        return True


def keep_plain(log: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
    """Let a logger write plain text only."""
    logger = log.logger if isinstance(log, logging.LoggerAdapter) else log
    if not any(isinstance(old, PlainRecords) for old in logger.filters):
        logger.addFilter(PlainRecords())


def _indented(text: str) -> str:
    return plain(text).replace("\n", "\n    ")


def _joins(before: str) -> bool:
    """Whether a joiner has a place behind a character: in an emoji, or in a script whose letters join."""
    if not before:
        return False
    at, kind = ord(before), unicodedata.category(before)
    if kind[0] in "LM" and before != "\ufe0f":
        return 0x0590 <= at <= 0x1CFF or 0xA800 <= at <= 0xABFF or 0x10A00 <= at <= 0x11FFF
    return before == "\ufe0f" or (kind in ("So", "Sk") and at >= 0x2190)


def _selects(before: str) -> bool:
    return before == "" or "\ufe00" <= before <= "\ufe0f" or "\U000e0100" <= before <= "\U000e01ef"


def _after_escape(char: str) -> str:
    if char == "[":
        return "csi"
    if char in _STRING_OPENERS:
        return "string"
    return "escape" if " " <= char <= "/" else "text"  # intermediate characters, or the last one
