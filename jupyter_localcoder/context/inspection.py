"""What a model has read, told by source: in tokens, as the exact text, and as a text without content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..contract.generation import PromptPart
from ..contract.wire import Segment

_USUAL_CHARS_PER_TOKEN = 3.5
_CONTENT = re.compile(r"\S")


def parts(segments: Sequence[Segment], omitted: Mapping[str, int]) -> tuple[PromptPart, ...]:
    """Tokens by source, in the order in which the sources come.

    Parameters
    ----------
    omitted
        Characters by source that no token was counted of; they are told in tokens of the length that this
        prompt's own tokens have.
    """
    text = [segment for segment in segments if not segment.control]
    chars, tokens = sum(len(s.text) for s in text), sum(s.tokens for s in text)
    chars_per_token = chars / tokens if tokens and chars else _USUAL_CHARS_PER_TOKEN
    read: dict[str, int] = {}
    left_out = {source: -(-size // chars_per_token) for source, size in omitted.items() if size > 0}
    for segment in segments:
        read[segment.source] = read.get(segment.source, 0) + segment.tokens
        left_out[segment.source] = left_out.get(segment.source, 0) + segment.left_out
    return tuple(
        PromptPart(source=source, tokens=read.get(source, 0), left_out_tokens=int(left_out.get(source, 0)))
        for source in dict.fromkeys([*read, *left_out])
    )


def prompt_text(segments: Sequence[Segment]) -> str:
    """The exact prompt."""
    return "".join(segment.text for segment in segments)


def redacted_text(segments: Sequence[Segment], counted: Sequence[PromptPart]) -> str:
    """The prompt with an `x` for every character that is no white space, below its tokens by source.

    Control tokens stay: they are the model's, not the person's.
    """
    head = "".join(f"{p.source}: {p.tokens} tokens, {p.left_out_tokens} left out\n" for p in counted)
    body = "".join(s.text if s.control else _CONTENT.sub("x", s.text) for s in segments)
    return f"{head}\n{body}"
