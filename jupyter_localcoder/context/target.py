"""The code that a command changes: what of it the model reads, and how what stays is put back.

The magics at both ends of a cell and the first lines that a system reads (`#!`, an encoding) are never shown
to a model that is to write the code anew: they cannot get lost. Those in the middle are shown, since they say
what happens there, and are put back where the answer leaves them out.
"""

from __future__ import annotations

import ast
import difflib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.generation import CHANGES, GenerateRequest
from ..errors import InvalidArgument
from . import languages, magics
from .bounds import MAX_PARSED_CHARS
from .magics import Magic

_FIRST = re.compile(r"#!|[ \t]*#.*?coding[:=][ \t]*[-\w.]+")


class Unplaceable(Exception):
    """A magic that the answer leaves out belongs where the answer has nothing of what was around it."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True)
class CellTarget:
    """Code, taken apart."""

    code: str
    """What the model reads, at the left margin; lines end with a line feed."""
    language: str
    """That of ``code``."""
    head: str = ""
    """Lines that stay above it, with their line ends."""
    tail: str = ""
    """Lines that stay below it, each with the line end before it."""
    indent: str = ""
    """White space before every line of ``code`` in its place."""
    magics: tuple[Magic, ...] = ()
    """Those among the lines of ``code``."""

    @property
    def is_python(self) -> bool:
        """Whether it is read as IPython reads a cell."""
        return self.language in languages.PYTHON

    @property
    def whole(self) -> str:
        """All of it."""
        return self.put_back(self.code)

    def put_back(self, code: str) -> str:
        """Other code in the place of this one.

        Raises
        ------
        Unplaceable
            It does not have a magic that stood among the lines, nor what stood around it.
        """
        lines = code.strip("\n").rstrip().split("\n")
        if self.head or self.tail:
            lines = _without(self._kept_lines(), lines)
            if self.is_python:
                lines = self._once(lines)
        if self.magics:
            lines = _merged(self.code.split("\n"), self.magics, lines)
        body = "\n".join(self.indent + line if line.strip() else line for line in lines)
        return self.head + body + self.tail

    def _once(self, lines: list[str]) -> list[str]:
        """Lines without the magics that are put back at the ends."""
        own = self.code.split("\n")
        inside = {own[magic.first].strip() for magic in self.magics}
        ends = {line for line in self._kept_lines() if not line.startswith("#")} - inside
        repeated = {
            at
            for magic in magics.find(lines)
            if lines[magic.first].strip() in ends
            for at in range(magic.first, magic.end)
        }
        return [line for at, line in enumerate(lines) if at not in repeated]

    def _kept_lines(self) -> list[str]:
        return [line.strip() for line in f"{self.head}\n{self.tail}".split("\n") if line.strip()]


def target_of(request: GenerateRequest) -> CellTarget:
    """What a command works on.

    Raises
    ------
    InvalidArgument
        It is to be changed, and consists of magics alone.
    """
    target = take_apart(request.code, request.language, request.cell_magic)
    if request.command in CHANGES and request.code.strip() and not target.code.strip():
        raise InvalidArgument(
            f"There is nothing to {request.command}: the cell contains only magics, which are not changed.",
            recovery="Explain them instead, or ask about them in a chat.",
        )
    return target


def take_apart(code: str, language: str, cell_magic: str = "") -> CellTarget:
    """Split code into what a model changes, and what stays.

    Parameters
    ----------
    language
        That of the notebook's kernel or of the file.
    cell_magic
        The lines of cell magics above ``code``, where it is only a part of a cell.
    """
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    python = language.lower() in languages.PYTHON
    at = _blank(lines, 0)
    # A caller may have taken the language from the magic already.
    if python or (at < len(lines) and languages.of_magic(lines[at]) == language):
        if cell_magic.strip():
            language = _language_of(cell_magic.strip().split("\n"), lines, language)
        start, at = at, _below_cell_magics(lines, at)
        if at > start:
            language = _language_of(lines[start:at], lines[at:], language)
    python = language.lower() in languages.PYTHON
    at = _system_lines(lines, at)
    end = len(lines)
    found = magics.find(lines[at:]) if python else []
    if found:
        first = at
        at = _end_of_head(lines, first, found)
        end = _start_of_tail(lines, first, at, found)
    while end > at and not lines[end - 1].strip():
        end -= 1
    inner = lines[at:end]
    body = textwrap.dedent("\n".join(inner))
    margin = next((line for line in inner if line.strip()), "")
    indent = margin[: len(margin) - len(next((line for line in body.split("\n") if line.strip()), ""))]
    return CellTarget(
        code=body,
        language=language,
        head="".join(f"{line}\n" for line in lines[:at]),
        tail="".join(f"\n{line}" for line in lines[end:]),
        indent=indent,
        magics=tuple(magics.find(body.split("\n"))) if found else (),
    )


def renewed(cell: str, code: str) -> str:
    """A cell with those of its magics as other code has them that the code has otherwise.

    Who wrote the code saw the cell: its cell magics take the place of the cell's, and a line magic that of
    the one of the same name.

    Parameters
    ----------
    cell
        A cell of an IPython kernel.
    """
    new, old = code.split("\n"), cell.split("\n")
    below, start = _below_cell_magics(new, 0), _below_cell_magics(old, 0)
    head, rest = new[:below] or old[:start], old[start:]
    if not take_apart("\n".join([*head, *rest]), "python").is_python:
        return "\n".join([*head, *rest])
    offered = [new[below:][one.first : one.end] for one in magics.find(new[below:])]
    said = {text[0].strip() for text in offered}
    known = {rest[one.first].strip() for one in magics.find(rest)}
    fresh: dict[str, list[list[str]]] = {}
    for text in reversed(offered):
        if text[0].strip() not in known:
            fresh.setdefault(_purpose(text[0]), []).append(text)
    altered: list[tuple[Magic, list[str]]] = []
    for magic in magics.find(rest):
        line = rest[magic.first]
        others = fresh.get(_purpose(line))
        if others and line.strip() not in said:
            altered.append((magic, others.pop()))
    for magic, text in reversed(altered):
        rest[magic.first : magic.end] = _indented(text, rest[magic.first])
    return "\n".join([*head, *rest])


def _language_of(cell_magics: Sequence[str], below: Sequence[str], language: str) -> str:
    """The language below cell magics; that of an unknown one is Python if it reads as Python."""
    last = next((line for line in reversed(cell_magics) if line.strip()), "")
    known = languages.of_magic(last)
    if known is not None:
        return language if known == "python" and language.lower() in languages.PYTHON else known
    try:
        if sum(len(line) + 1 for line in below) > MAX_PARSED_CHARS:
            return languages.name_of_magic(last)
        source = textwrap.dedent("\n".join(magics.neutral(below)))
        compile(source, "<cell>", "exec", flags=_FLAGS, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return languages.name_of_magic(last)
    return language


def _blank(lines: Sequence[str], at: int) -> int:
    """The first line from one on that is not blank."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _below_cell_magics(lines: Sequence[str], at: int) -> int:
    """The first line below the cell magics that stand from a line on; that line where there are none."""
    end = _blank(lines, at)
    if end == len(lines) or not magics.is_cell_magic(lines[end]):
        return at
    while end < len(lines) and magics.is_cell_magic(lines[end]):
        end = _blank(lines, end + 1)
    return end


def _system_lines(lines: Sequence[str], at: int) -> int:
    """The line after those that a system or Python itself reads: only the first two can be."""
    end = at
    for position in range(at, min(at + 2, len(lines))):
        if _FIRST.match(lines[position]):
            end = position + 1
    return _blank(lines, end)


def _passive(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _end_of_head(lines: Sequence[str], first: int, found: Sequence[Magic]) -> int:
    """The line after the magics at the top, comments between them included."""
    end = at = first
    for magic in found:
        if not all(_passive(line) for line in lines[at : first + magic.first]):
            break
        end = at = first + magic.end
    return _blank(lines, end)


def _start_of_tail(lines: Sequence[str], first: int, least: int, found: Sequence[Magic]) -> int:
    """The first line of the magics at the bottom."""
    start = at = len(lines)
    for magic in reversed(found):
        indented = lines[first + magic.first][:1] in (" ", "\t")
        if first + magic.first < least or indented:
            break
        if not all(_passive(line) for line in lines[first + magic.end : at]):
            break
        start = at = first + magic.first
    return start


def _without(kept: Sequence[str], lines: list[str]) -> list[str]:
    """Lines without those at the ends that are put back anyhow, and without a cell magic of their own."""
    first, end = 0, len(lines)
    while first < end and (
        not lines[first].strip() or lines[first].strip() in kept or magics.is_cell_magic(lines[first])
    ):
        first += 1
    while end > first and (not lines[end - 1].strip() or lines[end - 1].strip() in kept):
        end -= 1
    return lines[first:end]


def _merged(old: Sequence[str], kept: Sequence[Magic], new: list[str]) -> list[str]:
    """The new lines with all the old magics, in their order."""
    if _missing(old, kept, new) is None:
        return new
    for number, magic in enumerate(kept):
        text = list(old[magic.first : magic.end])
        before = [old[one.first].strip() for one in kept[:number]]
        if not _place_magic(old, magic, text, before, new):
            raise Unplaceable(text[0].strip())
    missing = _missing(old, kept, new)
    if missing is not None:
        raise Unplaceable(missing)
    return new


def _missing(old: Sequence[str], kept: Sequence[Magic], new: Sequence[str]) -> str | None:
    """The first line of the old magics that is not among the new lines, in its order."""
    found = iter([[line.strip() for line in new[one.first : one.end]] for one in magics.find(new)])
    for magic in kept:
        text = [line.strip() for line in old[magic.first : magic.end]]
        if text not in found:
            return text[0]
    return None


def _place_magic(
    old: Sequence[str], magic: Magic, text: list[str], before: list[str], new: list[str]
) -> bool:
    """See to it that one magic stands in the new lines; false where its place is not known."""
    least = 0
    present = magics.find(new)
    for line in before:
        least = next(
            (one.end for one in present if one.first >= least and new[one.first].strip() == line), least
        )
    wanted = [line.strip() for line in text]
    later = [one for one in present if one.first >= least]
    for one in later:
        if [line.strip() for line in new[one.first : one.end]] == wanted:
            return True
    others = {line.strip() for line in old}
    for one in later:  # the same magic, altered
        if _name(new[one.first]) == _name(text[0]) and new[one.first].strip() not in others:
            new[one.first : one.end] = _indented(text, new[one.first])
            return True
    for at in range(least, len(new)):  # taken for a comment
        if new[at].lstrip().startswith("#") and new[at].lstrip("# \t").rstrip() == wanted[0]:
            new[at : at + 1] = _indented(text, new[at])
            return True
    return _insert(old, magic, text, least, new)


def _insert(old: Sequence[str], magic: Magic, text: list[str], least: int, new: list[str]) -> bool:
    """Put a magic beside the line that followed it, or that went before it."""
    same: dict[int, int] = {}
    blocks = difflib.SequenceMatcher(None, [line.strip() for line in old], [line.strip() for line in new])
    for start, begin, count in blocks.get_matching_blocks():
        same.update({start + i: begin + i for i in range(count) if old[start + i].strip()})
    following = _blank(old, magic.end)
    if same.get(following, -1) >= least:
        at = same[following]
        new[at:at] = _indented(text, new[at]) if _margin(old[following]) == _margin(text[0]) else text
        return True
    previous = magic.first - 1
    while previous >= 0 and not old[previous].strip():
        previous -= 1
    if previous >= 0 and same.get(previous, least - 2) >= least - 1:
        at = same[previous] + 1
        new[at:at] = _indented(text, new[at - 1]) if _margin(old[previous]) == _margin(text[0]) else text
        return True
    return False


def _name(line: str) -> str:
    """What tells magics apart: `%timeit`, `!pip`; of a help line all of it."""
    stripped = line.strip()
    return stripped.split(None, 1)[0] if stripped[:1] in ("%", "!") else stripped


def _purpose(line: str) -> str:
    """The same, and of an assignment the names that it gives."""
    return _name(line) if line.strip()[:1] in ("%", "!") else line.partition("=")[0].strip()


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _indented(text: Sequence[str], like: str) -> list[str]:
    """Lines, as far indented as another one."""
    own, margin = _margin(text[0]), _margin(like)
    return [margin + line.removeprefix(own) for line in text]


_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
