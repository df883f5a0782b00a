"""The service inside this process, for where there is no Jupyter server: a terminal, ``nbconvert``.

The service runs in the event loop of a separate thread. Calls wait for it; a stream is passed on
piece by piece through a queue. The worker is also a separate process here.

A fork copies this object, but not its thread: in the child nothing would ever answer. The child gets an
error, and does not use the loop, whose descriptors are still those of the parent.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import queue
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from traitlets.config import Config

from ..composition import build_service
from ..contract import codec
from ..contract.generation import Done
from ..contract.registry import Operation
from ..errors import BackendUnavailable, Canceled, LocalCoderError
from ..service import Service
from .base import AnswerFrame, Client, Stream

Req = TypeVar("Req", bound=msgspec.Struct)
Res = TypeVar("Res", bound=msgspec.Struct)
T = TypeVar("T")

_POLL_SECONDS = 0.1
"""A wait that never ends cannot be interrupted on every platform; one of many short ones can."""
_CLOSE_SECONDS = 10.0


class LocalClient(Client):
    """A client with its service in this process; `close` stops the service and its worker."""

    def __init__(self, config: Config | None = None, command_line: Config | None = None) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="localcoder", daemon=True)
        self._thread.start()
        self.service = self._wait(self._build(config, command_line))
        self._closed = False
        # A worker ends with this process in any case; this way it is asked to, first.
        atexit.register(self.close)

    @property
    def where(self) -> str:
        """Where the service runs, for people."""
        return "this process"

    def call(self, op: Operation[Req, Res], request: Req) -> Res:
        """Do one operation and wait for its answer."""
        _check_process(self._process)
        answer: Res = self._wait(self.service.handle(op, _checked(op, request)))
        return answer

    def stream(self, op: Operation[Any, Done], request: msgspec.Struct) -> Stream:
        """Begin an operation that answers with frames."""
        _check_process(self._process)
        return _LocalStream(self._loop, self.service, op, _checked(op, request))

    def close(self) -> None:
        """End the service and its worker."""
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        atexit.unregister(self.close)
        with contextlib.suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(self.service.close(), self._loop).result(_CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def _build(self, config: Config | None, command_line: Config | None) -> Service:
        return build_service(config=config, command_line=command_line)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine of the service; an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            while not concurrent.futures.wait([future], _POLL_SECONDS).done:
                pass
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise


class _LocalStream(Stream):
    """Frames of one answer, taken out of the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        service: Service,
        op: Operation[Any, Done],
        request: msgspec.Struct,
    ) -> None:
        self._process = os.getpid()
        self._frames: queue.SimpleQueue[AnswerFrame | LocalCoderError | None] = queue.SimpleQueue()
        self._over = False
        self._future = asyncio.run_coroutine_threadsafe(self._run(service, op, request), loop)

    def __next__(self) -> AnswerFrame:
        if self._over:
            raise StopIteration
        _check_process(self._process)
        try:
            frame = self._next_frame()
        except KeyboardInterrupt:
            self.close()
            raise
        if isinstance(frame, LocalCoderError):
            self._over = True
            raise frame
        if frame is None:
            self._over = True
            raise StopIteration
        return frame

    def close(self) -> None:
        """Cancel what has not come yet."""
        if self._process == os.getpid():
            self._future.cancel()

    def _next_frame(self) -> AnswerFrame | LocalCoderError | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._frames.get(timeout=_POLL_SECONDS)

    async def _run(self, service: Service, op: Operation[Any, Done], request: msgspec.Struct) -> None:
        try:
            async with contextlib.aclosing(await service.handle(op, request)) as frames:
                async for frame in frames:
                    self._frames.put(frame)
            self._frames.put(None)
        except asyncio.CancelledError:
            self._frames.put(Canceled())
            raise
        except LocalCoderError as failure:
            self._frames.put(failure)
        except Exception as failure:
            self._frames.put(codec.error_of(codec.error_payload(failure)))
            raise


def _check_process(process: int) -> None:
    """Refuse to wait in a child for what only its parent can do.

    Raises
    ------
    BackendUnavailable
        This process is not the one that runs the service.
    """
    if process != os.getpid():
        raise BackendUnavailable(
            "The assistant runs in the parent process from which this process was forked, and is not "
            "available here.",
            recovery="Use it in the parent process, start this process with "
            "`multiprocessing.get_context('spawn')`, or run a Jupyter server, which serves all processes.",
        )


def _checked(op: Operation[Any, Any], request: msgspec.Struct) -> Any:
    """Hold a request that was made in Python against its declared ranges, as a decoded one is."""
    return codec.decode(op.request, msgspec.to_builtins(request))
