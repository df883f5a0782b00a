"""The words of titles: what a model is asked, and what is made of its answer. Pure."""

from __future__ import annotations

import re

from ..contract.history import TITLE_CHARS
from ..text.plain_text import plain

ASKED_CHARS = 500
"""So much of a prompt and its answer together is shown to who makes the title."""
_PROMPT_CHARS = 350
MAX_TOKENS = 24
MAX_THOUGHT_TOKENS = 600
"""More, once, for a model that reasons all the same."""
MAX_LONG_TOKENS = 72
"""Enough, once, where a title was cut off: six words of some languages take many tokens."""
_LONGEST_WORDS = 10

SYSTEM = "You write short titles. Answer with the title alone: at most six words, on one line."
_INSTRUCTION = "Write a title for this question and its answer.\n\nQuestion:\n{prompt}\n\nAnswer:\n{answer}"
_LABEL = re.compile(r"(title|titel)\s*:\s*", re.IGNORECASE)
_AROUND = " \t\"'`*_#\u201c\u201d\u2018\u2019\u00ab\u00bb-\u2013\u2014:"
"""White space, quotation marks, dashes, and the marks of Markdown."""


def question(prompt: str, answer: str) -> str:
    """What the model is asked."""
    asked = prompt[:_PROMPT_CHARS].strip()
    return _INSTRUCTION.format(prompt=asked, answer=answer[: ASKED_CHARS - len(asked)].strip())


def is_cut(said: str, finish: str) -> bool:
    """Whether an answer ended within its first line, which is then no title: what is missing is unknown."""
    if finish == "stop":
        return False
    return "\n" not in said.strip()


def title_of(answer: str) -> str:
    """The title in what the model said; empty where there is none."""
    for line in plain(answer).splitlines():
        words = _LABEL.sub("", line.strip(_AROUND), count=1).strip(_AROUND).rstrip(".").split()
        text = " ".join(words[:_LONGEST_WORDS])
        if any(c.isalnum() for c in text):
            return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
    return ""
