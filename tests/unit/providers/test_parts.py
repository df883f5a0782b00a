"""Addresses, lines, stop strings and prices: the pure parts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.errors import ValidationError
from jupyter_localcoder.network.event_stream import LineReader, LineTooLong, MessageReader
from jupyter_localcoder.providers.address import parse_address
from jupyter_localcoder.providers.base import ReportedUsage
from jupyter_localcoder.providers.build import build_provider, check_fields
from jupyter_localcoder.providers.kinds import BUILT_IN, is_vendor_host
from jupyter_localcoder.providers.prices import Prices
from jupyter_localcoder.providers.stops import StopStrings


@pytest.mark.parametrize(
    ("text", "url", "origin", "loopback"),
    [
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080", True),
        ("HTTPS://Api.Example.com:443/v1", "https://api.example.com/v1", "https://api.example.com", False),
        ("http://localhost", "http://localhost", "http://localhost", True),
        ("http://[::1]:1234/", "http://[::1]:1234", "http://[::1]:1234", True),
        ("http://127.9.9.9", "http://127.9.9.9", "http://127.9.9.9", True),
        ("http://10.0.0.1", "http://10.0.0.1", "http://10.0.0.1", False),
        ("https://bücher.example", "https://bücher.example", "https://bücher.example", False),
        ("http://my_host:80", "http://my_host", "http://my_host", False),
        ("http://localhost.evil.example", *["http://localhost.evil.example"] * 2, False),
    ],
)
def test_addresses(text, url, origin, loopback):
    address = parse_address(text)
    assert (address.url, address.origin, address.is_loopback) == (url, origin, loopback)


LINK_LOCAL = [
    "169.254.169.254",
    "169.254.0.1",
    "169.254.255.255",
    "169.254.169.254.",
    "2852039166",
    "0xa9fea9fe",
    "0XA9FEA9FE",
    "025177524776",
    "0251.0376.0251.0376",
    "0xa9.0xfe.0xa9.0xfe",
    "169.254.43518",
    "169.16689662",
    "0xa9.254.0251.254",
    "00000251.254.169.254",
    "\uff11\uff16\uff19.254.169.254",
    "169\u3002254\u3002169\u3002254",
    "\u2460\u2465\u2468.254.169.254",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[FE80::1]",
    "[febf:ffff::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[::ffff:0:a9fe:a9fe]",
    "[2001:0:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[::ffff:100.100.100.200]",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "metadata",
    "instance-data",
    "metadata.goog",
]


@pytest.mark.parametrize("host", LINK_LOCAL)
def test_link_local_addresses_are_known_in_every_spelling(host):
    assert parse_address(f"http://{host}:8080/latest").is_link_local


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "169.253.1.1",
        "169.255.0.1",
        "10.0.0.1",
        "[::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "[2002:0a00:0001::1]",
        "api.example.com",
        "169.254.169.254.example.com",
        "0xcafe.example",
        "2852039166.example",
        "999.254.169.254",
        "08.254.169.254",
        "metadata.example.com",
        "1.2.3.4.5",
        "[fec0::1]",
        "a9fea9fe",
    ],
)
def test_others_are_not(host):
    assert not parse_address(f"http://{host}/v1").is_link_local


@pytest.mark.parametrize("type_", ["openai_compatible", "ollama", "openai", "gemini", "azure_openai"])
def test_a_link_local_address_is_refused_unless_a_person_allows_it(type_):
    fields = ProviderFields(type=type_, base_url="http://169.254.1.1/v1", api_version="1")
    for refused in (lambda: check_fields(fields), lambda: build_provider("a", fields, None)):
        with pytest.raises(ValidationError, match="link-local") as caught:
            refused()
        assert caught.value.details["field"] == "base_url"
        assert "link_local_providers" in caught.value.recovery
    check_fields(fields, link_local=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("file:///etc/passwd", "must begin with http"),
        ("ftp://host/", "must begin with http"),
        ("javascript:alert(1)", "must begin with http"),
        ("host:8080", "must begin with http"),
        ("", "must begin with http"),
        ("//host/v1", "must begin with http"),
        ("http://user:secret@host/v1", "must not contain a user name or password"),
        ("https://secret@host", "must not contain a user name or password"),
        ("http://host/v1?key=secret", "must not contain a query"),
        ("http://host/v1#secret", "must not contain a query"),
        ("http://host/v1?", "must not contain a query"),
        ("http://", "has no valid host"),
        ("http:///v1", "has no valid host"),
        ("http://:80/", "has no valid host"),
        ("http://a..b/", "has no valid host"),
        ("http://-x/", "has no valid host"),
        ("http://ho%73t/", "has no valid host"),
        ("http://host:0/", "has no valid host"),
        ("http://host:99999/", "cannot be read"),
        ("http://host:port/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http://host/a b", "contains spaces"),
        ("http://host/\n", "contains spaces"),
        ("http://host\\@evil/", "contains spaces"),
    ],
)
def test_no_addresses(text, why):
    with pytest.raises(ValidationError, match=why) as caught:
        parse_address(text)
    assert caught.value.details["field"] == "base_url"
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_validation_error(text):
    for candidate in (text, "http://" + text):
        try:
            address = parse_address(candidate)
        except ValidationError:
            continue
        assert parse_address(address.url) == address
        assert "@" not in address.origin


def test_a_key_of_the_environment_goes_to_its_vendor_only():
    assert is_vendor_host(BUILT_IN["openai"], "api.openai.com")
    assert is_vendor_host(BUILT_IN["openai"], "eu.api.openai.com")
    assert is_vendor_host(BUILT_IN["azure_openai"], "me.openai.azure.com")
    for host in ("evil-api.openai.com.example", "xapi.openai.com", "azure.com.evil.example", "127.0.0.1"):
        assert not any(is_vendor_host(kind, host) for kind in BUILT_IN.values())


@given(st.lists(st.text(alphabet="ab\r é", max_size=5), max_size=6), st.integers(1, 7), st.booleans())
def test_lines_do_not_depend_on_how_they_are_cut(lines, size, windows):
    lines = [line.replace("\r", "") for line in lines]
    raw = ("\r\n" if windows else "\n").join([*lines, ""]).encode()
    reader = LineReader()
    read = [line for at in range(0, len(raw), size) for line in reader.feed(raw[at : at + size])]
    assert [line.decode() for line in read] == lines
    assert reader.rest() == b""


@pytest.mark.parametrize("raw", [b"x" * 11, b"x" * 11 + b"\n", b"a\nxxxxxxxxxxx", b"xxxxxxxxxxx\nb\n"])
def test_a_line_is_bounded(raw):
    for size in (1, 4, 100):
        reader = LineReader(limit=10)
        with pytest.raises(LineTooLong):
            [reader.feed(raw[at : at + size]) for at in range(0, len(raw), size)]


def messages_of(raw: bytes, size: int = 0) -> list[tuple[bytes, str]]:
    lines, messages = LineReader(), MessageReader()
    size = size or max(1, len(raw))
    fed = [line for at in range(0, len(raw), size) for line in lines.feed(raw[at : at + size])]
    read = [message for line in [*fed, lines.rest()] for message in messages.feed(line)]
    return [(message.data, message.event) for message in [*read, *messages.rest()]]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize(
    ("raw", "messages"),
    [
        (b"event: x\ndata: a\ndata:b\nid: 1\n\n\n", [(b"a\nb", "x")]),
        (b"\xef\xbb\xbfdata: a\n\ndata: b", [(b"a", ""), (b"b", "")]),
        (b": OPENROUTER PROCESSING\n\ndata: a\nretry: 10\nunknown: 1\n\n", [(b"a", "")]),
        (b'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n', [(b'{"a": 1}', ""), (b'{"b": 2}', ""),
                                                           (b"[DONE]", "")]),
        (b'data: {"a":\ndata: 1}\n\n', [(b'{"a":\n1}', "")]),
        (b'{"a": 1}\n\n{"b": "}{"}\n', [(b'{"a": 1}', ""), (b'{"b": "}{"}', "")]),
        (b'{\n  "a": ["\\"}", {\n"b": 1}]\n}\n', [(b'{\n  "a": ["\\"}", {\n"b": 1}]\n}', "")]),
        (b'data: a\n\n{"error":\n{"message": "x"}}', [(b"a", ""), (b'{"error":\n{"message": "x"}}', "")]),
        (b'[{"a": 1},\n{"a": 2}]', [(b'[{"a": 1},\n{"a": 2}]', "")]),
        (b'{"a": 1', [(b'{"a": 1', "")]),
        (b"error: bad\n\n", [(b"bad", "error")]),
        (b"event: error\ndata: bad\n\ndata: a\n\n", [(b"bad", "error"), (b"a", "")]),
        (b"Internal Server Error", [(b"Internal Server Error", "")]),
    ],
)  # fmt: skip
def test_messages_are_found_in_each_form_of_a_stream(raw, messages, size, end):
    assert messages_of(raw.replace(b"\n", end), size) == messages


@given(
    st.text(alphabet="abc", max_size=30),
    st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=3),
    st.integers(1, 5),
)
def test_stop_strings_do_not_depend_on_how_the_text_is_cut(text, stops, size):
    places = [at for stop in stops if (at := text.find(stop)) >= 0]
    filter_ = StopStrings(tuple(stops))
    released = (
        "".join(filter_.feed(text[at : at + size]) for at in range(0, len(text), size)) + filter_.finish()
    )
    assert filter_.found == bool(places)
    # In pieces the first stop string that is complete ends the text: one that begins earlier may be longer.
    assert text.startswith(released)
    assert len(released) >= min(places, default=len(text))
    assert not any(stop in released for stop in stops)


USAGE = ReportedUsage(prompt_tokens=1000, cached_tokens=400, completion_tokens=100)


def prices(path: Path, table: object, **more: object) -> Prices:
    path.write_text(json.dumps({"format": 1, "usd_per_million_tokens": table, **more}))
    return Prices(path)


def test_without_a_table_a_cost_is_unknown(tmp_path):
    table = Prices(tmp_path / "prices.json")
    assert table.cost_usd("p", ("m",), USAGE) is None
    assert table.problem == ""


def test_costs(tmp_path):
    table = prices(
        tmp_path / "prices.json",
        {
            "p/m": {"input": 2.0, "cached_input": 0.5, "output": 10.0},
            "p/m-long*": {"input": 1.0, "output": 0.0},
            "p/*": {"input": 3.0, "output": 0.0},
            "#q/m": {"input": 9.0, "output": 9.0},
        },
    )
    assert table.cost_usd("p", ("m",), USAGE) == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10) / 1e6)
    assert table.cost_usd("p", ("m-long-1",), USAGE) == pytest.approx(0.001)
    assert table.cost_usd("p", ("else",), USAGE) == pytest.approx(0.003)
    assert table.cost_usd("p", ("", "m"), USAGE) == table.cost_usd("p", ("m",), USAGE)
    assert table.cost_usd("q", ("m",), USAGE) is None
    assert table.cost_usd("p", ("m",), ReportedUsage(prompt_tokens=5)) is None


def test_a_table_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "prices.json"
    table = prices(path, {"p/m": {"input": 1.0, "output": 1.0}})
    assert table.cost_usd("p", ("m",), USAGE) == pytest.approx(0.0011)
    prices(path, {"p/m": {"input": 2.0, "output": 2.0}})
    os.utime(path, ns=(1, 1))
    assert table.cost_usd("p", ("m",), USAGE) == pytest.approx(0.0022)
    path.unlink()
    assert table.cost_usd("p", ("m",), USAGE) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"format": 2}',
        b'{"usd_per_million_tokens": {"p/m": {"input": -1, "output": 1}}}',
    ],
)
def test_a_table_that_cannot_be_read_is_told(tmp_path, raw):
    (tmp_path / "prices.json").write_bytes(raw)
    table = Prices(tmp_path / "prices.json")
    assert table.cost_usd("p", ("m",), USAGE) is None
    assert "cannot be read" in table.problem
