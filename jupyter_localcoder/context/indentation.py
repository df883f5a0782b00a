"""The blanks that stand before the cursor on a line that is otherwise empty.

A model writes an indentation and the word after it as tokens of its own kind: after blanks that end its
prompt it tends to indent once more. So the prompt ends before them, the model writes them itself, and they
are taken off its answer.
"""

from __future__ import annotations

BLANKS = " \t"


def split_indentation(prefix: str) -> tuple[str, str]:
    """A prefix without the blanks of its last line, and these; nothing is split where the line says more."""
    head = prefix.rstrip(BLANKS)
    if head and not head.endswith("\n"):
        return prefix, ""
    return head, prefix[len(head) :]


class Outdent:
    """Takes an indentation off the beginning of an answer that comes in pieces."""

    def __init__(self, indentation: str) -> None:
        self._left = indentation

    def take(self, text: str) -> str:
        """Take the next piece, and return it without what stands before the cursor already."""
        while self._left and text[:1] == self._left[0]:
            text, self._left = text[1:], self._left[1:]
        if text:
            self._left = ""
        return text
