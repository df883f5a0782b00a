"""Providers where the environment names a proxy or certificates that cannot be used."""

from __future__ import annotations

import importlib.util

import pytest

from jupyter_localcoder import errors
from tests.support.providers import collect
from tests.support.wire_server import events


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://ada:canary@proxy:1080"),
        ("https_proxy", "foo:bar"),
        ("HTTPS_PROXY", "http://ada:canary@["),
        ("SSL_CERT_FILE", "/nowhere/cert.pem"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("REQUESTS_CA_BUNDLE", "/nowhere.pem"),
    ],
)
async def test_the_variable_is_named(make, monkeypatch, variable: str, value: str) -> None:
    if value.startswith("socks") and importlib.util.find_spec("socksio") is not None:
        pytest.skip("socksio is here")
    monkeypatch.setenv(variable, value)
    with pytest.raises(errors.ConnectionFailed) as caught:
        await collect(make(base_url="https://models.invalid/v1"))
    assert caught.value.message.startswith(f"The environment variable {variable} (`")
    assert variable in caught.value.recovery
    assert "ada" not in caught.value.message + caught.value.recovery + str(caught.value.details)


async def test_a_proxy_that_is_away_is_named(make, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://ada:canary@127.0.0.1:9")
    with pytest.raises(errors.ConnectionFailed) as caught:
        await collect(make(base_url="http://models.invalid/v1", key=None))
    assert "through the proxy of http_proxy (`http://127.0.0.1:9`)" in caught.value.message
    assert "canary" not in caught.value.message + str(caught.value.details)


@pytest.mark.parametrize("exempt", ["::1", "[::1]", "fe80::/10", "[, a:b:c"])
async def test_this_machine_is_reached_whatever_is_said(make, server, monkeypatch, exempt: str) -> None:
    monkeypatch.setenv("NO_PROXY", exempt)
    monkeypatch.setenv("http_proxy", "foo:bar")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    last = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    server.say(events(last))
    pieces, _ = await collect(make())
    assert pieces == ["Hi"]
