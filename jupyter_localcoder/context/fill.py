"""The prompt of a completion: the notebook around the cursor, a piece for each cell.

::

    imports and definitions   of the cells that have no room; the worker puts them there
    cells above               see `cells`
    kernel                    what it knows; before the code right above, since runs change it
    cells above               the code right above the cursor
    this cell                 up to the cursor
    ── the cursor ──
    this cell                 the rest
    cells below

A file has no cells; what is far above the cursor stands in pieces all the same (`files`).

Below a cell stands the head of the data frame that it showed (`heads`), where a person has asked for that.

What stands above depends neither on the text of the cell with the cursor nor on where the cursor is: the
worker has computed it, and while somebody types it stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..contract.notebook import NotebookContext
from ..contract.wire import SOURCE_BRIEF, SOURCE_OWN, ContextPiece, FillPrompt, OutlineItem
from ..errors import InvalidArgument
from . import files, heads, kernel
from .bounds import CHARS_PER_TOKEN, cut_head, cut_prefix, first_kept
from .cells import Order, Unit, order, prose_left_out, render
from .heads import HEADS_SHARE, SOURCE_HEADS
from .languages import ending_of
from .outline import IMPORT, Outlines

SOURCE_ABOVE = "cells above"
SOURCE_BELOW = "cells below"
SOURCE_KERNEL = "kernel"
SHARES = {SOURCE_BRIEF: 0.25, SOURCE_KERNEL: 0.2}
"""Of the tokens before the cursor. The cells take what the cell with the cursor leaves."""
KERNEL_CHARS_PER_TOKEN = 3
"""Few, so that the choice of names is made here, by their use, and not by the worker."""
_PLAIN_NAME = re.compile(r"[\w .-]{1,80}")
USUAL_PREFIX_TOKENS = 4096
"""Where no budget is given."""


@dataclass
class Built:
    """A prompt, and what is not in it."""

    prompt: FillPrompt
    omitted: dict[str, int] = field(default_factory=dict)
    """Characters by source that were left out before tokens were counted."""


class FillBuilder:
    """Builds prompts; it keeps nothing of a notebook but the outlines of cells that it has seen."""

    def __init__(self) -> None:
        self._outlines = Outlines()

    def build(
        self,
        prefix: str,
        suffix: str,
        notebook: NotebookContext | None,
        language: str,
        *,
        reserve_tokens: int,
        prefix_tokens: int = 0,
        suffix_tokens: int = 0,
        heads_share: float = HEADS_SHARE,
    ) -> Built:
        """Build the prompt of a completion.

        Parameters
        ----------
        prefix, suffix
            Of the cell with the cursor.
        reserve_tokens
            Room for the answer.
        prefix_tokens, suffix_tokens
            Most tokens before and after the cursor; 0: what fits.
        heads_share
            Of the tokens before the cursor, for the first lines of data frames; 0: none of them is read.

        Raises
        ------
        InvalidArgument
            There is nothing before the cursor.
        """
        before = (prefix_tokens or USUAL_PREFIX_TOKENS) * CHARS_PER_TOKEN
        after = (suffix_tokens or USUAL_PREFIX_TOKENS) * CHARS_PER_TOKEN
        omitted: dict[str, int] = {}
        cells = order(notebook or NotebookContext())
        above: list[ContextPiece] = []
        if notebook is not None:
            first = first_kept([unit.chars for unit in cells.far], before)
            room = heads_share * (prefix_tokens or USUAL_PREFIX_TOKENS)
            far, near = _outline_entries(cells, first, language, int(room * heads.CHARS_PER_TOKEN), omitted)
            above = [
                *self._dropped(cells.far[:first], language, before, omitted),
                *self._pieces(far, language, before, omitted, session=cells.session),
                *_kernel(notebook, language, before, omitted),
                *self._pieces(near, language, before, omitted, session=cells.session),
            ]
        if not prefix.strip() and not any(piece.text.strip() for piece in above):
            raise InvalidArgument("There is nothing before the cursor to complete from.", field="prefix")
        own = _unix(prefix)
        if notebook is None:
            far_above, own = files.split(own)
            above = list(self._file(far_above, language, before, omitted))
        own, cut = cut_prefix(own, before)
        _omit(omitted, SOURCE_OWN, cut)
        rest = _unix(suffix)
        _omit(omitted, SOURCE_OWN, len(rest) - after)
        prompt = FillPrompt(
            prefix=own,
            suffix=rest[:after],
            reserve_tokens=reserve_tokens,
            above=tuple(above),
            below=tuple(_below(cells, language, max(0, after - len(rest)), omitted)),
            shares={**SHARES, SOURCE_HEADS: heads_share},
            prefix_tokens=prefix_tokens,
            suffix_tokens=suffix_tokens,
            file=_file_name(notebook, language),
        )
        return Built(prompt, omitted)

    def _dropped(
        self, units: Sequence[Unit], language: str, most: int, omitted: dict[str, int]
    ) -> Iterator[ContextPiece]:
        """What is left of cells that are too far above to be read."""
        if units:
            _omit(omitted, SOURCE_ABOVE, sum(unit.chars for unit in units))
            briefs = [brief for unit in units for brief in self._briefs(unit, language)]
            yield ContextPiece("", SOURCE_ABOVE, bounded(briefs, most // 2, omitted))

    def _pieces(
        self,
        told: Sequence[_Told],
        language: str,
        most: int,
        omitted: dict[str, int],
        *,
        session: bool,
    ) -> Iterator[ContextPiece]:
        for unit, head in told:
            text = "\n\n".join(render(cell, language, session=session) for cell in unit.cells)
            _omit(omitted, SOURCE_ABOVE, sum(prose_left_out(cell) for cell in unit.cells))
            text, cut = cut_head(text, most)
            _omit(omitted, SOURCE_ABOVE, cut)
            end = "\n" if head else "\n\n"
            yield ContextPiece(f"{text}{end}", SOURCE_ABOVE, self._briefs(unit, language))
            if head:
                yield ContextPiece(f"{head}\n\n", SOURCE_HEADS)

    def _file(
        self, pieces: Sequence[str], language: str, most: int, omitted: dict[str, int]
    ) -> Iterator[ContextPiece]:
        first = first_kept([len(piece) for piece in pieces], most)
        outlines = [self._outlines.of(piece, language) for piece in pieces]
        if first:
            _omit(omitted, SOURCE_OWN, sum(len(piece) for piece in pieces[:first]))
            briefs = [brief for outline in outlines[:first] for brief in outline]
            yield ContextPiece("", SOURCE_OWN, bounded(briefs, most // 2, omitted))
        for piece, outline in zip(pieces[first:], outlines[first:], strict=True):
            yield ContextPiece(piece, SOURCE_OWN, outline)

    def _briefs(self, unit: Unit, language: str) -> tuple[OutlineItem, ...]:
        return self._outlines.of(_unix(unit.code.source), language) if unit.code is not None else ()


_Told = tuple[Unit, str]
"""Cells, and the comment below them."""


def _outline_entries(
    cells: Order, first: int, language: str, most_chars: int, omitted: dict[str, int]
) -> tuple[list[_Told], list[_Told]]:
    """The cells above from the ``first`` far one on, far and near, with the heads that have room."""
    units = [*cells.far[first:], *cells.near]
    texts, left_out = heads.choose(units, language, most_chars)
    unread = [*(cell for unit in cells.far[:first] for cell in unit.cells), *cells.below]
    _omit(omitted, SOURCE_HEADS, left_out + sum(len(cell.head) for cell in unread))
    told = list(zip(units, texts, strict=True))
    cut = len(units) - len(cells.near)
    return told[:cut], told[cut:]


def _kernel(
    notebook: NotebookContext, language: str, prefix_chars: int, omitted: dict[str, int]
) -> Iterator[ContextPiece]:
    """A piece for each name, so that the worker can leave out the last ones."""
    if not notebook.variables:
        return
    most = int(prefix_chars / CHARS_PER_TOKEN * SHARES[SOURCE_KERNEL] * KERNEL_CHARS_PER_TOKEN)
    lines, left_out = kernel.lines(notebook.variables, _others(notebook), language, most)
    _omit(omitted, SOURCE_KERNEL, left_out)
    if lines:
        texts = [kernel.head(language), *lines]
        for text in texts[:-1]:
            yield ContextPiece(f"{text}\n", SOURCE_KERNEL)
        yield ContextPiece(f"{texts[-1]}\n\n", SOURCE_KERNEL)


def _below(cells: Order, language: str, most: int, omitted: dict[str, int]) -> Iterator[ContextPiece]:
    for cell in cells.below:
        if most <= 0:
            _omit(omitted, SOURCE_BELOW, len(cell.source))
            continue
        text = render(cell, language, session=False)[:most]
        most -= len(text)
        _omit(omitted, SOURCE_BELOW, max(0, len(cell.source.strip()) - len(text)))
        yield ContextPiece(f"\n\n{text}", SOURCE_BELOW)


def _file_name(notebook: NotebookContext | None, language: str) -> str:
    """What the notebook would be called as a file of its language."""
    stem = PurePosixPath(notebook.path).stem if notebook is not None else ""
    return f"{stem if _PLAIN_NAME.fullmatch(stem) else 'notebook'}{ending_of(language)}"


def _others(notebook: NotebookContext) -> Sequence[str]:
    """Code of all cells but the one with the cursor."""
    return [
        cell.source
        for index, cell in enumerate(notebook.cells)
        if index != notebook.active and cell.kind == "code"
    ]


def bounded(briefs: Sequence[OutlineItem], most: int, omitted: dict[str, int]) -> tuple[OutlineItem, ...]:
    """The imports, then what was defined last, in their own order."""
    unique = list({brief.text: brief for brief in briefs}.values())
    by_worth = sorted(range(len(unique)), key=lambda i: (unique[i].rank != IMPORT, -i))
    kept: list[int] = []
    for i in by_worth:
        size = len(unique[i].text)
        if size <= most:
            most -= size
            kept.append(i)
        else:
            _omit(omitted, SOURCE_BRIEF, size)
    return tuple(unique[i] for i in sorted(kept))


def _omit(omitted: dict[str, int], source: str, chars: int) -> None:
    if chars > 0:
        omitted[source] = omitted.get(source, 0) + chars


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
