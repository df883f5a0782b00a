"""Which method serves which operation: each marks itself, and one table holds them all."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any, TypeVar, get_origin, get_type_hints

import msgspec

from ..contract.registry import OPERATIONS, Operation

N = TypeVar("N")
Req = TypeVar("Req", bound=msgspec.Struct)
A = TypeVar("A")

Handler = Callable[[Any], Any]
"""Takes a request. Answers an awaitable of the response, or the frames of an operation that streams."""

_SERVES = "__serves__"


def serves(operation: Operation[Req, Any]) -> Callable[[Callable[[N, Req], A]], Callable[[N, Req], A]]:
    """Mark the method of a noun that serves an operation; `handlers_of` finds it."""

    def mark(method: Callable[[N, Req], A]) -> Callable[[N, Req], A]:
        setattr(method, _SERVES, operation)
        return method

    return mark


def handlers_of(
    nouns: Iterable[object], operations: Iterable[Operation[Any, Any]] = OPERATIONS
) -> Mapping[Operation[Any, Any], Handler]:
    """Return the table of all operations: each with the marked method of one noun.

    Raises
    ------
    TypeError
        An operation has no method, more than one, or one that takes another request, answers something else,
        or streams where the operation does not.
    """
    handlers: dict[Operation[Any, Any], Handler] = {}
    for noun in nouns:
        for name, method in inspect.getmembers(type(noun), inspect.isfunction):
            operation = getattr(method, _SERVES, None)
            if operation is None:
                continue
            if operation in handlers:
                raise TypeError(f"{operation.name} is served twice, also by {method.__qualname__}")
            _check(operation, method)
            handlers[operation] = getattr(noun, name)
    expected = set(operations)
    if missing := [operation.name for operation in expected - handlers.keys()]:
        raise TypeError(f"Nothing serves {', '.join(sorted(missing))}")
    if unknown := [operation.name for operation in handlers.keys() - expected]:
        raise TypeError(f"Not in the registry: {', '.join(sorted(unknown))}")
    return handlers


def _check(operation: Operation[Any, Any], method: Callable[..., Any]) -> None:
    """Hold what a method declares against what its operation does."""
    where = f"{method.__qualname__} serves {operation.name}"
    hints = get_type_hints(method)
    answer = hints.pop("return", None)
    if list(hints.values()) != [operation.request]:
        raise TypeError(f"{where}, and must take one {operation.request.__name__}")
    if operation.streams:
        if get_origin(answer) is not AsyncGenerator:
            raise TypeError(f"{where}, which streams: it must return an AsyncGenerator")
    elif not inspect.iscoroutinefunction(method) or answer is not operation.response:
        raise TypeError(f"{where}, and must be a coroutine that returns {operation.response.__name__}")
