"""What a setting may be, in words for a person, read out of the contract."""

from __future__ import annotations

from difflib import get_close_matches
from typing import cast

from msgspec import inspect

from ...contract import codec
from ...contract.settings import SettingsUpdateRequest
from ...errors import InvalidArgument, ValidationError


def names() -> tuple[str, ...]:
    """All settings."""
    return SettingsUpdateRequest.__struct_fields__


def check_name(name: str) -> None:
    """Refuse a name that no setting has, and say which one may be meant.

    Raises
    ------
    InvalidArgument
        There is no such setting.

    """
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise InvalidArgument(
            f"Unknown setting `{name}`.{hint}", recovery="`config show` lists all settings.", field=name
        )


def parse(name: str, text: str) -> SettingsUpdateRequest:
    """The request that gives a setting the value that a text stands for.

    Raises
    ------
    InvalidArgument, ValidationError
        There is no such setting, or it cannot be this; the error says what it can be.

    """
    check_name(name)
    try:
        return codec.decode(SettingsUpdateRequest, {name: text}, from_text=True)
    except ValidationError as failure:
        raise ValidationError(
            f"`{name}` cannot be `{text}`.",
            recovery=f"It is {describe(name)}.",
            **{"field": name, "expected": describe(name), **failure.details},
        ) from None


def describe(name: str) -> str:
    """What a setting may be: ``a number from 0 to 2 (0 is greedy)``."""
    info = cast(inspect.StructType, inspect.type_info(SettingsUpdateRequest))
    kind = next(field.type for field in info.fields if field.name == name)
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return _words(next(option for option in options if not isinstance(option, inspect.NoneType)))


def _words(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        remark = (kind.extra_json_schema or {}).get("description", "").rstrip(".")
        return f"{_words(kind.type)} ({remark[0].lower()}{remark[1:]})" if remark else _words(kind.type)
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(str(value) for value in kind.values)}"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, (inspect.IntType, inspect.FloatType)):
        return ("a whole number" if isinstance(kind, inspect.IntType) else "a number") + _range(kind)
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        return f"a text of {kind.min_length or 0} to {kind.max_length} characters"
    return "a text"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    low = f" above {kind.gt:g}" if kind.gt is not None else "" if kind.ge is None else f" from {kind.ge:g}"
    high = f" below {kind.lt:g}" if kind.lt is not None else "" if kind.le is None else f" to {kind.le:.7g}"
    return low + (" up" + high if low.startswith(" above") and high.startswith(" to") else high)
