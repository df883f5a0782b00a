"""No route and no channel without authentication, and none past the authorizer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_localcoder.client.connection import running
from jupyter_localcoder.contract.registry import OPERATIONS, Operation
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, Connect

NAMES = [op.name for op in OPERATIONS]


def path_of(op: Operation[Any, Any]) -> str:
    return "/".join("x" if part.startswith("{") else part for part in op.path.split("/"))


def body_of(op: Operation[Any, Any]) -> str | None:
    return "{}" if op.method in ("POST", "PATCH", "PUT") else None


async def signed_in(client: Any, base_url: str, auth_header: dict[str, str]) -> dict[str, str]:
    """Headers of a browser that has signed in: a cookie, and no token."""
    token = auth_header["Authorization"].split()[1]
    url = url_path_join(base_url, f"api/status?token={token}")
    cookies = (await client.fetch(url)).headers.get_list("Set-Cookie")
    headers = {"Cookie": "; ".join(cookie.split(";")[0] for cookie in cookies)}
    status = await client.fetch(url_path_join(base_url, "api/status"), headers=headers)
    assert status.code == 200, "the cookie must sign in, or the test proves nothing"
    return headers


async def fetch(client: Any, base_url: str, op: Operation[Any, Any], headers: dict[str, str]) -> int:
    url = url_path_join(base_url, "localcoder", path_of(op))
    try:
        response = await client.fetch(url, method=op.method, body=body_of(op), headers=headers)
    except HTTPClientError as failure:
        return failure.code
    return int(response.code)


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
async def test_without_a_token_every_route_is_refused(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, op: Operation[Any, Any]
) -> None:
    for headers in ({}, {"Authorization": "token wrong"}, {"Authorization": "localcoder wrong"}):
        assert await fetch(http_server_client, jp_base_url, op, headers) == 403


def test_no_route_is_left_out_of_the_list(extension: LocalCoderApp) -> None:
    """Every handler of the extension is one that the tests here go through."""
    names = {handler[1].__name__ for handler in extension.handlers}
    assert names == {"OperationHandler", "OpenApiHandler", "ChannelHandler", "ProofHandler"}


def test_one_route_is_open_to_everybody_and_answers_nothing_but_a_proof(extension: LocalCoderApp) -> None:
    """What it answers is seen in `test_proof.py`."""
    public = {
        (pattern, method)
        for pattern, handler, _ in extension.handlers
        for method in ("get", "head", "post", "put", "patch", "delete")
        if hasattr(getattr(handler, method), "__allow_unauthenticated")
        and getattr(getattr(handler, method), "__allow_unauthenticated")
    }
    assert public == {("/localcoder/proof", "get")}


async def test_the_openapi_document_needs_a_token(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str
) -> None:
    with pytest.raises(HTTPClientError, match="403"):
        await http_server_client.fetch(url_path_join(jp_base_url, "localcoder/openapi.json"))


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.method != "GET"], ids=lambda op: op.name)
async def test_without_the_xsrf_token_a_signed_in_browser_can_change_nothing(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: Any,
    op: Operation[Any, Any],
) -> None:
    headers = await signed_in(http_server_client, jp_base_url, jp_auth_header)
    assert await fetch(http_server_client, jp_base_url, op, headers) == 403


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
async def test_a_foreign_origin_is_refused(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: Any,
    op: Operation[Any, Any],
) -> None:
    """A page of another site cannot use the cookies of a browser; with the token it is no browser."""
    headers = await signed_in(http_server_client, jp_base_url, jp_auth_header)
    headers["Origin"] = "http://evil.example"
    assert await fetch(http_server_client, jp_base_url, op, headers) in (403, 404)


class ReadOnly(Authorizer):
    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read" or resource != "localcoder"


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
async def test_who_may_only_read_can_only_read(ask: Ask, jp_serverapp: Any, op: Operation[Any, Any]) -> None:
    jp_serverapp.web_app.settings["authorizer"] = ReadOnly()
    answer = await ask(op.method, path_of(op), None if body_of(op) is None else {})
    if op.action == "read":
        # Let in, an operation may still find nothing of the name that this test makes up, or none at all.
        assert answer.status == 200 or answer.code in (*op.errors, "VALIDATION_ERROR")
    else:
        assert (answer.status, answer.code) == (403, "AUTH_ERROR")


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.action != "read"], ids=lambda op: op.name)
async def test_both_transports_refuse_in_the_same_words(
    ask: Ask, connect: Connect, jp_serverapp: Any, op: Operation[Any, Any]
) -> None:
    jp_serverapp.web_app.settings["authorizer"] = ReadOnly()
    answer = await ask(op.method, path_of(op), None if body_of(op) is None else {})
    channel = await connect()
    # What may not be done is refused before it is read: this payload would not be valid.
    told = await channel.call(op.name, {"surprise": 1})
    assert told["error"] == answer.data["error"]
    assert told["error"]["details"] == {"action": op.action}


async def test_the_channel_is_refused_without_a_token_and_from_another_origin(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, jp_auth_header: Any
) -> None:
    url = http_server_client.get_url(url_path_join(jp_base_url, "localcoder/channel")).replace(
        "http", "ws", 1
    )
    with_cookie = await signed_in(http_server_client, jp_base_url, jp_auth_header)
    for headers in (
        {},
        {"Authorization": "token wrong"},
        {**with_cookie, "Origin": "http://evil.example"},
    ):
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(HTTPRequest(url, headers=headers))


async def test_a_kernels_token_opens_this_extension_and_nothing_else(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str
) -> None:
    headers = {"Authorization": f"localcoder {extension.kernel_token}"}
    url = url_path_join(jp_base_url, "localcoder/health")
    assert (await http_server_client.fetch(url, headers=headers)).code == 200
    with pytest.raises(HTTPClientError, match="403"):
        await http_server_client.fetch(url_path_join(jp_base_url, "api/contents"), headers=headers)


async def test_a_kernel_that_only_looks_is_no_use_of_the_server(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: Any,
    jp_serverapp: Any,
) -> None:
    """Else a manager in a forgotten notebook would keep a server alive that a hub would end."""
    url = url_path_join(jp_base_url, "localcoder")
    kernel = {"Authorization": f"localcoder {extension.kernel_token}"}

    async def counts(path: str, headers: Any, **request: Any) -> bool:
        settings = jp_serverapp.web_app.settings
        before = settings.pop("api_last_activity", None)
        await http_server_client.fetch(url_path_join(url, path), headers=headers, **request)
        counted = settings.get("api_last_activity") is not None
        settings.setdefault("api_last_activity", before)
        return counted

    assert not await counts("health", kernel)
    assert not await counts("models", kernel)
    assert await counts("models/unload", kernel, method="POST", body="{}")
    assert await counts("models", jp_auth_header)


async def test_kernels_are_told_where_the_server_is(extension: LocalCoderApp, jp_serverapp: Any) -> None:
    import os

    from jupyter_core.paths import jupyter_runtime_dir

    (connection,) = running(Path(jupyter_runtime_dir()))
    assert connection.token == extension.kernel_token == os.environ["JUPYTER_LOCALCODER_TOKEN"]
    assert connection.url == os.environ["JUPYTER_LOCALCODER_URL"]
    assert connection.path(Path(jupyter_runtime_dir())).stat().st_mode & 0o077 == 0
    await extension.stop_extension()
    assert running(Path(jupyter_runtime_dir())) == []
    assert "JUPYTER_LOCALCODER_TOKEN" not in os.environ


async def test_the_worker_has_no_keys_in_its_environment(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "JUPYTER_TOKEN"):
        monkeypatch.setenv(name, "canary-5f1c")
    await ask("POST", "models/tiny/load")
    pid = extension.service.pool.front.pid
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"canary-5f1c" not in environment
    assert extension.kernel_token.encode() not in environment
    await asyncio.sleep(0)


async def test_a_check_that_is_put_in_the_place_of_jupyters_is_spared_to_kernels_alone(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A JupyterHub does so with the class of all handlers, at the first request of a browser."""

    def refuse(handler: Any) -> None:
        raise web.HTTPError(403, "'_xsrf' argument missing")

    monkeypatch.setattr(JupyterHandler, "check_xsrf_cookie", refuse)
    unload = next(op for op in OPERATIONS if op.name == "model:unload")
    kernel = {"Authorization": f"localcoder {extension.kernel_token}"}
    assert await fetch(http_server_client, jp_base_url, unload, kernel) == 200
    for headers in (
        {},
        {"Authorization": "localcoder wrong"},
        {"Authorization": "localcoder "},
        jp_auth_header,
    ):
        assert await fetch(http_server_client, jp_base_url, unload, dict(headers)) == 403


class HubAuth:
    """The part of a JupyterHub in a server: who shows this token is this user."""

    api_token = "the server's own"
    access_scopes = {"access:servers!user=ada"}

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes
        self.asked: list[str] = []

    async def user_for_token(self, token: str, *, sync: bool) -> dict[str, Any]:
        assert not sync
        self.asked.append(token)
        return {"name": "ada", "scopes": list(self.scopes)}

    def check_scopes(self, wanted: set[str], model: dict[str, Any]) -> set[str]:
        return wanted & set(model["scopes"])


class OfTheHub(Authorizer):
    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return bool(user.hub_user["name"] == "ada")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(("access:servers!user=ada",), 200), (("access:servers!user=bob",), 403), ((), 403)],
)
async def test_to_an_authorizer_that_asks_for_the_hubs_user_a_kernel_is_the_servers_owner(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_serverapp: Any,
    scopes: tuple[str, ...],
    status: int,
) -> None:
    hub = HubAuth(*scopes)
    provider = jp_serverapp.web_app.settings["identity_provider"]
    provider.hub_auth = hub
    ping = next(op for op in OPERATIONS if op.name == "backend:ping")
    kernel = {"Authorization": f"localcoder {extension.kernel_token}"}
    assert await fetch(http_server_client, jp_base_url, ping, kernel) == 200
    assert hub.asked == [], "nobody asks for the hub's answer"
    jp_serverapp.web_app.settings["authorizer"] = OfTheHub()
    assert await fetch(http_server_client, jp_base_url, ping, kernel) == status
    assert hub.asked == ["the server's own"]


async def test_a_service_of_identity_that_does_not_answer_is_told(
    extension: LocalCoderApp, ask: Ask, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that is away, say: the server can then not tell who asks."""

    async def away(handler: Any) -> None:
        raise web.HTTPError(500, "Failed to connect to Hub API")

    monkeypatch.setattr(jp_serverapp.web_app.settings["identity_provider"], "get_user", away)
    answer = await ask("GET", "health")
    assert (answer.status, answer.code) == (502, "CONNECTION_ERROR")
    assert "could not identify the user" in answer.data["error"]["message"]
