"""What the environment says about proxies and certificates, and what cannot be used in it."""

from __future__ import annotations

import importlib.util
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_localcoder.network import environment
from jupyter_localcoder.network.environment import UnusableSetting, complaints, is_exempt, proxy_for, trust
from tests.support.certificates import write_certificate

SECRET = "canary"
WITHOUT_SOCKS = importlib.util.find_spec("socksio") is None


def way(url: str, **environ: str) -> environment.Proxy | None:
    return proxy_for(httpx.URL(url), environ)


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://h/", None),
        ({"http_proxy": "p:3128"}, "http://h/", "http://p:3128"),
        ({"http_proxy": "p:3128"}, "https://h/", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://h/", "http://p:3128"),
        ({"ALL_PROXY": "https://p"}, "https://h/", "https://p"),
        ({"all_proxy": "http://[::1]:3128"}, "http://h/", "http://[::1]:3128"),
        ({"https_proxy": "http://small", "HTTPS_PROXY": "http://large"}, "https://h/", "http://small"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://large"}, "https://h/", None),
        ({"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, "http://h/", None),
        ({"https_proxy": "http://p", "no_proxy": "h"}, "https://h/", None),
        ({"https_proxy": "foo:bar", "NO_PROXY": "*"}, "https://h/", None),
    ],
)
def test_the_way_is_chosen_as_other_programs_do(environ: Any, url: str, proxy: str | None) -> None:
    found = way(url, **environ)
    assert (found.url if found else None) == proxy


@pytest.mark.parametrize(
    "value",
    [
        "foo:bar",
        "http://[",
        "http://",
        "http://u:canary@[",
        "http://u:can/canary@h:x",
        "ftp://u:canary@h",
        "socks4://u:canary@h:1",
        "http://h:0",
        "http://h:99999",
        "http://a b:1",
        "://h",
        "http://h\x1b[31m:1",
        pytest.param(
            "socks5://u:canary@h:1", marks=pytest.mark.skipif(not WITHOUT_SOCKS, reason="socksio is here")
        ),
    ],
)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_told_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(UnusableSetting) as caught:
        way("http://h/", **{variable: value})
    told = str(caught.value)
    assert variable in told
    assert variable in caught.value.recovery
    assert SECRET not in told + caught.value.recovery
    assert "\x1b" not in told


def test_a_proxy_is_told_without_its_credentials() -> None:
    found = way("http://h/", http_proxy="http://ada:canary@p:3128/?key=canary")
    assert found is not None
    assert "canary" in found.url
    assert SECRET not in found.description + repr(found)
    assert found.description == "the proxy of http_proxy (`http://p:3128/`)"


@pytest.mark.parametrize(
    ("host", "no_proxy", "exempt"),
    [
        ("::1", "::1", True),
        ("::1", "[::1]", True),
        ("::1", "[::1]:443", True),
        ("::1", "[::1]:80", False),
        ("::1", "127.0.0.1", False),
        ("fe80::7", "fe80::/10", True),
        ("fe80::7", "[fe80::]/10", True),
        ("2001:db8::7", "fe80::/10", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("example.org", "example.org", True),
        ("a.example.org", ".example.org", True),
        ("a.example.org", "*.example.org", True),
        ("a.example.org", "EXAMPLE.org:443", True),
        ("a.example.org", "example.org:80", False),
        ("badexample.org", "example.org", False),
        ("example.org", "a, example.org", True),
        ("example.org", "a example.org", True),
        ("example.org", "https://example.org", True),
        ("example.org", "", False),
        ("example.org", "[, ::x, a:b:c, 10.0.0.0/99, /, ., :", False),
    ],
)
def test_what_is_exempt(host: str, no_proxy: str, exempt: bool) -> None:
    assert is_exempt(host, 443, no_proxy) is exempt


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
)
@pytest.mark.parametrize("state", ["missing", "empty", "no PEM", "NUL"])
def test_certificates_that_cannot_be_used_are_told_by_their_variable(
    variable: str, state: str, tmp_path: Path
) -> None:
    path = tmp_path / "here"
    if state in ("empty", "no PEM"):
        path.write_text("" if state == "empty" else "not a certificate")
    value = f"{path}\0" if state == "NUL" else str(path)
    with pytest.raises(UnusableSetting, match=variable) as caught:
        trust({variable: value})
    assert variable in caught.value.recovery


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_there_are_believed(variable: str, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    write_certificate(certificate, tmp_path / "key.pem")
    context = trust({variable: str(tmp_path if variable == "SSL_CERT_DIR" else certificate)})
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    if variable != "SSL_CERT_DIR":  # OpenSSL looks into a folder when it meets a name
        assert "'a hub'" in str(context.get_ca_certs())
    assert trust({}).cert_store_stats()["x509_ca"] > 0


def test_all_complaints_are_found_and_nothing_else(tmp_path: Path) -> None:
    environ = {
        "http_proxy": "foo:bar",
        "HTTPS_PROXY": "http://fine:3128",
        "PIP_PROXY": "http://u:canary@[",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none"),
        "PIP_CERT": str(tmp_path / "none"),
    }
    found = complaints(environ)
    assert [text.split()[3] for text in found] == [
        "http_proxy",
        "PIP_PROXY",
        "REQUESTS_CA_BUNDLE",
        "PIP_CERT",
    ]
    assert SECRET not in str(found)
    assert complaints({}) == []
