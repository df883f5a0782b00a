"""A real hub with the service as docs/hub.md configures it, before a model server of the test."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.hub.hub import BASE, Hub, Kind, free_ports
from tests.hub.model_server import ModelServer
from tests.support.jupyter_server import REPOSITORY

USERS = ("ada", "bob", "cyd", "dan", "eve", "fay", "gus", "root")
DOC = REPOSITORY / "docs" / "hub.md"
MORE = """
c.HubOAuth.cache_max_age = 1
c.HubService.at_once = 2
c.HubService.user_limits = {"*": {"at_once": 40}, "eve": {"at_once": 0}}
c.HubService.group_limits = {"few": {"tokens_per_minute": 400}, "two": {"at_once": 2}}
c.HubService.group_totals = {"daily": {"tokens_per_day": 500}}
c.HubService.admin_groups = ["staff"]
c.HubService.upstream_silence_seconds = 2.0
c.HubService.upstream_timeout_seconds = 20.0
c.HubService.drain_seconds = 2.0
"""


def configurations() -> tuple[str, str]:
    """The two configurations of the documentation: of the hub, and of the service."""
    blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    (hub,) = [block for block in blocks if "c.JupyterHub.services" in block]
    (service,) = [block for block in blocks if "c.HubService.upstream =" in block]
    return hub, service


class ClassHub:
    """The hub, its users and the address of the service.

    Parameters
    ----------
    servers
        Users whose servers are started.
    more
        Lines of the service's configuration, after those of the documentation.
    """

    def __init__(
        self, folder: Path, model: ModelServer, *, servers: tuple[str, ...] = (), more: str = MORE
    ) -> None:
        self.model = model
        self.folder = folder
        (port,) = free_ports(1)
        hub, service = configurations()
        file = folder / "localcoder_config.py"
        for old, new in (("/etc/jupyterhub/localcoder_config.py", str(file)), (":10101", f":{port}")):
            assert old in hub
            hub = hub.replace(old, new)
        assert ":8080" in service
        file.write_text(service.replace(":8080", f":{model.port}") + more)
        self.hub = Hub(folder, Kind(6), None, users=USERS, servers=servers, lines=hub)
        self.url = f"{self.hub.origin}{BASE}services/localcoder/"
        self._tokens: dict[str, str] = {}

    def start(self) -> None:
        """Start the hub, and wait for the service."""
        self.hub.start()
        self.put_in_group("few", "dan")
        self.put_in_group("two", "fay")
        self.put_in_group("daily", "gus")
        self.put_in_group("staff", "root")
        self.wait()

    def wait(self) -> None:
        """Wait until the service answers."""
        with self.hub.client() as client:
            self.hub.until(lambda: client.get(f"{self.url}health").status_code == 200)

    def put_in_group(self, group: str, user: str) -> None:
        """Put a user into a group of the hub."""
        self.hub.api("POST", f"groups/{group}")
        assert self.hub.api("POST", f"groups/{group}/users", users=[user]).status_code == 200

    def headers(self, user: str) -> dict[str, str]:
        """What a program of a user sends."""
        if user not in self._tokens:
            self._tokens[user], _ = self.hub.token(user)
        return {"Authorization": f"Bearer {self._tokens[user]}"}

    def ask(self, user: str, path: str = "v1/chat/completions", **body: Any) -> httpx.Response:
        """Ask the service for a whole answer."""
        with self.hub.client() as client:
            return client.post(self.url + path, json=body or chat(), headers=self.headers(user))

    @contextlib.contextmanager
    def stream(self, user: str, path: str = "v1/chat/completions", **body: Any) -> Iterator[Stream]:
        """Ask the service for a stream."""
        body = {**(body or chat()), "stream": True, "stream_options": {"include_usage": True}}
        with self.hub.client() as client, client.stream(
            "POST", self.url + path, json=body, headers=self.headers(user)
        ) as response:  # fmt: skip
            yield Stream(response)

    def page(self, user: str, path: str = "") -> httpx.Response:
        """A page of the service, by the token of a user."""
        with self.hub.client() as client:
            return client.get(self.url + path, headers=self.headers(user))


class Stream:
    """Events of an answer."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line[6:])

    def first(self) -> dict[str, Any]:
        """The next event."""
        return next(iter(self))


def chat(text: str = "hello", max_tokens: int = 4) -> dict[str, Any]:
    """The body of a chat."""
    return {"messages": [{"role": "user", "content": text}], "max_tokens": max_tokens}


def fill(max_tokens: int = 4) -> dict[str, Any]:
    """The body of a request to fill in the middle."""
    return {"prompt": "def f(", "suffix": "return x", "max_tokens": max_tokens}
