"""What one client does: a random mix of operations, some of them given up on the way."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from .channel import Channel

PAUSE_SECONDS = (0.2, 2.0)
"""Between two operations of one person."""
END_SECONDS = 60.0
"""An operation that has no end after so long has none."""
ALLOWED = frozenset({"QUEUE_FULL"})
CANCELED = frozenset({"CANCELED"})
"""How what was cancelled ends."""
TOO_LATE = frozenset({"NOT_FOUND", "REQUEST_NOT_FOUND", "REQUEST_ALREADY_COMPLETED"})
"""What a cancel is answered that comes after the end."""

_MIX = {
    "complete": 30, "complete, cancelled": 15, "command": 10, "command, cancelled": 6, "chat": 8,
    "queue": 8, "queue, cancelled": 5, "status": 10, "leave": 8,
}  # fmt: skip
_LOOKS = ("backend:ping", "model:list", "queue:list", "settings:get", "provider:list")


class Person:
    """One client; counts what it did and what went wrong.

    Parameters
    ----------
    number
        Names what it edits, and seeds its choices.
    """

    def __init__(self, url: str, token: str, number: int, seed: int) -> None:
        self._where = (url, token)
        self._number = number
        self._chance = random.Random(f"{seed}/{number}")
        self._lines = 0
        self.done: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        """Codes, with the operation; also those that are allowed."""

    async def live(self, until: float) -> None:
        """Work until this time of the loop, then leave."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS[1]))
        while clock() < until:
            async with Channel(*self._where) as channel:
                while clock() < until:
                    (what,) = self._chance.choices(list(_MIX), list(_MIX.values()))
                    try:
                        await asyncio.wait_for(self._do(channel, what), END_SECONDS)
                    except asyncio.TimeoutError:
                        self.errors[f"{what}: no end in {END_SECONDS:g} s"] += 1
                        break
                    self.done[what] += 1
                    if what == "leave" or self.errors[f"{what}: CHANNEL_CLOSED"]:
                        break
                    await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))

    async def _do(self, channel: Channel, what: str) -> None:
        kind, _, cancelled = what.partition(", ")
        if kind == "status":
            self._note(what, await channel.call(self._chance.choice(_LOOKS), {}))
        elif kind == "queue":
            await self._queue(channel, what, bool(cancelled))
        elif kind == "leave":
            id_ = await channel.send("tab:complete", self._completion(400))
            async for _ in channel.messages(id_):
                return
        else:
            op, payload = self._streamed(kind, 400 if cancelled else self._chance.randint(4, 40))
            await self._stream(channel, what, op, payload, bool(cancelled))

    def _streamed(self, kind: str, tokens: int) -> tuple[str, dict[str, Any]]:
        code = f"def f_{self._number}_{self._lines}(rows):\n    return sum(rows)\n"
        if kind == "command":
            return "generate", {"command": "explain", "code": code, "max_tokens": tokens}
        if kind == "chat":
            question = {"role": "user", "content": f"What does this do?\n{code}"}
            return "chat", {"messages": [question], "max_tokens": tokens}
        return "tab:complete", self._completion(tokens)

    def _completion(self, tokens: int) -> dict[str, Any]:
        self._lines += 1
        prefix = f"import math\n# notebook {self._number}\n" + f"x_{self._lines} = math.sqrt(" * 3
        return {"prefix": prefix, "max_tokens": tokens, "timeout_ms": 60_000, "scope": f"soak {self._number}"}

    async def _stream(
        self, channel: Channel, what: str, op: str, payload: dict[str, Any], cancelled: bool
    ) -> None:
        """Read a stream to its one end; cancel it after some frames, where that is wanted."""
        id_ = await channel.send(op, payload)
        cancel_id, frames_left = "", self._chance.randint(0, 6) if cancelled else -1
        ended = answered = False
        run = ""
        async for message in channel.messages(id_):
            ended |= self._is_end(message)
            self._note(what, message)
            run = run or message.get("data", {}).get("run", "")
            if ended:
                break
            if frames_left == 0:
                cancel = ("tab:cancel", {"run": run}) if op == "tab:complete" else ("llm:cancel", {"id": run})
                cancel_id = await channel.send(*cancel)
                break
            frames_left -= 1
        if not cancel_id:
            return
        async for message in channel.messages(id_, cancel_id):
            if message.get("id") == cancel_id:
                answered = True
                self._note(what, message, TOO_LATE)
            else:
                ended |= self._is_end(message)
                self._note(what, message, CANCELED)
            if ended and answered:
                return

    async def _queue(self, channel: Channel, what: str, cancelled: bool) -> None:
        call = {"prompt": f"Number {self._number}?", "max_tokens": 16, "prompt_id": f"soak-{self._number}"}
        queued = await channel.call("llm:call", call)
        self._note(what, queued)
        if not queued.get("success"):
            return
        id_ = queued["data"]["id"]
        if cancelled:
            await asyncio.sleep(self._chance.uniform(0, 0.1))
            self._note(what, await channel.call("llm:cancel", {"id": id_}), TOO_LATE)
        while True:
            answer = await channel.call("queue:get", {"id": id_, "wait_ms": 10_000})
            self._note(what, answer)
            if not answer.get("success"):
                return
            item = answer["data"]["item"]
            if item["state"] in ("done", "failed", "canceled"):
                self._note(what, {"error": item.get("error")}, CANCELED if cancelled else frozenset())
                return

    @staticmethod
    def _is_end(message: dict[str, Any]) -> bool:
        return message.get("success") is False or (message.get("payload") or {}).get("type") in (
            "done",
            "error",
        )

    def _note(self, what: str, message: dict[str, Any], expected: frozenset[str] = frozenset()) -> None:
        error = message.get("error") or (message.get("payload") or {}).get("error")
        if error and error["code"] not in expected:
            self.errors[f"{what}: {error['code']}"] += 1
