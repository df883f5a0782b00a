"""What several benches ask alike: a free prompt, and a completion whose first token is timed."""

from __future__ import annotations

import time

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import CompleteRequest, Delta, Done, GenerateRequest
from jupyter_localcoder.contract.registry import GENERATE, TAB_COMPLETE

from . import texts

_HEAD_TOKENS = 300


def free_prompt(text: str, max_tokens: int, *, private: bool = True) -> GenerateRequest:
    """A prompt of its own words, answered greedily.

    Parameters
    ----------
    private
        Keep no answer: else its title is written while something else is measured.
    """
    return GenerateRequest(
        command="prompt",
        instruction=text,
        max_tokens=max_tokens,
        sampling=SamplingOptions(temperature=0.0),
        private=private,
    )


def answer(client: Client, request: GenerateRequest) -> None:
    """Ask, and wait for the end of the answer."""
    with client.stream(GENERATE, request) as frames:
        for _ in frames:
            pass


def first_token_ms(client: Client, number: int, *, scope: str) -> float:
    """Milliseconds from a keystroke to the first text of the completion.

    Parameters
    ----------
    number
        Another one is another line, below the same code: what is computed is the line alone.
    """
    head = texts.code(_HEAD_TOKENS)
    prefix = head + "\ndef total_of_all_columns(rows):\n    values = [column_1(rows)," + " " * (number % 7)
    request = CompleteRequest(prefix=prefix, suffix="\n    return sum(values)\n", max_tokens=8, scope=scope)
    begin = time.perf_counter()
    with client.stream(TAB_COMPLETE, request) as frames:
        for frame in frames:
            if isinstance(frame, Delta | Done):
                return (time.perf_counter() - begin) * 1000
    raise RuntimeError("an answer without an end")
