"""Downloads where the environment names a proxy or certificates that cannot be used."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors

WRONG = [
    ("ALL_PROXY", "socks5://ada:canary@proxy:1080"),
    ("https_proxy", "foo:bar"),
    ("HTTPS_PROXY", "http://ada:canary@["),
    ("SSL_CERT_FILE", "/nowhere/canary.pem?"),
    ("SSL_CERT_DIR", "/nowhere"),
    ("REQUESTS_CA_BUNDLE", "/nowhere.pem"),
]
AWAY = {"type": "url", "url": "https://models.invalid/tiny.gguf"}


@pytest.fixture(params=WRONG, ids=lambda wrong: wrong[0])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a variable that is set and cannot be used."""
    variable, value = request.param
    if value.startswith("socks") and importlib.util.find_spec("socksio") is not None:
        pytest.skip("socksio is here")
    for name in ("http", "https", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    return str(variable)


def test_the_variable_is_named(bench: Any, wrong: str) -> None:
    with pytest.raises(errors.DownloadFailed) as caught:
        bench(AWAY).fetch()
    assert f"environment variable {wrong} (`" in caught.value.message
    assert "ada" not in str(caught.value) + str(caught.value.details)


def test_the_next_source_is_tried(bench: Any, wrong: str, tiny: Path) -> None:
    model = bench(AWAY, {"type": "file", "path": str(tiny)}).fetch()
    assert model.path.read_bytes() == tiny.read_bytes()


def test_what_needs_neither_goes_on(bench: Any, wrong: str, server: Any, url_source: Any) -> None:
    """This machine is exempt from proxies here, and plain http needs no certificates."""
    assert bench(url_source(server)).fetch().path.read_bytes() == server.body


def test_pip_fails_with_the_variable_named(bench: Any, wrong: str, wheels: Path, index_source: Any) -> None:
    (wheels / "tiny_part2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(errors.DownloadFailed, match=f"environment variable {wrong} ") as caught:
        bench(index_source).fetch()
    assert "ada" not in str(caught.value) + str(caught.value.details)


def test_a_proxy_that_is_away_is_named(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://ada:canary@127.0.0.1:9")
    with pytest.raises(errors.DownloadFailed) as caught:
        bench(AWAY).fetch()
    assert "through the proxy of https_proxy (`http://127.0.0.1:9`)" in caught.value.message
    assert "canary" not in str(caught.value) + str(caught.value.details)


@pytest.mark.parametrize("exempt", ["::1", "[::1]", "10.0.0.0/8,::1/128", "[, a:b:c, ::1"])
def test_a_list_of_exemptions_with_ipv6_is_read(
    bench: Any, server: Any, url_source: Any, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    monkeypatch.setenv("no_proxy", f"{exempt},127.0.0.1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert bench(url_source(server)).fetch().path.read_bytes() == server.body


@pytest.mark.parametrize(
    "address", ["foo:bar", "http://[", "not an address", "http://", "ftp://ada:canary@x", "http://a b"]
)
def test_an_address_of_the_hub_that_is_none_is_named(
    bench: Any, monkeypatch: pytest.MonkeyPatch, address: str, tiny: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    hub = {"type": "hub", "repo": "a/b", "revision": "main", "file": "tiny.gguf"}
    with pytest.raises(errors.DownloadFailed, match=r"address of the model hub .*HF_ENDPOINT") as caught:
        bench(hub).fetch()
    assert "canary" not in str(caught.value) + str(caught.value.details)
    assert bench(hub, {"type": "file", "path": str(tiny)}).fetch().path.read_bytes() == tiny.read_bytes()
