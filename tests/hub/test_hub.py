"""Everything works under a JupyterHub, for each user at their own server and nowhere else."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_localcoder.client.connection import Connection
from tests.hub.hub import Browser, Hub
from tests.support.waiting import PATIENCE_SECONDS

EXPLAIN = {"command": "explain", "code": "x = 1", "max_tokens": 8}


def where(connection: Connection) -> str:
    """What kernels and commands call the server."""
    return connection.sock or connection.url


def connect(hub: Hub, url: str, headers: dict[str, str]) -> Any:
    """Open a websocket through the proxy."""
    trust = ssl.create_default_context(cafile=str(hub.folder / "proxy.crt")) if hub.kind.tls else None
    request = HTTPRequest(url.replace("http", "ws", 1), headers=headers, ssl_options=trust)
    return websocket_connect(request)


def test_the_page_looks_asks_and_changes(hub: Hub) -> None:
    with hub.browser("ada") as browser:
        assert "jupyter-localcoder" in browser.page.text
        assert browser.ask("GET", "health").status_code == 200
        answer = browser.ask("POST", "generate", EXPLAIN)
        assert answer.status_code == 200, answer.text
        assert answer.json()["usage"]["completion_tokens"] > 0
        changed = browser.ask("PATCH", "settings", {"tab_completion": True})
        assert changed.json()["settings"]["tab_completion"] is True


def test_a_page_without_the_xsrf_token_changes_nothing(hub: Hub) -> None:
    with hub.browser("ada") as browser:
        for given in ("", "wrong", "2|aaaa|aaaa|1"):
            refused = browser.ask("PATCH", "settings", {"temperature": 1.5}, **{"X-XSRFToken": given})
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AUTH_ERROR")
        assert browser.ask("GET", "settings").json()["settings"]["temperature"] != 1.5


def test_the_page_opens_the_channel(hub: Hub) -> None:
    async def ping(browser: Browser) -> Any:
        url = hub.url("ada", "localcoder/channel")
        cookie = browser.client.build_request("GET", url).headers["Cookie"]
        headers = {"Cookie": cookie, "Sec-Fetch-Mode": "websocket", "Origin": hub.origin}
        socket = await connect(hub, url, headers)
        await socket.write_message(json.dumps({"id": "1", "op": "backend:ping", "payload": {}}))
        while (message := json.loads(await socket.read_message())).get("id") != "1":
            pass
        socket.close()
        with pytest.raises(HTTPClientError, match="403"):
            await connect(hub, url, {"Sec-Fetch-Mode": "websocket"})
        return message

    with hub.browser("ada") as browser:
        assert asyncio.run(asyncio.wait_for(ping(browser), PATIENCE_SECONDS))["success"]


def test_the_magics_of_a_kernel_look_ask_and_change(hub: Hub) -> None:
    with hub.kernel("ada") as kernel:
        assert kernel.run("%load_ext jupyter_localcoder").ok
        status = kernel.run("%localcoder status")
        assert status.ok, status.reply
        assert f"Jupyter server at {where(hub.connection('ada'))}" in status.text
        explained = kernel.run("%%explain --max-tokens 8\nx = 1")
        assert explained.ok, explained.reply
        assert explained.text
        changed = kernel.run("%localcoder unload")
        assert changed.ok, changed.reply
        assert "unloaded" in changed.text
