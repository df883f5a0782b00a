"""Short ways to ask a provider."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from jupyter_localcoder.providers.base import (
    AnswerDelta,
    ChatTurn,
    End,
    Fill,
    Messages,
    Provider,
    ProviderRequest,
    RawPrompt,
)

KEY = "sk-canary-0123456789abcdef"
ASK = ProviderRequest(Messages((ChatTurn("system", "Be brief."), ChatTurn("user", "Hello?"))))


def asking(*, text: str = "", fill: tuple[str, str] | None = None, **changes: Any) -> ProviderRequest:
    """A chat; with ``text`` a text to go on, with ``fill`` two texts to fill the middle of."""
    if text:
        changes["input"] = RawPrompt(text)
    if fill is not None:
        changes["input"] = Fill(*fill)
    return replace(ASK, **changes)


async def collect(provider: Provider, request: ProviderRequest = ASK) -> tuple[list[str], End]:
    """All pieces of an answer, without its reasoning, and its end."""
    pieces: list[str] = []
    async with contextlib.aclosing(provider.stream(request)) as frames:
        async for frame in frames:
            if isinstance(frame, AnswerDelta):
                assert frame.text or frame.reasoning
                if frame.text:
                    pieces.append(frame.text)
            else:
                assert not [later async for later in frames], "something came after the end"
                return pieces, frame
    raise AssertionError("an answer without an end")
