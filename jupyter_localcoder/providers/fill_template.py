"""A prompt for filling in the middle, written out with the marks of a model's family. Pure."""

from __future__ import annotations

import re

from ..errors import ValidationError
from .base import Fill

_PLACES = re.compile(r"(\{prefix\}|\{suffix\})")


class FillPromptTemplate:
    """A raw prompt with the marks of a model's family, and places for the two texts.

    Raises
    ------
    ValidationError
        It does not hold each place once.
    """

    def __init__(self, template: str) -> None:
        self._parts = _PLACES.split(template)
        if sorted(self._parts[1::2]) != ["{prefix}", "{suffix}"]:
            raise ValidationError(
                "`fill_template` must contain `{prefix}` and `{suffix}` exactly once each.",
                field="fill_template",
            )
        self._marks = [mark for part in self._parts[::2] if (mark := part.strip())]

    def filled(self, fill: Fill) -> str:
        """The prompt for a cursor; marks in the code itself are taken out: they would be read as marks."""
        texts = {"{prefix}": self._unmarked(fill.prefix), "{suffix}": self._unmarked(fill.suffix)}
        return "".join(texts.get(part, part) for part in self._parts)

    def _unmarked(self, text: str) -> str:
        for mark in self._marks:
            text = text.replace(mark, "")
        return text
