"""Everything works under a JupyterHub, for each user at their own server and nowhere else."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_localcoder.client.connection import ServerConnection
from jupyter_localcoder.client.http import HttpClient
from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.registry import PING, SETTINGS_UPDATE
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import LocalCoderError
from tests.hub.hub import Browser, Hub
from tests.support.waiting import PATIENCE_SECONDS

EXPLAIN = {"command": "explain", "code": "x = 1", "max_tokens": 8}
ENDLESS = {**EXPLAIN, "max_tokens": 2000}


def where(connection: ServerConnection) -> str:
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


def test_commands_in_the_terminal_look_ask_and_change(hub: Hub) -> None:
    localcoder = f"{sys.executable} -m jupyter_localcoder.cli"
    said = in_terminal(
        hub,
        "ada",
        f"{localcoder} status --json",
        f"{localcoder} config set temperature 0.5 --json",
        f"echo 'x = 1' | {localcoder} explain - --max-tokens 8 --json",
    )
    status, changed, explained = map(json.loads, said)
    assert status["server"]
    assert where(hub.connection("ada")) in status["where"]
    assert changed["settings"] == {"temperature": 0.5}
    assert explained["usage"]["completion_tokens"] > 0


def in_terminal(hub: Hub, user: str, *commands: str) -> list[str]:
    """Run commands in a terminal of the user's server, one after the other; what each wrote on stdout."""
    headers = {"Authorization": f"token {hub.token(user)[0]}"}
    home = hub.home(user)

    async def run() -> None:
        with hub.client() as client:
            made = client.post(hub.url(user, "api/terminals"), headers=headers)
        assert made.status_code == 200, made.text
        socket: WebSocketClientConnection = await connect(
            hub, hub.url(user, f"terminals/websocket/{made.json()['name']}"), headers
        )
        script = "".join(f"{command} > {home}/said-{i}\n" for i, command in enumerate(commands))
        (home / "script").write_text(script + f"touch {home}/done\n")
        await socket.write_message(json.dumps(["stdin", f"cd {home}; sh -x script\r"]))
        shown = ""
        while not (home / "done").exists():
            shown += str(await socket.read_message())
        socket.close()
        print(shown)

    (home / "done").unlink(missing_ok=True)
    asyncio.run(asyncio.wait_for(run(), PATIENCE_SECONDS))
    return [(home / f"said-{i}").read_text() for i in range(len(commands))]


def test_nothing_is_open_to_a_stranger(hub: Hub) -> None:
    token = hub.connection("ada").token
    shown = ["", "token wrong", "Bearer wrong", "localcoder wrong", "localcoder"]
    shown += [f"{scheme} {token}" for scheme in ("token", "Bearer")]
    shown += [f"localcoder {near}" for near in (token[:-1], token + "x", token.swapcase())]
    with hub.client() as client:
        for header in shown:
            headers = {"Authorization": header} if header else {}
            for method, path, body in (
                ("GET", "health", None),
                ("POST", "generate", EXPLAIN),
                ("PATCH", "settings", {"temperature": 1.5}),
            ):
                url = hub.url("ada", f"localcoder/{path}")
                answer = client.request(method, url, json=body, headers=headers)
                assert answer.status_code == 403, (header, method, answer.text)


def test_the_kernels_token_opens_nothing_else(hub: Hub) -> None:
    headers = {"Authorization": f"localcoder {hub.connection('ada').token}"}
    with hub.client() as client:
        assert client.get(hub.url("ada", "localcoder/health"), headers=headers).status_code == 200
        for method, path in (("GET", "api/contents"), ("POST", "api/kernels"), ("GET", "api/me")):
            answer = client.request(method, hub.url("ada", path), headers=headers)
            assert answer.status_code == 403, (path, answer.text)


def test_one_user_cannot_reach_anothers_server(hub: Hub) -> None:
    with hub.browser("bob") as browser:
        for method, path, body in (("GET", "health", None), ("PATCH", "settings", {"temperature": 1.5})):
            assert browser.ask(method, path, body).status_code == 200
            assert browser.ask(method, path, body, user="ada").status_code == 403
    bobs = [f"token {hub.token('bob')[0]}", f"localcoder {hub.connection('bob').token}"]
    with hub.client() as client:
        for header in bobs:
            for user, expected in (("bob", 200), ("ada", 403)):
                url = hub.url(user, "localcoder/models/unload")
                answer = client.post(url, json={}, headers={"Authorization": header})
                assert answer.status_code == expected, (header.split()[0], user, answer.text)


def test_one_users_kernel_token_is_nothing_to_anothers_server_behind_the_proxy(hub: Hub) -> None:
    ada, bob = hub.connection("ada"), hub.connection("bob")
    assert HttpClient(ada).call(PING, PingRequest())
    mixed = msgspec.structs.replace(ada, token=bob.token)
    with pytest.raises(LocalCoderError) as caught:
        HttpClient(mixed).call(SETTINGS_UPDATE, SettingsUpdateRequest(tab_completion=False))
    assert caught.value.code == "AUTH_ERROR"


def test_a_token_that_is_revoked_lets_the_answer_end_and_nothing_new_begin(hub: Hub) -> None:
    token, id_ = hub.token("ada")
    headers = {"Authorization": f"token {token}", "Accept": "text/event-stream"}
    with hub.client() as client, hub.client() as other:
        url = hub.url("ada", "localcoder/generate")
        with client.stream("POST", url, json=ENDLESS, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            lines = answer.iter_lines()
            assert any(line == "event: delta" for line in lines)
            assert hub.api("DELETE", f"users/ada/tokens/{id_}").status_code == 204
            # The hub's part in the server remembers an answer of the hub for some time.
            refused = until(
                lambda: other.get(hub.url("ada", "localcoder/health"), headers=headers),
                lambda answer: answer.status_code != 200,
            )
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AUTH_ERROR")
            assert "Sign in" in refused.json()["error"]["recovery"]
            kernel = {"Authorization": f"localcoder {hub.connection('ada').token}"}
            assert other.delete(hub.url("ada", "localcoder/queue"), headers=kernel).status_code == 200
            rest = list(lines)
    assert any(line in ("event: done", "event: error") for line in rest), rest[-5:]


def until(ask: Callable[[], httpx.Response], holds: Callable[[httpx.Response], bool]) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(answer := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def test_a_named_server_has_kernels_of_its_own(hub: Hub) -> None:
    hub.start_named("bob", "second")
    with hub.kernel("bob", "second") as kernel:
        assert kernel.run("%load_ext jupyter_localcoder").ok
        status = kernel.run("%localcoder status")
        assert status.ok, status.reply
        assert where(hub.connection("bob", "second")) in status.text
        assert kernel.run("%localcoder unload").ok
    assert hub.connection("bob", "second").token != hub.connection("bob").token
