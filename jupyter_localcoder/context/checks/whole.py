"""Where a line that is cut off can end: after a whole word, with no bracket left open.

A line that stops in the middle of a name, a string or a call is worse than a shorter one: whoever accepts it
has to mend it first. Made for Python, and right for languages that write brackets and strings like it.
"""

from __future__ import annotations

import keyword

from .scan import Scan, scan

_GO_ON = frozenset(keyword.kwlist) - {"pass", "break", "continue", "None", "True", "False"}
"""Words after which a line goes on."""
_ENDS = ")]}\"':"


def whole_part(before: str, line: str, following: str = "") -> str:
    """The longest beginning of a line that ends where one may stop; empty where there is none.

    Parameters
    ----------
    before
        The code before the line, up to where it begins.
    following
        How the line would go on behind the cut, where that is known.
    """
    start = scan(before)
    lead = start.brackets + start.quote + "#" * start.comment
    for end in range(len(line), 0, -1):
        if not line[end - 1].isspace() and _may_end(start, lead, line + following, end):
            return line[:end]
    return ""


def _may_end(start: Scan, lead: str, line: str, end: int) -> bool:
    head, following = line[:end], line[end : end + 1]
    # Whether a word at the very end was whole, nobody knows.
    is_whole = not _of_word(head[-1]) or (following != "" and not _of_word(following))
    state = scan(lead + head)
    if state.comment or (state.quote and (state.quote, state.brackets) == (start.quote, start.brackets)):
        return is_whole and (following == "" or following.isspace())
    if state.quote or not start.brackets.startswith(state.brackets):
        return False
    if not _of_word(head[-1]):
        return head[-1] in _ENDS
    word = head[len(head.rstrip("".join(filter(_of_word, head)))) :]
    # A part of a number is another number.
    is_number = word[:1].isdigit() and following in (".", "_")
    return is_whole and not is_number and word not in _GO_ON


def _of_word(character: str) -> bool:
    return character.isalnum() or character == "_"
