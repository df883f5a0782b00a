"""Marks that a prompt carries as comments: one table for who writes them and who finds them in an answer."""

from __future__ import annotations

import re

OUT = "Out:"
"""Below a cell, before the kind of thing that it showed."""
RAISED = "raised"
"""Below a cell, before the name of its exception."""
FAILED = "failed"
NOT_RUN = "not run"
KERNEL = "In the kernel:"
"""Above the lines that tell what the kernel knows."""

_MARK = re.compile(rf"{OUT}|{KERNEL}|(?:{RAISED} +[\w.]+|{FAILED}|{NOT_RUN})$")


def is_mark(said: str, *, cut_off: bool = False) -> bool:
    """Whether a comment says what only a prompt says.

    Parameters
    ----------
    said
        The comment, without what makes it one.
    cut_off
        Whether it may have gone on: the beginning of a mark is one, too.
    """
    begins = cut_off and said and any(mark.startswith(said) for mark in (OUT, KERNEL, NOT_RUN, FAILED))
    return bool(begins or _MARK.match(said))
