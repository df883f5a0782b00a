"""What a peer can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Speeds:
    """Time of one request."""

    first_seconds: float
    """From the request to the first token: the prefill, and one draw."""
    rest_seconds: float
    """From the first token to the last."""


class Peer(Protocol):
    """Something that generates text from the same weights."""

    name: str

    def generate(self, prompt_tokens: int, answer_tokens: int) -> Speeds:
        """Generate exactly so many tokens, greedily, from a prompt of so many, without any cache."""
