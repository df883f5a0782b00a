"""The prompt of a completion as two texts, for a server that counts its own tokens. Pure."""

from __future__ import annotations

from ..contract.wire import SOURCE_BRIEF, FillPrompt
from .bounds import cut_prefix, first_kept
from .fill import SHARES, bounded

CHARS_PER_TOKEN = 3
"""Few, for code: what is sent must fit, and nobody here can count."""


def flatten(prompt: FillPrompt) -> tuple[str, str]:
    """The text before the cursor and the one after it, within the prompt's own bounds.

    As in the worker, what stands before the cursor begins at a border between two pieces, which moves in big
    steps and not with the line that is typed, so that a server finds the same beginning in its cache; the
    imports and the heads of definitions of what is before it stand at the top.
    """
    most = prompt.prefix_tokens * CHARS_PER_TOKEN
    head = int(most * SHARES[SOURCE_BRIEF])
    own, _ = cut_prefix(prompt.prefix, most - head)
    first = first_kept([*(len(piece.text) for piece in prompt.above), len(own)], most - head)
    # A piece without text stands for cells that were left out before.
    briefs = [
        brief
        for index, piece in enumerate(prompt.above)
        if index < first or not piece.text
        for brief in piece.brief
    ]
    above = [brief.text for brief in bounded(briefs, head, {})]
    above += [piece.text for piece in prompt.above[first:]]
    below = [prompt.suffix, *(piece.text for piece in prompt.below)]
    return "".join([*above, own]), "".join(below)[: prompt.suffix_tokens * CHARS_PER_TOKEN]
