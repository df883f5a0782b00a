"""Makes a class offer the operations of its nouns as its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..contract.registry import OPERATIONS

C = TypeVar("C", bound=type)


class _Offered:
    """A method of a noun, found under the same name on its owner."""

    def __init__(self, attribute: str, noun: type, method: str) -> None:
        self._attribute = attribute
        self._noun = noun
        self._method = method

    def __get__(self, owner: Any, cls: type | None = None) -> Callable[..., Any]:
        holder = self._noun if owner is None else getattr(owner, self._attribute)
        method: Callable[..., Any] = getattr(holder, self._method)
        return method


def offers_operations(cls: C) -> C:
    """Give a class every operation of the contract that one of its declared nouns has a method for.

    A noun is an attribute that the class body declares with its type (``backend: Backend``).

    Raises
    ------
    TypeError
        Two nouns have a method for the same operation.
    """
    nouns = inspect.get_annotations(cls, eval_str=True)
    for op in OPERATIONS:
        serving = [name for name, noun in nouns.items() if hasattr(noun, op.method_name)]
        if len(serving) > 1:
            raise TypeError(f"{op.name} is served by {' and '.join(serving)}")
        for name in serving:
            setattr(cls, op.method_name, _Offered(name, nouns[name], op.method_name))
    return cls
