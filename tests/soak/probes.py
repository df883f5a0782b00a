"""What is measured beside the crowd: times of answers, and what the server holds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import psutil
from tornado.httpclient import AsyncHTTPClient

from .channel import Channel

EVERY_SECONDS = 0.1
CONTENTS = "api/contents/probe.ipynb"


@dataclass
class Probes:
    """Samples of one run."""

    ping_ms: list[float] = field(default_factory=list)
    contents_ms: list[float] = field(default_factory=list)
    megabytes: list[tuple[float, float]] = field(default_factory=list)
    """(minute, resident memory of the server in MB)"""
    errors: int = 0

    async def watch(self, url: str, token: str, server: psutil.Process, end: asyncio.Future[object]) -> None:
        """Take samples until the end has come."""
        begin = time.perf_counter()
        client = AsyncHTTPClient()
        headers = {"Authorization": f"token {token}"}
        async with Channel(url, token) as channel:
            while not end.done():
                began = time.perf_counter()
                answer = await channel.call("backend:ping", {})
                self.ping_ms.append((time.perf_counter() - began) * 1000)
                self.errors += answer["success"] is not True
                await asyncio.sleep(EVERY_SECONDS / 2)
                began = time.perf_counter()
                got = await client.fetch(url + CONTENTS, headers=headers, raise_error=False)
                self.contents_ms.append((time.perf_counter() - began) * 1000)
                self.errors += got.code != 200
                self.megabytes.append(((began - begin) / 60, server.memory_info().rss / 1e6))
                await asyncio.sleep(EVERY_SECONDS / 2)
