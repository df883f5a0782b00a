"""What the providers that are reached over HTTP share: time, events, the test of a connection."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from ..errors import InvalidArgument, LocalCoderError, Timeout
from ..network.event_stream import LineTooLong, MessageReader, StreamMessage
from .address import Address
from .answer import Read, answer
from .base import MAX_MODELS, AnswerDelta, Check, End, Messages, ProviderRequest
from .deadline import Deadline, TimeUp
from .failures import Failures, error_in
from .transport import MAX_RETRIES, MAX_RETRY_AFTER_SECONDS, Transport

CHECK_SECONDS = 20.0
_NO_SYSTEM = (
    re.compile(r"\bsystem\b|developer instruction|roles must alternate|only user", re.IGNORECASE),
    re.compile(r"role|message|prompt|instruction|template", re.IGNORECASE),
    re.compile(
        r"support|not one of|allowed|permitted|enabled|invalid|unexpected|unknown|only|must|should be|cannot",
        re.IGNORECASE,
    ),
)
"""All of these stand in the words of a server whose model takes no system turn."""


class RemoteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How patient to be, and what to ask for by default."""

    model: str = ""
    timeout_seconds: float = 300.0
    connect_seconds: float = 10.0
    silence_seconds: float = 60.0
    link_local: bool = False
    """Whether link-local addresses are allowed."""
    retries: int = MAX_RETRIES
    retry_after_seconds: float = MAX_RETRY_AFTER_SECONDS
    """How often to ask again, and the longest wait that a provider may want before it."""
    permit: Callable[[], Awaitable[None]] | None = None
    """Asked before each request, also before one that is sent again; it raises where none may go out."""


class RemoteProvider:
    """Base of the providers that are reached over HTTP; implements `Provider`.

    A subclass implements `stream`, mostly with `ask`, and `model_names`, mostly with `listed`.

    Parameters
    ----------
    address
        Base URL of its API.
    failures
        Turns failures of the server into errors.
    options
        Default model, time limits in seconds, retries.
    headers
        Sent with each request; they contain the key.
    """

    def __init__(
        self,
        address: Address,
        failures: Failures,
        options: RemoteOptions,
        headers: Mapping[str, str],
    ) -> None:
        self.address = address
        self.failures = failures
        self.options = options
        self._unopened: set[str] = set()
        self.transport = Transport(
            address,
            headers,
            failures,
            connect_seconds=options.connect_seconds,
            link_local=options.link_local,
            permit=options.permit,
            retries=options.retries,
            retry_after_seconds=options.retry_after_seconds,
        )

    def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """Generate the answer; see `Provider.stream`.

        Parameters
        ----------
        request
            The input, the model, and the limits of the answer.

        Yields
        ------
        AnswerDelta or End
            Pieces of the answer in their order, then exactly one `End`.
        """
        raise NotImplementedError

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of models.

        Parameters
        ----------
        deadline
            Time limit, for `listed`.

        Returns
        -------
        list of str
            Names of the models, in the order of the server.
        """
        raise NotImplementedError

    async def check(self) -> Check:
        """Ask for the list of models, and measure the time; see `Provider.check`.

        Returns
        -------
        Check
            At most `MAX_MODELS` models, and the time in milliseconds.
        """
        began = time.perf_counter()
        try:
            names = await self.model_names(self._deadline(min(CHECK_SECONDS, self.options.timeout_seconds)))
        except TimeUp as up:
            raise Timeout(str(up), provider=self.failures.provider) from None
        except msgspec.ValidationError:
            raise self.failures.unreadable("something that is no list of models") from None
        latency_ms = (time.perf_counter() - began) * 1000
        return Check(tuple(name[:256] for name in names[:MAX_MODELS]), latency_ms)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self.transport.close()

    def model_of(self, request: ProviderRequest) -> str:
        """The model of a request.

        Parameters
        ----------
        request
            A request, which may name a model.

        Returns
        -------
        str
            The model that it names, or the configured one.

        Raises
        ------
        InvalidArgument
            None is named, here or in the configuration.
        """
        model = request.model or self.options.model
        if not model:
            raise InvalidArgument(
                f"No model is selected for {self.failures.name}.",
                recovery="Select one in the settings of the provider, or name one in the request.",
                provider=self.failures.provider,
            )
        return model

    def no_fill(self, recovery: str) -> LocalCoderError:
        """The error for a request that this provider cannot fill in.

        Parameters
        ----------
        recovery
            What the user can do.

        Returns
        -------
        LocalCoderError
            To be raised.
        """
        return InvalidArgument(
            f"{self.failures.name} does not support fill-in-the-middle.",
            recovery=recovery,
            provider=self.failures.provider,
        )

    async def listed(self, url: str, deadline: Deadline) -> Any:
        """Get a JSON document; an error message in it is raised, whatever its status.

        Parameters
        ----------
        url
            Complete URL.
        deadline
            Time limit.

        Returns
        -------
        Any
            The document, as plain data.
        """
        document = await self.transport.document(url, deadline)
        first = document[0] if isinstance(document, list) and document else document
        if isinstance(first, dict) and (words := error_in(first)) is not None:
            raise self.failures.in_stream(words)
        return document

    def ask(
        self, url: str, body: Mapping[str, Any], read: Read, request: ProviderRequest
    ) -> AsyncGenerator[AnswerDelta | End, None]:
        """Post a request, and read the answer as a stream.

        Parameters
        ----------
        url
            Complete URL.
        body
            Sent as JSON.
        read
            Turns one JSON document of the stream into an `AnswerPart`.
        request
            Gives the limits of the answer: tokens, stop strings, seconds.

        Yields
        ------
        AnswerDelta or End
            Pieces of the answer in their order, then exactly one `End`.
        """
        deadline = self._deadline(request.timeout_seconds or self.options.timeout_seconds)
        messages = _messages(self.transport.lines(url, body, deadline), self.failures)
        model = request.model or self.options.model
        return answer(messages, read, request, deadline, self.failures, self._unopened, model)

    def _deadline(self, whole_seconds: float) -> Deadline:
        return Deadline(
            self.failures.name, whole_seconds=whole_seconds, silence_seconds=self.options.silence_seconds
        )


async def _messages(
    lines: AsyncGenerator[bytes, None], failures: Failures
) -> AsyncGenerator[StreamMessage, None]:
    reader = MessageReader()
    async with contextlib.aclosing(lines):
        try:
            async for line in lines:
                for message in reader.feed(line):
                    yield message
        except LineTooLong:
            raise failures.unreadable("an event without an end") from None
    for message in reader.rest():
        yield message


def without_system(request: ProviderRequest, refusal: LocalCoderError) -> ProviderRequest | None:
    """The same request without system turns, where they are what was refused; else None."""
    asked, details = request.input, refusal.details
    if not isinstance(asked, Messages) or not asked.has_system:
        return None
    said = str(details.get("provider_message", ""))
    if details.get("status") not in (400, 422, 500, 501) or not all(each.search(said) for each in _NO_SYSTEM):
        return None
    return dataclasses.replace(request, input=asked.without_system())
