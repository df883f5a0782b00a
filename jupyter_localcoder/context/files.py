"""The file above the cursor, in pieces, as a notebook's cells are.

So what of a long file has no room is still known by its imports and the heads of its definitions. Pieces are
cut from the top, at statements of the outermost level, and at methods where these are long: typing below them
does not move them.
"""

from __future__ import annotations

import re

from .outline import still_quoted

LEAST_CHARS = 2000
"""Of a piece. Few, so that little more than needed is left out; enough for a definition or two."""
_METHOD = re.compile(r"[ \t]+(?:@\w|(?:async\s+)?def\s)")
_INNER = (" ", "\t", ")", "]", "}", "\n")


def split(prefix: str) -> tuple[list[str], str]:
    """Complete pieces of a file, and the rest up to the cursor, the cursor's line within it."""
    above, newline, _ = prefix.rpartition("\n")
    pieces: list[str] = []
    begin = at = 0
    quotes = ""
    for line in (above + newline).splitlines(keepends=True):
        size = at - begin
        is_border = not line.startswith(_INNER) or (size >= 2 * LEAST_CHARS and _METHOD.match(line))
        if not quotes and size >= LEAST_CHARS and is_border:
            pieces.append(prefix[begin:at])
            begin = at
        if quotes or '"""' in line or "'''" in line:
            quotes = still_quoted(line, quotes)
        at += len(line)
    return pieces, prefix[begin:]
