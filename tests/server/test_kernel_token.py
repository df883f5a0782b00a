"""The token of kernels is the whole token and nothing but it, of this server, as long as it runs."""

from __future__ import annotations

import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.utils import url_path_join
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_localcoder.client.connection import running
from jupyter_localcoder.server.app import LocalCoderApp
from jupyter_localcoder.server.identity import KernelIdentity

NEARLY = {
    "nothing": lambda token: "localcoder",
    "an empty one": lambda token: "localcoder ",
    "spaces": lambda token: "localcoder    ",
    "its beginning": lambda token: f"localcoder {token[:1]}",
    "all but its end": lambda token: f"localcoder {token[:-1]}",
    "its end": lambda token: f"localcoder {token[1:]}",
    "its middle": lambda token: f"localcoder {token[5:20]}",
    "more than it": lambda token: f"localcoder {token}x",
    "it twice": lambda token: f"localcoder {token}{token}",
    "it with a space": lambda token: f"localcoder {token} x",
    "it after a second space": lambda token: f"localcoder  {token}",
    "in the other case": lambda token: f"localcoder {token.swapcase()}",
    "as long, another": lambda token: f"localcoder {secrets.token_urlsafe(32)}",
    "one character changed": lambda token: f"localcoder {token[:-1]}{'A' if token[-1] != 'A' else 'B'}",
    "an asterisk": lambda token: "localcoder *",
    "beyond ASCII": lambda token: f"localcoder {token}\u00e9",
    "another scheme": lambda token: f"token {token}",
    "as a bearer": lambda token: f"Bearer {token}",
    "as basic": lambda token: f"Basic {token}",
    "without a scheme": lambda token: token,
    "with a scheme that is empty": lambda token: f" {token}",
    "glued to the scheme": lambda token: f"localcoder{token}",
    "of a longer scheme": lambda token: f"localcoder-x {token}",
}


@pytest.fixture
def token(extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of both cases, and with another first and last character."""
    extension.__dict__["kernel_token"] = "Aq" + secrets.token_urlsafe(30) + "Zr"
    return extension.kernel_token


async def status(client: Any, base_url: str, path: str, headers: dict[str, str], **more: Any) -> int:
    try:
        return int((await client.fetch(url_path_join(base_url, path), headers=headers, **more)).code)
    except HTTPClientError as failure:
        return failure.code


@pytest.mark.parametrize("shown", NEARLY.values(), ids=NEARLY)
async def test_what_is_nearly_the_token_opens_nothing(
    token: str, http_server_client: Any, jp_base_url: str, shown: Any
) -> None:
    headers = {"Authorization": shown(token)}
    assert await status(http_server_client, jp_base_url, "localcoder/health", headers) == 403
    post = {"method": "POST", "body": "{}"}
    assert await status(http_server_client, jp_base_url, "localcoder/models/unload", headers, **post) == 403
    url = http_server_client.get_url(url_path_join(jp_base_url, "localcoder/channel"))
    with pytest.raises(HTTPClientError, match="403"):
        await websocket_connect(HTTPRequest(url.replace("http", "ws", 1), headers=headers))


@pytest.mark.parametrize("scheme", ["localcoder", "LocalCoder"])
async def test_the_token_opens(token: str, http_server_client: Any, jp_base_url: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {token}"}
    assert await status(http_server_client, jp_base_url, "localcoder/health", headers) == 200
    post = {"method": "POST", "body": "{}"}
    assert await status(http_server_client, jp_base_url, "localcoder/models/unload", headers, **post) == 200
    url = http_server_client.get_url(url_path_join(jp_base_url, "localcoder/channel"))
    (await websocket_connect(HTTPRequest(url.replace("http", "ws", 1), headers=headers))).close()


@pytest.mark.parametrize("where", ["?token={}", "?localcoder={}"])
async def test_it_is_a_header_and_nothing_in_an_address(
    token: str, http_server_client: Any, jp_base_url: str, where: str
) -> None:
    path = "localcoder/health" + where.format(token)
    assert await status(http_server_client, jp_base_url, path, {}) == 403


async def test_a_token_ends_with_its_server_and_another_servers_is_none(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_serverapp: Any,
    jp_runtime_dir: Path,
) -> None:
    (told,) = running(jp_runtime_dir)
    old = {"Authorization": f"localcoder {told.token}"}
    assert await status(http_server_client, jp_base_url, "localcoder/health", old) == 200
    other = LocalCoderApp()
    assert other.kernel_token != extension.kernel_token
    assert len(extension.kernel_token) >= 43, "256 bits"
    headers = {"Authorization": f"localcoder {other.kernel_token}"}
    assert await status(http_server_client, jp_base_url, "localcoder/health", headers) == 403
    # As after a restart: the extension is another object, and the port may be the same.
    extension.__dict__.pop("kernel_token")
    assert await status(http_server_client, jp_base_url, "localcoder/health", old) == 403


def test_without_a_token_of_its_own_a_server_lets_no_kernel_in() -> None:
    """An empty token is one that everybody knows."""
    for shown in ("localcoder ", "localcoder", "", "localcoder x"):
        handler = SimpleNamespace(request=SimpleNamespace(headers={"Authorization": shown}))
        assert not KernelIdentity(SimpleNamespace(), "").is_kernel(handler)
