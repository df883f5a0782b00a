"""Where a command prints: answers on stdout, everything else on stderr, or one JSON document.

Knows whether a person or a program reads, and nothing of what is printed. All that is printed goes through
here, and is made plain: names of models, files and providers come from strangers as much as answers do.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

import msgspec

from ..contract.codec import error_payload
from ..errors import InvalidArgument, LocalCoderError
from ..text.plain_text import PlainText, plain_line, spelled

_MAX_SECRET_CHARS = 8192
_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}


@dataclass
class Console:
    """The three standard streams, and how to print on them."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    json: bool = False
    """One JSON document goes to stdout, and nothing else does."""
    environ: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # No text from elsewhere can know how a colour is asked for.
        self._mark = f"\ue000{secrets.token_hex(8)}:"
        self._colours = re.compile(f"{self._mark}([0-9]+);")
        self._plain: dict[int, PlainText] = {}

    @classmethod
    def standard(cls, *, json: bool) -> Console:
        """The streams of this process; a character that the locale cannot show is spelled out."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdin, sys.stdout, sys.stderr, json=json, environ=os.environ)

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where a program reads, which wants nothing shortened."""
        return shutil.get_terminal_size().columns if self.stdout.isatty() else None

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there who reads a question and can answer it."""
        return self.stdin.isatty() and self.stderr.isatty() and not self.json

    def out(self, text: str, *, end: str = "\n") -> None:
        """Print a part of the answer; with ``--json`` the document is the whole answer."""
        if not self.json:
            self._write(self.stdout, text + end)

    def help(self, text: str) -> None:
        """Print what was asked for with ``--help``, also with ``--json``."""
        self._write(self.stdout, text + "\n")

    def note(self, text: str, *, end: str = "\n") -> None:
        """Print what is not the answer: progress, metrics, warnings."""
        self.stdout.flush()
        self._write(self.stderr, text + end)

    def document(self, value: Any) -> None:
        """Print the JSON document; only with ``--json``."""
        if self.json:
            self.stdout.write(self._dumped(value) + "\n")
            self.stdout.flush()

    def error(self, error: LocalCoderError) -> None:
        """Print what went wrong and what can be done, in the form that was asked for."""
        if self.json:
            self.document({"error": error_payload(error)})
        else:
            # What went wrong may quote a text with line ends: it is one line all the same.
            self.note(f"{self.paint('error:', 'red', self.stderr)} {plain_line(str(error))}")
            self.note(plain_line(error.recovery))

    def ask(self, question: str) -> str:
        """One line from the person, without the line break; the empty string at the end of input."""
        self._write(self.stderr, question)
        return self.stdin.readline().strip()

    def confirm(self, question: str, refused: str) -> None:
        """Ask whether to go on with what cannot be undone; where nobody can be asked, the command says it.

        Raises
        ------
        InvalidArgument
            The answer is not yes; the sentence is ``refused``.
        """
        if self.can_ask and self.ask(f"{question} [y/N] ").lower() not in ("y", "yes"):
            raise InvalidArgument(refused, recovery="Answer `y`, or pass `--yes`.")

    def ask_secret(self, question: str) -> str:
        """One line that is not shown, from the person at the terminal; from stdin where nobody is there."""
        if self.stdin.isatty():
            import getpass

            return getpass.getpass(plain_line(question) + " ", self.stderr).strip()
        return self.stdin.readline(_MAX_SECRET_CHARS).strip()

    def paint(self, text: str, colour: str, stream: TextIO | None = None) -> str:
        """Colour a text where that is shown and wanted; colour never carries the meaning alone."""
        stream = stream or self.stdout
        bare = self.environ.get("NO_COLOR") or self.environ.get("TERM") == "dumb" or not stream.isatty()
        return text if bare else f"{self._mark}{_CODES[colour]};{text}{self._mark}0;"

    def _write(self, stream: TextIO, text: str) -> None:
        """Write plain text, and the colours that were asked for: the one door to a terminal."""
        through = self._plain.setdefault(id(stream), PlainText())
        # Every other part is the number of a colour.
        parts = self._colours.split(text)
        for at, part in enumerate(parts):
            stream.write(f"\x1b[{part}m" if at % 2 else through.feed(part, whole=text.endswith("\n")))
        stream.flush()

    def _dumped(self, value: Any) -> str:
        unicode = (self.stdout.encoding or "").lower().replace("-", "") == "utf8"
        return spelled(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=not unicode))
