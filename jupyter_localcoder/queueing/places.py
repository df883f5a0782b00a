"""The ``{{name}}`` places of a prompt. Pure.

Only a caller who hands in parameters asks for them to be filled; in any other prompt, and in the texts that
are put in, double braces are text. So nothing that comes out of a notebook is ever taken for a place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import ValidationError

_PLACE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*\}\}")


def fill_places(prompt: str, parameters: Mapping[str, str]) -> str:
    """Put the parameters into their places, in one pass.

    Raises
    ------
    ValidationError
        Places without a parameter; it names them all.
    """
    missing = sorted({name for name in _PLACE.findall(prompt) if name not in parameters})
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise ValidationError(
            f"The prompt has places without a parameter: {listed}.",
            recovery="Give each a text in `parameters`. Text with braces of its own belongs into one.",
            field="parameters",
            missing=missing,
        )
    return _PLACE.sub(lambda place: parameters[place[1]], prompt)
