"""`%localcoder inspect`: what the model has read for an answer."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..contract.generation import Inspection, InspectRequest
from ..contract.registry import CONTEXT_INSPECT
from ..text.plain_text import plain
from .table import table

USAGE = "%localcoder inspect [redacted] [ID]"


def inspect(shell: InteractiveShell, client: Client, words: Sequence[str]) -> None:
    """Show it.

    Raises
    ------
    UsageError
        The words are too many.
    LocalCoderError
    """
    is_redacted = words[:1] == ["redacted"]
    names = words[1:] if is_redacted else words
    if len(names) > 1:
        raise UsageError(USAGE)
    found = client.call(CONTEXT_INSPECT, InspectRequest(run=names[0] if names else ""))
    if found.parts:
        rows = [(part.source, str(part.tokens), str(part.left_out_tokens or "")) for part in found.parts]
        shell.display_pub.publish(table(["Source", "Tokens", "Left out"], rows))
    print(plain(_facts(found)))
    print(plain(found.redacted if is_redacted else found.prompt))


def _facts(found: Inspection) -> str:
    read, cached = found.usage.prompt_tokens, found.usage.cached_tokens
    tokens = None if read is None else f"{read} tokens" + (f", {cached} of them cached" if cached else "")
    return plain(" · ".join(filter(None, (found.run, found.provider, found.model.id, tokens))))
