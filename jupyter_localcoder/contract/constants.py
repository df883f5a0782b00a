"""The facts besides types that TypeScript needs: each is declared in Python, and generated.

``typescript.render`` writes them to ``labextension/src/contract.ts``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .fill_tokens import QWEN_FILL
from .generation import CHANGES
from .tex import DISARMED_TEX


@dataclass(frozen=True)
class Constant:
    """One fact."""

    name: str
    value: bool | float | str | tuple[str, ...] | dict[str, float | str]
    comment: str
    """What it is, in a sentence."""
    type: str = ""
    """Type of the items of a list, where they are more than strings."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression that Python and JavaScript read alike."""

    name: str
    source: str
    comment: str


FACTS: tuple[Constant | Pattern, ...] = (
    Constant(
        "CHANGES",
        tuple(sorted(CHANGES)),
        "Commands whose answer takes the place of the code that was sent.",
        "Command",
    ),
    Constant(
        "DISARMED_TEX",
        DISARMED_TEX,
        "TeX commands, without the backslash, that lose their meaning in what a model writes.",
    ),
    Constant(
        "QWEN_FILL", QWEN_FILL, "The raw prompt for filling in the middle that most servers understand."
    ),
)
