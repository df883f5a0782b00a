"""All clients, in a process of their own: what they compute is not waited for by the probes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from .people import ALLOWED, Person


@dataclass(frozen=True)
class Tally:
    """What a crowd did."""

    done: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    """By operation and code; also those that are allowed."""

    @property
    def unforeseen(self) -> int:
        """Errors that should not have been."""
        return sum(n for name, n in self.errors.items() if name.rsplit(": ", 1)[-1] not in ALLOWED)


def run(url: str, token: str, clients: int, seconds: float, seed: int) -> Tally:
    """Let so many clients work for so long; blocks."""
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    return asyncio.run(_run(url, token, clients, seconds, seed))


async def _run(url: str, token: str, clients: int, seconds: float, seed: int) -> Tally:
    until = asyncio.get_running_loop().time() + seconds
    people = [Person(url, token, number, seed) for number in range(clients)]
    ends = await asyncio.gather(*(person.live(until) for person in people), return_exceptions=True)
    tally = Tally()
    for person in people:
        tally.done.update(person.done)
        tally.errors.update(person.errors)
    for end in ends:
        if isinstance(end, BaseException):
            tally.errors[f"client: {type(end).__name__} {end}"] += 1
    return tally
