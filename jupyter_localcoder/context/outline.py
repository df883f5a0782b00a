"""What of a cell is of use even where the cell has no room: its imports, and the heads of its definitions."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from ..contract.notebook import MAX_CELLS
from ..contract.wire import OutlineItem

IMPORT, DEFINITION, CONSTANT = 0, 1, 2
"""Ranks of briefs: which go last."""
_MOST_CHARS = 400
"""Of one brief."""
_MOST_METHODS = 8
_MOST_KNOWN = 2 * MAX_CELLS
_MOST_KNOWN_CHARS = 20_000_000
"""Two of the largest notebooks: one that is larger than what is remembered would be read with every key."""

_IMPORT = re.compile(r"(?:import|from)\s")
_DEFINITION = re.compile(r"(?:async\s+)?def\s+\w|class\s+\w")
_METHOD = re.compile(r"[ \t]+(?:async\s+)?def\s+(?!_[^_])\w")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+\s*(?::[^=]+)?=\s*[^=\s]")
_OTHER_IMPORTS = {
    "r": re.compile(r"(?:library|require|source)\s*\("),
    "julia": re.compile(r"(?:using|import|include)\b"),
    "javascript": re.compile(r"import\s|(?:const|let|var)\s.*=\s*require\("),
    "typescript": re.compile(r"import\s"),
    "rust": re.compile(r"(?:use|extern crate|:dep)\s"),
    "scala": re.compile(r"import\s"),
    "java": re.compile(r"import\s"),
    "kotlin": re.compile(r"import\s"),
    "go": re.compile(r"import\s"),
    "c++": re.compile(r"#\s*include|using\s"),
}


class Outlines:
    """Outlines cells, and remembers the outlines: a notebook is asked for with every keystroke."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[OutlineItem, ...]] = {}
        self._chars = 0
        self._lock = threading.Lock()
        """Never held while something is read: who builds a short prompt does not wait for a long one."""

    def of(self, source: str, language: str) -> tuple[OutlineItem, ...]:
        """Imports and definitions of a cell, in its order."""
        key = (language, source)
        with self._lock:
            found = self._pop(key)
        if found is None:
            found = tuple(_outline(source, language))
        with self._lock:
            self._pop(key)  # another thread may have read it meanwhile
            self._known[key] = found
            self._chars += len(source)
            while len(self._known) > 1 and (
                len(self._known) > _MOST_KNOWN or self._chars > _MOST_KNOWN_CHARS
            ):
                self._pop(next(iter(self._known)))
        return found

    def _pop(self, key: tuple[str, str]) -> tuple[OutlineItem, ...] | None:
        found = self._known.pop(key, None)
        if found is not None:
            self._chars -= len(key[1])
        return found


def _outline(source: str, language: str) -> Iterator[OutlineItem]:
    if language == "python":
        yield from _python(source)
        return
    pattern = _OTHER_IMPORTS.get(language.lower())
    if pattern is not None:
        for line in source.splitlines():
            if pattern.match(line) and len(line) <= _MOST_CHARS:
                yield OutlineItem(f"{line.rstrip()}\n", IMPORT)


def _python(source: str) -> Iterator[OutlineItem]:
    lines = source.splitlines()
    quotes = ""
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        inside, quotes = bool(quotes), still_quoted(line, quotes)
        if inside or not line or line[0] in " \t#@":
            continue
        if _IMPORT.match(line):
            text, i = _whole(lines, i - 1)
            yield from _brief(text, IMPORT)
        elif _DEFINITION.match(line):
            text, i = _whole(lines, i - 1)
            yield from _brief(text + _body(text, lines, i), DEFINITION)
        elif _CONSTANT.match(line) and len(line) <= 80 and not quotes and _open_brackets(line) == 0:
            yield from _brief(line, CONSTANT)


def _brief(text: str, rank: int) -> Iterator[OutlineItem]:
    if len(text) <= _MOST_CHARS:
        yield OutlineItem(f"{text.rstrip()}\n", rank)


def _whole(lines: list[str], start: int) -> tuple[str, int]:
    """The statement that begins at this line, up to where its brackets are closed; and the line after it."""
    end = start
    depth = 0
    while end < len(lines):
        depth += _open_brackets(lines[end])
        end += 1
        if depth <= 0 and not lines[end - 1].endswith("\\"):
            break
    return "\n".join(lines[start:end]), end


def _body(head: str, lines: list[str], start: int) -> str:
    """What stands for the body: `...`, or the methods of a class."""
    if not head.rstrip().endswith(":"):
        return ""
    if not head.startswith("class"):
        return " ..."
    methods: list[str] = []
    indent: int | None = None
    for i in range(start, len(lines)):
        line = lines[i]
        if line and line[0] not in " \t#":
            break
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None and line.strip() else indent
        if depth == indent and _METHOD.match(line) and len(methods) < _MOST_METHODS:
            method, _ = _whole(lines, i)
            methods.append(f"\n{method.rstrip()} ...")
    return "".join(methods) or " ..."


def _open_brackets(line: str) -> int:
    """Brackets that this line opens less those that it closes, strings and comments left aside."""
    bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", line).partition("#")[0]
    return sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")


def still_quoted(line: str, quotes: str) -> str:
    """The triple quotes that are open after this line, or nothing."""
    at = 0
    while True:
        if quotes:
            at = line.find(quotes, at)
            if at < 0:
                return quotes
            at, quotes = at + 3, ""
            continue
        found = re.compile(r"\"\"\"|'''|#").search(line, at)
        if found is None or found[0] == "#":
            return ""
        at, quotes = found.end(), found[0]
