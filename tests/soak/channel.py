"""One websocket to the service."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

CLOSED: dict[str, Any] = {"success": False, "error": {"code": "CHANNEL_CLOSED", "message": ""}}
"""What a request gets whose connection the server has closed."""


class Channel:
    """A connection that has one request in hand, and another to cancel it by."""

    def __init__(self, url: str, token: str) -> None:
        address = url.replace("http", "ws", 1) + "localcoder/channel"
        self._request = HTTPRequest(address, headers={"Authorization": f"token {token}"})
        self._numbers = itertools.count(1)
        self._socket: WebSocketClientConnection | None = None

    async def __aenter__(self) -> Channel:
        self._socket = await websocket_connect(self._request)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        self._socket.close()
        while await self._socket.read_message() is not None:
            pass

    async def send(self, op: str, payload: dict[str, Any]) -> str:
        """Ask, and give the id under which the answers come."""
        assert self._socket is not None
        id_ = str(next(self._numbers))
        await self._socket.write_message(json.dumps({"id": id_, "op": op, "payload": payload}))
        return id_

    async def messages(self, *ids: str) -> AsyncIterator[dict[str, Any]]:
        """What comes for these requests; events to everybody are read and dropped."""
        assert self._socket is not None
        while True:
            raw = await self._socket.read_message()
            if raw is None:
                yield CLOSED
                return
            message = json.loads(raw)
            if message.get("id") in ids:
                yield message

    async def call(self, op: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Ask for something that has one answer."""
        id_ = await self.send(op, payload)
        async for message in self.messages(id_):
            return message
        raise AssertionError("a connection without an end")
