"""A trial for a page: one silent expression in the kernel, whose value is a text.

The kernel is busy while it runs; interrupting the kernel stops it.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from .trial import Notebook, compare
from .verdict import Verdict, cannot_check


class PageRequest(msgspec.Struct, frozen=True):
    """What a page asks."""

    old: str
    new: str


class PageVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows."""

    kind: str
    sentence: str
    notes: tuple[str, ...]


def answer(request: str) -> str:
    """Try a change of a cell in a copy of this kernel's notebook.

    Parameters
    ----------
    request
        A `PageRequest` as JSON in base64.

    Returns
    -------
    str
        A `PageVerdict` as JSON in base64.

    Raises
    ------
    KeyboardInterrupt
        The kernel was interrupted.
    """
    from IPython.core.getipython import get_ipython

    asked = msgspec.json.decode(base64.b64decode(request), type=PageRequest)
    shell: Any = get_ipython()
    if shell is None:
        verdict: Verdict = cannot_check("the kernel is not IPython")
    else:
        try:
            verdict = compare(asked.old, asked.new, Notebook.of(shell))
        except OSError as error:
            verdict = cannot_check(str(error))
    shown = PageVerdict(kind=verdict.kind, sentence=verdict.sentence, notes=verdict.notes)
    return base64.b64encode(msgspec.json.encode(shown)).decode()
