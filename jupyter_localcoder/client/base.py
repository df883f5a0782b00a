"""The one interface through which magics, widgets and the command line reach the service.

Two things implement it: `client.http`, for a Jupyter server, and `client.local`, which runs the service
inside this process. Who uses a client must not need to know which of the two it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from ..contract.generation import Delta, Done, Started
from ..contract.registry import Operation

Req = TypeVar("Req", bound=msgspec.Struct)
Res = TypeVar("Res", bound=msgspec.Struct)

AnswerFrame = Started | Delta | Done
"""What a stream yields: `Started`, any number of `Delta`, `Done`. A `Failed` is raised, not yielded."""


class Stream(ABC):
    """The frames of one answer, as they come.

    Iteration ends after `Done`. A `Failed` frame is raised as the error that it stands for, a stream that
    breaks off as `ConnectionFailed`, and one that is closed before its end as `Canceled`.

    A `KeyboardInterrupt` while it waits for a frame closes the stream, within half a second, and goes on up.
    """

    @abstractmethod
    def __next__(self) -> AnswerFrame:
        """Wait for the next frame."""

    @abstractmethod
    def close(self) -> None:
        """Cancel what has not come yet. May be called from any thread, and more than once."""

    def __iter__(self) -> Stream:
        return self

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Client(ABC):
    """Calls the operations of the contract. All of it blocks, and may be used from any thread."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the service runs, for people: `Jupyter server at http://…` or `this process`."""

    @abstractmethod
    def call(self, op: Operation[Req, Res], request: Req) -> Res:
        """Do one operation and wait for its answer.

        Parameters
        ----------
        op
            An operation of `contract.registry` that does not stream.
        request
            Its request.

        Returns
        -------
        Res
            Its response.

        Raises
        ------
        LocalCoderError
            The one that the service answered, or `ConnectionFailed`.

        """

    @abstractmethod
    def stream(self, op: Operation[Any, Done], request: msgspec.Struct) -> Stream:
        """Begin an operation that answers with frames.

        Parameters
        ----------
        op
            An operation of `contract.registry` that streams.
        request
            Its request.

        Returns
        -------
        Stream
            The frames. Close it, or use it in a ``with`` block.

        Raises
        ------
        LocalCoderError
            The request was refused before it began; what goes wrong later is raised by the stream.

        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what the client holds; of a service inside this process, that is its worker too."""

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
