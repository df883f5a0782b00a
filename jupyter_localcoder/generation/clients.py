"""Who asks, as far as it can be told when they have left, and how much of what is there they may hold.

A transport says it in `current` before it calls the service; where nobody says anything (the service runs in
the caller's own process), the caller is there as long as the service is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from ..errors import QueueFull
from ..text import units

_Key = TypeVar("_Key")


class ConnectedClient:
    """A caller with a connection, which ends once.

    Parameters
    ----------
    owner
        Whose it is: a user, a token. All that one owner asks for counts together, over whichever connection.
    kernel
        Whether it shows the token that kernels and terminals have, and not what a person signs in with.
    member
        Who of the owner it is, where several have what is the owner's: the id of a kernel, or nothing for
        terminals and all others that are no kernel of this server. None: the owner is one.
    """

    def __init__(self, owner: str = "", *, kernel: bool = False, member: str | None = None) -> None:
        self.owner = owner
        self.kernel = kernel
        self.member = member
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

    def __init__(self, owner: str = "", *, kernel: bool = False, member: str | None = None) -> None:
        self.owner = owner
        self.kernel = kernel
        self.member = member


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


@dataclass(frozen=True)
class _Held:
    number: int = 0
    size: int = 0

    def __add__(self, other: _Held) -> _Held:
        return _Held(self.number + other.number, self.size + other.size)

    def __sub__(self, other: _Held) -> _Held:
        return _Held(self.number - other.number, self.size - other.size)


_NOTHING = _Held()


@dataclass(frozen=True)
class QuotaLease:
    """What one request holds, until it is given back."""

    owner: str | None
    size: int
    member: str | None = None


class ClientQuotas:
    """Divides a limited number of places, and of bytes, among those who ask.

    One owner may hold as much as is left for all others together, and always one request: nobody can take
    what everybody needs, and who is alone has half of it. Where the service runs in the caller's own process
    there is nobody else, and only the whole is limited.

    What an owner may hold is divided in the same way among its members, the kernels of a server. A member
    says itself who it is, and many names gain it no more than what the owner may hold.

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
        self._all = _NOTHING
        self._by_owner: dict[str, _Held] = {}
        self._by_member: dict[tuple[str, str], _Held] = {}

    def acquire(self, size: int) -> QuotaLease:
        """Take a place for a request of so many bytes, in the name of the current caller.

        Raises
        ------
        QueueFull
            There is none, or the caller has its share; nothing was taken.
        """
        caller = current.get()
        lease = QuotaLease(None, size) if caller is None else QuotaLease(caller.owner, size, caller.member)
        whole = _Held(self._places(), self._most_bytes())
        one = _Held(1, size)
        total = self._all + one
        if total.number > whole.number:
            raise self._full(f"{self._all.number} {self._what}; no more are accepted.")
        if total.size > whole.size and self._all.number:
            raise self._full(
                f"The waiting and running requests have a total size of {units.size(self._all.size)}."
            )
        if lease.owner is not None:
            self._take_of_owner(lease.owner, lease.member, one, whole)
        self._all = total
        return lease

    def _take_of_owner(self, owner: str, member: str | None, one: _Held, whole: _Held) -> None:
        of_owner = self._by_owner.get(owner, _NOTHING)
        yours = "are yours" if member is None else "come from kernels and terminals"
        self._check_share(of_owner, one, self._all, whole, yours)
        if member is not None:
            others = self._all - of_owner
            # What the owner may hold while the others hold what they do.
            room = _Held((whole.number - others.number) // 2, (whole.size - others.size) // 2)
            of_member = self._by_member.get((owner, member), _NOTHING)
            yours = "come from this kernel" if member else "come from terminals and other programs"
            self._check_share(of_member, one, of_owner, room, yours)
            self._by_member[owner, member] = of_member + one
        self._by_owner[owner] = of_owner + one

    def _check_share(self, held: _Held, one: _Held, taken: _Held, whole: _Held, yours: str) -> None:
        """Refuse what would leave less for the others than it holds."""
        if not held.number:
            return
        left = whole - taken - one
        if held.number + 1 > left.number:
            raise self._full(f"{held.number} of the {self._all.number} waiting or running requests {yours}.")
        if held.size + one.size > left.size:
            raise self._full(
                f"The waiting and running requests that {yours} have a total size of {units.size(held.size)}."
            )

    def give_back(self, lease: QuotaLease) -> None:
        """It is over; to be called once for each lease."""
        one = _Held(1, lease.size)
        self._all -= one
        if lease.owner is None:
            return
        _less(self._by_owner, lease.owner, one)
        if lease.member is not None:
            _less(self._by_member, (lease.owner, lease.member), one)

    def _full(self, sentence: str) -> QueueFull:
        return QueueFull(sentence, retry_after_seconds=self._retry_after_seconds)


def _less(held: dict[_Key, _Held], key: _Key, one: _Held) -> None:
    rest = held.pop(key) - one
    if rest.number:
        held[key] = rest
