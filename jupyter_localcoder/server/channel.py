"""The websocket ``localcoder/channel``: many operations and all events over one connection.

::

    → {id, op, payload}
    ← {id, success: true, data}           the answer; for an operation that streams, its `Started` frame
    ← {id, success: false, error}
    ← {id, event, payload}                a frame of a stream; `event` is its type, or `tab:stream`
    ← {event, payload}                    an event, to everybody

Closing the connection cancels what it started.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

import msgspec
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..contract import codec, registry
from ..contract.generation import Started
from ..errors import InvalidArgument, QueueFull, ValidationError
from ..generation import clients
from .access import AccessMixin
from .outbox import Outbox

MAX_OPEN_REQUESTS = 64
"""Of one connection; more are answered `QUEUE_FULL`."""
MAX_MESSAGE_BYTES = codec.MAX_BODY_BYTES


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends."""

    op: str
    id: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    """Read when it is known what for."""


class ChannelHandler(AccessMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One connection."""

    def initialize(self, name: str) -> None:
        """Begin with nothing open."""
        super().initialize(name)
        self._requests: dict[str, asyncio.Task[None]] = {}
        self._caller: clients.ConnectedClient | None = None
        self._outbox: Outbox | None = None
        self._leave_events = contextlib.ExitStack()

    @property
    def max_message_size(self) -> int:
        """Bytes of the longest message that is read."""
        return self.extensionapp.channel_message_bytes

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the connection, for who may read."""
        await self.require("read")
        await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        """Listen to all events from here on."""
        super().open(*args, **kwargs)
        # A frame must not wait until the browser has confirmed the one before it: that can take 40 ms.
        self.set_nodelay(True)
        self._caller = clients.ConnectedClient(self.owner, kernel=self.is_kernel, member=self.member)
        app = self.extensionapp
        self._outbox = Outbox(
            self._write,
            self._give_up,
            most_bytes=app.channel_waiting_bytes,
            most_messages=app.channel_waiting_messages,
        )
        self._leave_events.callback(self.service.events.listen(self._on_event))

    def on_close(self) -> None:
        """Cancel what this connection started."""
        super().on_close()
        self._leave_events.close()
        for task in list(self._requests.values()):
            task.cancel()
        if self._caller is not None:
            self._caller.end()
        if self._outbox is not None:
            self._outbox.close()

    def on_message(self, message: str | bytes) -> None:
        """Begin what a message asks for."""
        raw = message.encode() if isinstance(message, str) else message
        id_ = ""
        try:
            envelope = codec.decode_body(_Envelope, raw)
            id_ = envelope.id
            op = registry.operation(envelope.op)
            if op is None:
                raise ValidationError(f"There is no operation {envelope.op[:100]!r}.", field="op")
            if not id_ or id_ in self._requests:
                raise InvalidArgument("`id` is required and must not be in use.", field="id")
            if len(self._requests) >= (most := self.extensionapp.channel_requests):
                raise QueueFull(f"This connection already has {most} open requests.")
        except Exception as failure:
            self._queue_message({"id": id_, "success": False, "error": codec.error_payload(failure)})
            return
        task = asyncio.ensure_future(self._serve(id_, op, bytes(envelope.payload)))
        self._requests[id_] = task
        task.add_done_callback(lambda _: self._requests.pop(id_, None))

    async def _serve(self, id_: str, op: registry.Operation[Any, Any], payload: bytes) -> None:
        try:
            decode = partial(codec.decode_body, op.request, payload)
            answer = await self.serve(op, payload, decode, self._caller)
            if op.streams:
                await self.send_frames(op, answer, partial(self._send_frame, id_, op))
            else:
                self._queue_message({"id": id_, "success": True, "data": answer})
        except Exception as failure:
            self._queue_message({"id": id_, "success": False, "error": self.explain(op, failure)})

    async def _send_frame(self, id_: str, op: registry.Operation[Any, Any], frame: Any) -> None:
        if isinstance(frame, Started):
            self._queue_message({"id": id_, "success": True, "data": frame})
            return
        name = op.stream_event or type(frame).__struct_config__.tag
        self._queue_message({"id": id_, "event": name, "payload": frame})

    def _on_event(self, event: registry.Event, payload: msgspec.Struct) -> None:
        self._queue_message({"event": event.name, "payload": payload})

    def _queue_message(self, message: dict[str, Any]) -> None:
        if self._outbox is not None:
            self._outbox.put(codec.encode(message))

    async def _write(self, message: bytes) -> None:
        with contextlib.suppress(WebSocketClosedError):
            await self.write_message(message.decode())

    def _give_up(self) -> None:
        self.log.warning("A websocket client does not read its messages; the connection is closed.")
        self.close(1008, "too slow")
