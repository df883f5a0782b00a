"""The ``{{name}}`` places of a prompt. Pure.

Only a caller who hands in parameters asks for them to be filled; in any other prompt, and in the texts that
are put in, double braces are text. So nothing that comes out of a notebook is ever taken for a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from ..contract.notebook import MAX_TEXT_CHARS
from ..contract.queue import PLACE_PATTERN
from ..errors import TokenLimitExceeded, ValidationError

_PLACE = re.compile(PLACE_PATTERN)


def fill_places(prompt: str, parameters: Mapping[str, str]) -> str:
    """Put the parameters into their places, in one pass.

    Raises
    ------
    ValidationError
        Places without a parameter; it names them all.
    TokenLimitExceeded
        What comes out would be longer than a text may be; it is not made.
    """
    places = Counter[str]()
    chars = len(prompt)
    for place in _PLACE.finditer(prompt):
        places[place[1]] += 1
        chars += len(parameters.get(place[1], "")) - len(place[0])
    missing = sorted(places.keys() - parameters.keys())
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise ValidationError(
            f"The prompt has placeholders without a parameter: {listed}.",
            recovery="Give each a text in `parameters`. Pass text that contains braces as a parameter.",
            field="parameters",
            missing=missing,
        )
    if chars > MAX_TEXT_CHARS:
        largest = max(places, key=lambda name: places[name] * len(parameters[name]))
        raise TokenLimitExceeded(
            f"With its placeholders filled in, the prompt has {chars} characters; the maximum is "
            f"{MAX_TEXT_CHARS}.",
            recovery=f"Shorten `{largest}`, which occurs {places[largest]} times, or use it less often.",
            field="parameters",
            characters=chars,
            limit=MAX_TEXT_CHARS,
        )
    return _PLACE.sub(lambda place: parameters[place[1]], prompt)
