"""The options of a command, one to a line, for a terminal of 80 columns.

traitlets' own form takes three lines for each, and names the trait: that stays in ``--help-all``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from traitlets import Enum, Float, Integer, TraitType
from traitlets.config import Configurable

_WIDTH = 80
_COLUMN = 24


def option_lines(
    command: type[Configurable], flags: Mapping[str, Any], aliases: Mapping[str, Any]
) -> Iterator[str]:
    """The lines of some options: those that take a value, then those that switch something on."""
    valued = {f"--{name}={_value(trait)}": str(trait.help) for name, trait in _traits(command, aliases)}
    switches = {f"--{name}": str(text) for name, (_, text) in flags.items()}
    for option, text in (valued | switches).items():
        yield from _line(option, text)


def help_lines() -> Iterator[str]:
    """The lines of the options that only help."""
    yield from _line("--help", "Print this.")
    yield from _line("--help-all", "Print this help, and all options of the form `--Class.trait=value`.")


def _traits(
    command: type[Configurable], aliases: Mapping[str, Any]
) -> Iterator[tuple[str, TraitType[Any, Any]]]:
    for name, target in aliases.items():
        path = target if isinstance(target, str) else target[0]
        yield name, command.class_traits()[path.split(".")[-1]]


def _value(trait: TraitType[Any, Any]) -> str:
    if isinstance(trait, Integer):
        return "N"
    return "X" if isinstance(trait, Float) else "LEVEL" if isinstance(trait, Enum) else "TEXT"


def _line(option: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - _COLUMN, break_on_hyphens=False)
    if len(option) > _COLUMN - 4:
        yield f"  {option}"
    else:
        yield f"  {option}".ljust(_COLUMN) + lines.pop(0)
    yield from (" " * _COLUMN + line for line in lines)
