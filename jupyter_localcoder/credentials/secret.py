"""A key, wrapped so that it does not get anywhere by accident."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Holds a key. No repr, format, comparison or copy by pickle shows it; `reveal` does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself; for the header that it belongs into, and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")
