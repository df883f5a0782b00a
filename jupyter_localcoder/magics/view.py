"""How an answer is shown while it comes: as Markdown in a notebook, as plain text in a terminal.

A view knows nothing of requests. Whatever it is given is text of a model, and goes through `inert` or
`plain` before it is shown.
"""

from __future__ import annotations

import html
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from IPython.core.interactiveshell import InteractiveShell

from ..text.answers import DiffLine, code_of
from ..text.plain_text import PlainText, plain
from ..text.safe_markdown import fenced, inert
from .diff_view import ansi_diff, html_diff, plain_diff
from .options import Format

MAX_UPDATES_PER_SECOND = 15.0
"""More are not visible, and each makes the front end render the whole answer again."""

Metadata = dict[str, Any]


class View(ABC):
    """Shows one answer, and what belongs to it."""

    @abstractmethod
    def begin(self) -> None:
        """The request was accepted; the answer may take a while."""

    @abstractmethod
    def begin_again(self) -> None:
        """What was shown could not be used: a second answer takes its place."""

    @abstractmethod
    def add(self, piece: str) -> None:
        """Show more of the answer."""

    @abstractmethod
    def reason(self, piece: str) -> None:
        """Show that the model reasons before it answers, and what."""

    @abstractmethod
    def settle(self, text: str, reasoning: str) -> None:
        """Take what answer and reasoning have turned out to be, which may be known only at the end."""

    @abstractmethod
    def end(self, metadata: Metadata) -> None:
        """Show what has not been shown yet; nothing more will come."""

    @abstractmethod
    def diff(self, lines: list[DiffLine]) -> None:
        """Show what the answer changes; no lines: nothing."""

    @abstractmethod
    def note(self, sentence: str) -> None:
        """Show one dim line."""

    @abstractmethod
    def trying(self, sentence: str) -> None:
        """Show that the code is being tried in a copy."""

    @abstractmethod
    def verdict(self, sentence: str, notes: Sequence[str]) -> None:
        """Show what the trial has shown; in place of `trying`, where that is possible."""


class NotebookView(View):
    """One output that is updated in place.

    Parameters
    ----------
    shell
        Whose display publisher is used.
    language
        Of the code in the answer.
    clock
        Seconds, as `time.monotonic`.

    """

    def __init__(
        self,
        shell: InteractiveShell,
        style: Format,
        language: str = "python",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shell = shell
        self._style = style
        self._language = language
        self._clock = clock
        self._id = uuid.uuid4().hex
        self._text = ""
        self._reasoning = ""
        self._reasoning_id = ""
        self._trial_id = ""
        self._opened = False
        self._shown_at = -1.0

    def begin(self) -> None:
        """Open the output with an ellipsis."""
        self._publish({"text/plain": "…"}, {})

    def begin_again(self) -> None:
        """Forget the first answer; the output is updated with the second."""
        self._text = self._reasoning = ""

    def add(self, piece: str) -> None:
        """Update the output, unless the last update was a moment ago."""
        self._text += piece
        now = self._clock()
        if self._shown_at < 0 or now - self._shown_at >= 1 / MAX_UPDATES_PER_SECOND:
            self._publish(self._bundle(), {})
            self._shown_at = now

    def reason(self, piece: str) -> None:
        """Show the reasoning collapsed, in a separate output above the answer."""
        self._reasoning += piece
        now = self._clock()
        if self._reasoning.strip() and (
            not self._reasoning_id or now - self._shown_at >= 1 / MAX_UPDATES_PER_SECOND
        ):
            self._show_reasoning()
            self._shown_at = now

    def settle(self, text: str, reasoning: str) -> None:
        """Show it so with the last update."""
        if self._text and text != self._text:
            # Of reasoning, only as much comes as is kept.
            self._text, self._reasoning = text, reasoning or self._reasoning
        elif text and not reasoning and self._reasoning == text:
            self._reasoning = ""  # It was the answer after all.

    def end(self, metadata: Metadata) -> None:
        """Update the output for the last time, with how the answer was made."""
        if self._reasoning_id or self._reasoning.strip():
            self._show_reasoning()
        if self._opened or self._text:
            self._publish(self._bundle(), metadata)

    def diff(self, lines: list[DiffLine]) -> None:
        """Show the diff as HTML that follows the theme."""
        self._shell.display_pub.publish({"text/html": html_diff(lines), "text/plain": plain_diff(lines)})

    def note(self, sentence: str) -> None:
        """Show a small line in the theme's second colour."""
        text = plain(sentence)
        self._shell.display_pub.publish({"text/html": _small(text), "text/plain": text})

    def trying(self, sentence: str) -> None:
        """Show a line that `verdict` replaces."""
        self._trial_id = uuid.uuid4().hex
        self._publish_trial(sentence, (), update=False)

    def verdict(self, sentence: str, notes: Sequence[str]) -> None:
        """Replace the line."""
        self._publish_trial(sentence, notes, update=bool(self._trial_id))

    def _publish_trial(self, sentence: str, notes: Sequence[str], *, update: bool) -> None:
        text, more = plain(sentence), plain(" ".join(notes))
        small = f"<br>{_small(more)}" if more else ""
        self._shell.display_pub.publish(
            {
                "text/html": f'<div role="status"><strong>{html.escape(text)}</strong>{small}</div>',
                "text/plain": f"{text}\n{more}" if more else text,
            },
            transient={"display_id": self._trial_id} if self._trial_id else None,
            update=update,
        )

    def _show_reasoning(self) -> None:
        is_first = not self._reasoning_id
        if is_first:
            # It takes the place of the answer, which goes on below: an output cannot be put above another.
            self._reasoning_id, self._id = self._id, uuid.uuid4().hex
        self._shell.display_pub.publish(
            folded(self._reasoning) if self._reasoning.strip() else {"text/plain": ""},
            transient={"display_id": self._reasoning_id},
            update=self._opened or not is_first,
        )
        if is_first:
            self._opened = False
            self._publish(self._bundle() if self._text else {"text/plain": "…"}, {})

    def _publish(self, bundle: dict[str, str], metadata: Metadata) -> None:
        self._shell.display_pub.publish(
            bundle, metadata, transient={"display_id": self._id}, update=self._opened
        )
        self._opened = True

    def _bundle(self) -> dict[str, str]:
        if self._style == "text":
            return {"text/plain": plain(self._text)}
        if self._style == "code":
            code = plain(code_of(self._text, self._language))
            return {"text/markdown": fenced(code, self._language), "text/plain": code}
        return {"text/markdown": inert(self._text), "text/plain": plain(self._text)}


def _small(text: str) -> str:
    """A text as a small dim line of a notebook."""
    return f'<small style="color: var(--jp-ui-font-color2, gray)">{html.escape(text)}</small>'


class TerminalView(View):
    """Text that is written as it comes, without anything that a terminal would act upon."""

    def __init__(self, style: Format, language: str = "python", out: TextIO | None = None) -> None:
        self._style = style
        self._language = language
        self._out = sys.stdout if out is None else out
        self._filter = PlainText()
        self._text = ""
        self._reasons = False

    def begin(self) -> None:
        """Write nothing: a terminal cannot take it back."""

    def begin_again(self) -> None:
        """Say that another answer follows: a terminal cannot remove printed text."""
        if self._text and self._style != "code":
            self._write("" if self._text.endswith("\n") else "\n")
            self.note("This answer cannot be used. A second one:")
        self._text, self._filter = "", PlainText()

    def add(self, piece: str) -> None:
        """Write on; of `code`, which is known only at the end, nothing yet."""
        self._text += piece
        if self._style != "code":
            self._write(self._filter.feed(piece))

    def reason(self, piece: str) -> None:
        """Write that it reasons, once: a terminal cannot fold anything away."""
        if piece.strip() and not self._reasons:
            self._reasons = True
            self.note("The model is reasoning.")

    def settle(self, text: str, reasoning: str) -> None:
        """Write the answer again without its reasoning: a terminal cannot remove printed text."""
        if self._text and text != self._text:
            if self._style != "code":
                self._write("\n")
                self.note("The output began with reasoning. The answer alone:")
                self._write(plain(text))
            self._text = text

    def end(self, metadata: Metadata) -> None:
        """Write what is missing, up to the end of the line. A terminal has no place for metadata."""
        if self._style == "code":
            self._write(plain(code_of(self._text, self._language)) + "\n")
        elif self._text and not self._text.endswith("\n"):
            self._write("\n")

    def diff(self, lines: list[DiffLine]) -> None:
        """Write the diff, coloured if a person looks at it."""
        self._write((ansi_diff if self._out.isatty() else plain_diff)(lines) + "\n")

    def note(self, sentence: str) -> None:
        """Write a line, dim if a person looks at it."""
        text = plain(sentence)
        self._write(f"\x1b[2m{text}\x1b[0m\n" if self._out.isatty() else f"{text}\n")

    def trying(self, sentence: str) -> None:
        """Write a dim line."""
        self.note(sentence)

    def verdict(self, sentence: str, notes: Sequence[str]) -> None:
        """Write the sentence, and dim lines."""
        self._write(plain(sentence) + "\n")
        for one in notes:
            self.note(one)

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
        except UnicodeEncodeError:  # a terminal of another encoding than the text's
            encoding = self._out.encoding or "ascii"
            self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


def folded(reasoning: str) -> dict[str, str]:
    """What a model reasoned, folded away; in plain text one line says that there is some."""
    text = plain(reasoning).strip()
    head = f"Reasoning ({len(text)} characters)"
    style = "white-space: pre-wrap; color: var(--jp-ui-font-color2, gray)"
    markup = f'<details><summary>{head}</summary><pre style="{style}">{html.escape(text)}</pre></details>'
    return {"text/html": markup, "text/plain": head}


def view_of(shell: InteractiveShell, style: Format, language: str) -> View:
    """The view that fits the shell: only one that has a kernel around it can show more than text."""
    if getattr(shell, "kernel", None) is not None:
        return NotebookView(shell, style, language)
    return TerminalView(style, language)
