"""Who asks, as far as it can be told when they have left, and how much of what is there they may hold.

A transport says it in `current` before it calls the service; where nobody says anything (the service runs in
the caller's own process), the caller is there as long as the service is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from ..errors import QueueFull
from ..text import units


class ConnectedClient:
    """A caller with a connection, which ends once.

    Parameters
    ----------
    owner
        Whose it is: a user, a token. All that one owner asks for counts together, over whichever connection.
    kernel
        Whether it shows the token that kernels and terminals have, and not what a person signs in with.
    """

    def __init__(self, owner: str = "", *, kernel: bool = False) -> None:
        self.owner = owner
        self.kernel = kernel
        self._ended = False
        self._callbacks: dict[object, Callable[[], None]] = {}

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when it ends, or at once if it has; call what is returned to be left in peace."""
        if self._ended:
            callback()
            return lambda: None
        key = object()
        self._callbacks[key] = callback

        def forget() -> None:
            self._callbacks.pop(key, None)

        return forget

    def end(self) -> None:
        """The caller has left."""
        self._ended = True
        while self._callbacks:
            self._callbacks.popitem()[1]()


class PollingClient:
    """A caller without a connection that lasts, who may come back and ask again; parameters as before."""

    def __init__(self, owner: str = "", *, kernel: bool = False) -> None:
        self.owner = owner
        self.kernel = kernel


Caller = ConnectedClient | PollingClient | None

current: ContextVar[Caller] = ContextVar("localcoder_caller", default=None)
"""The caller of the operation that is being served."""


def is_person() -> bool:
    """Whether the caller has signed in to Jupyter, or the service runs in their own process.

    Code in a kernel, whoever wrote it, can do what a kernel's token allows; it does not speak for a person.
    """
    caller = current.get()
    return caller is None or not caller.kernel


body_bytes: ContextVar[int] = ContextVar("localcoder_body_bytes", default=0)
"""Size of the request that is being served, as it came in."""


@dataclass
class _Held:
    number: int = 0
    size: int = 0


@dataclass(frozen=True)
class QuotaLease:
    """What one request holds, until it is given back."""

    owner: str | None
    size: int


class ClientQuotas:
    """Divides a limited number of places, and of bytes, among those who ask.

    One owner may hold as much as is left for all others together, and always one request: nobody can take
    what everybody needs, and who is alone has half of it. Where the service runs in the caller's own process
    there is nobody else, and only the whole is limited.

    Parameters
    ----------
    places, most_bytes
        Answer the limits: they may change at any time.
    what
        Of what there are so many, in words: "requests wait or run".
    """

    def __init__(
        self, places: Callable[[], int], most_bytes: Callable[[], int], *, what: str, retry_after_seconds: int
    ) -> None:
        self._places = places
        self._most_bytes = most_bytes
        self._what = what
        self._retry_after_seconds = retry_after_seconds
        self._all = _Held()
        self._by_owner: dict[str, _Held] = {}

    def acquire(self, size: int) -> QuotaLease:
        """Take a place for a request of so many bytes, in the name of the current caller.

        Raises
        ------
        QueueFull
            There is none, or the caller has its share; nothing was taken.
        """
        caller = current.get()
        share = QuotaLease(None if caller is None else caller.owner, size)
        places, most_bytes = self._places(), self._most_bytes()
        total = _Held(self._all.number + 1, self._all.size + size)
        if total.number > places:
            raise self._full(f"{self._all.number} {self._what}; no more are accepted.")
        if total.size > most_bytes and self._all.number:
            raise self._full(
                f"The waiting and running requests have a total size of {units.size(self._all.size)}."
            )
        if share.owner is not None:
            held = self._by_owner.get(share.owner, _Held())
            if held.number and held.number + 1 > places - total.number:
                raise self._full(
                    f"{held.number} of the {total.number - 1} waiting or running requests are yours."
                )
            if held.number and held.size + size > most_bytes - total.size:
                raise self._full(
                    f"Your waiting and running requests have a total size of {units.size(held.size)}."
                )
            self._by_owner[share.owner] = _Held(held.number + 1, held.size + size)
        self._all = total
        return share

    def give_back(self, share: QuotaLease) -> None:
        """It is over; to be called once for each share."""
        self._all = _Held(self._all.number - 1, self._all.size - share.size)
        if share.owner is None:
            return
        held = self._by_owner.pop(share.owner)
        if held.number > 1:
            self._by_owner[share.owner] = _Held(held.number - 1, held.size - share.size)

    def _full(self, sentence: str) -> QueueFull:
        return QueueFull(sentence, retry_after_seconds=self._retry_after_seconds)
