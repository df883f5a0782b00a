"""Each way in which a server fails, and the error that a person gets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import socket
import ssl
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jupyter_localcoder import errors
from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.providers import transport
from jupyter_localcoder.providers.base import AnswerDelta, End
from jupyter_localcoder.providers.build import Retries, build_provider
from jupyter_localcoder.providers.failures import Failures, words_of
from tests.support.providers import ASK, KEY, asking, collect
from tests.support.waiting import until, within
from tests.support.wire_server import body, document, events, floods, hangs, hangs_up, ndjson

DELTA = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
EVENT = b"data: " + json.dumps(DELTA).encode() + b"\n\n"


def openai_error(
    message: str, code: str | None = None, type_: str = "invalid_request_error"
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("type_", "status", "answer", "error", "words"),
    [
        (
            "openai",
            401,
            openai_error("Incorrect API key provided: sk-cana**cdef.", "invalid_api_key"),
            errors.AuthError,
            "Incorrect API key provided: [key]",
        ),
        (
            "azure_openai",
            401,
            openai_error("Access denied due to invalid subscription key", "401"),
            errors.AuthError,
            "Access denied due to invalid subscription key",
        ),
        (
            "openai",
            403,
            openai_error("Country not supported", "unsupported_country"),
            errors.AuthError,
            "Country",
        ),
        (
            "openai_compatible",
            402,
            openai_error("Insufficient Balance"),
            errors.AuthError,
            "Insufficient Balance",
        ),
        (
            "openai",
            429,
            openai_error("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
            errors.RateLimited,
            "You exceeded your current quota",
        ),
        (
            "openai",
            429,
            openai_error("Request too large: reduce the length", "rate_limit_exceeded", "tokens"),
            errors.RateLimited,
            "Request too large",
        ),
        (
            "openai",
            400,
            openai_error("The maximum context length is 8192 tokens.", "context_length_exceeded"),
            errors.TokenLimitExceeded,
            "8192 tokens",
        ),
        (
            "openai_compatible",
            400,  # llama-server
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size, try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 9412,
                    "n_ctx": 8192,
                }
            },
            errors.TokenLimitExceeded,
            "available context size",
        ),
        (
            "openai_compatible",
            422,  # TGI
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
                "error_type": "validation",
            },
            errors.TokenLimitExceeded,
            "must be <= 4096",
        ),
        ("openai_compatible", 413, {"detail": "Payload Too Large"}, errors.TokenLimitExceeded, "(HTTP 413)"),
        (
            "openai",
            404,
            openai_error("The model `m-1` does not exist or you do not have access", "model_not_found"),
            errors.ModelNotFound,
            "The model `m-1` does not exist",
        ),
        (
            "azure_openai",
            404,
            openai_error("The API deployment for this resource does not exist.", "DeploymentNotFound"),
            errors.ModelNotFound,
            "deployment",
        ),
        (
            "openai_compatible",
            404,
            {"detail": "Not Found"},
            errors.ConnectionFailed,
            "nothing at this address",
        ),
        (
            "openai_compatible",
            400,
            {
                "object": "error",
                "message": "suffix is not currently supported",
                "type": "BadRequestError",
                "code": 400,
            },  # vLLM
            errors.InvalidArgument,
            "suffix is not currently supported",
        ),
        (
            "openai_compatible",
            422,
            {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]},
            errors.InvalidArgument,
            "field required",
        ),
        (
            "openai_compatible",
            503,
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            errors.ConnectionFailed,
            "Loading model",
        ),
        (
            "openai",
            500,
            openai_error("The server had an error", None, "server_error"),
            errors.ConnectionFailed,
            "The server had an error",
        ),
        (
            "gemini",
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Please pass a valid API key.",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ],
            errors.AuthError,
            "API key not valid",
        ),
        (
            "gemini",
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "status": "INVALID_ARGUMENT",
                        "message": "The input token count (9) exceeds the maximum number of tokens (8).",
                    }
                }
            ],
            errors.TokenLimitExceeded,
            "input token count (9)",
        ),
        (
            "gemini",
            429,
            [
                {
                    "error": {
                        "code": 429,
                        "message": "Resource has been exhausted",
                        "status": "RESOURCE_EXHAUSTED",
                    }
                }
            ],
            errors.RateLimited,
            "exhausted",
        ),
        (
            "gemini",
            403,
            [{"error": {"code": 403, "message": "Permission denied", "status": "PERMISSION_DENIED"}}],
            errors.AuthError,
            "Permission denied",
        ),
        (
            "gemini",
            404,
            [
                {
                    "error": {
                        "code": 404,
                        "message": "models/m-1 is not found for API version v1beta",
                        "status": "NOT_FOUND",
                    }
                }
            ],
            errors.ModelNotFound,
            "models/m-1 is not found",
        ),
        ("ollama", 404, {"error": "model 'm-1' not found"}, errors.ModelNotFound, "model 'm-1' not found"),
        (
            "ollama",
            400,
            {"error": "registry.ollama.ai/library/x does not support insert"},
            errors.InvalidArgument,
            "does not support insert",
        ),
    ],
)
async def test_an_error_in_its_own_words(server, make, type_, status, answer, error, words):
    server.say(document(answer, status))
    with pytest.raises(errors.LocalCoderError) as caught:
        await collect(make(type_))
    assert type(caught.value) is error
    assert "Acme" in caught.value.message
    assert f"(HTTP {status})" in caught.value.message
    assert words in caught.value.message
    assert caught.value.details["provider"] == "acme"
    assert caught.value.details["status"] == status


async def test_an_error_that_is_a_page_is_told_without_it(server, make):
    server.say(body(b"<html>Bad Gateway</html>", status=502, content_type="text/html"))
    with pytest.raises(errors.ConnectionFailed) as caught:
        await collect(make())
    assert caught.value.message == "Acme answered with an error (HTTP 502)."


async def test_the_words_of_an_error_are_bounded_and_harmless(server, make):
    words = f"\x1b]52;c;aGk=\x07{KEY} Bearer {KEY}x\r\nnext " + "long " * 10_000
    server.say(document(openai_error(words), 500))
    with pytest.raises(errors.ConnectionFailed) as caught:
        await collect(make())
    message = caught.value.message
    assert len(message) < 600
    assert "\x1b" not in message
    assert "canary" not in message
    assert "[key] [key] next long" in message


async def test_an_error_without_an_end_is_not_read_to_its_end(server, make):
    server.say(body(b'{"error":"' + b"x" * 5_000_000, status=500, content_type="application/json"))
    with pytest.raises(errors.ConnectionFailed, match=r"\(HTTP 500\)\."):
        await collect(make())


@pytest.mark.parametrize("made_of", [b"{}", b"[]", b'"no"', b"null", b"\xff\xfe", b"[" * 100_000, b"3"])
def test_no_error_body_breaks_the_reading(made_of):
    error = Failures("acme", "Acme", "host").refused(500, words_of(made_of))
    assert error.code == "CONNECTION_ERROR"


# Broken streams


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (EVENT, "closed the connection before the answer was complete"),
        (EVENT + EVENT[:-9], "sent something that cannot be read"),
        (b"", "closed the connection before the answer was complete"),
        (b"data: {oops}\n\n", "sent something that cannot be read"),
        (b"data: [1]\n\n", "sent something that cannot be read"),
        (b'data: {"choices": "none"}\n\n', "sent something that cannot be read"),
        (b"data: \xff\xfe\n\n", "sent something that cannot be read"),
        (b"data: " + b"[" * 500_000 + b"\n\n", "sent something that cannot be read"),
        (b"data: [DONE]\n\n", "closed the connection before the answer was complete"),
        (
            EVENT + b'data: {"error": {"message": "CUDA error", "type": "server_error", "code": 500}}\n\n',
            "CUDA error",
        ),
        (EVENT + b'error: {"code":500,"message":"slot failed","type":"server_error"}\n\n', "slot failed"),
        (b"data: a\n" * 300_000, "an event without an end"),
    ],
)
async def test_a_broken_stream(server, make, raw, match):
    server.say(body(raw, content_type="text/event-stream"))
    with pytest.raises(errors.ConnectionFailed, match=match):
        await collect(make())
    assert len(server.heard) == 1, "it was asked again after the first byte"


async def test_a_connection_that_breaks_in_a_chunk(server, make):
    async def script(line):
        await line.head(content_type="text/event-stream", transfer_encoding="chunked")
        await line.send(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
        await line.send(b"400\r\ndata: {")

    server.say(script)
    frames = make().stream(ASK)
    assert await frames.__anext__() == AnswerDelta("Hi")
    with pytest.raises(errors.ConnectionFailed, match="ended the connection before the answer was complete"):
        await frames.__anext__()


async def test_failures_in_the_stream_get_their_codes(server, make):
    server.say(events(DELTA, openai_error("Rate limit reached", "rate_limit_exceeded")))
    with pytest.raises(errors.RateLimited):
        await collect(make())
    server.say(
        events(DELTA, {"error": {"message": "context size", "code": 400, "type": "exceed_context_size"}})
    )
    with pytest.raises(errors.TokenLimitExceeded):
        await collect(make())
    assert len(server.heard) == 2
    server.say(ndjson({"message": {"content": "a"}, "done": False}, {"error": "llama runner has terminated"}))
    with pytest.raises(errors.ConnectionFailed, match="llama runner has terminated"):
        await collect(make("ollama"))


async def test_what_an_error_in_the_stream_names_is_not_left_out_and_asked_again(server, make):
    late = {"error": {"message": "'temperature'", "param": "temperature", "code": 400}}
    server.say(events(DELTA, late))
    with pytest.raises(errors.InvalidArgument):
        await collect(make(), asking(sampling=ASK.sampling.__class__(temperature=1.0)))
    assert len(server.heard) == 1


async def test_an_answer_of_another_type_is_named(server, make):
    server.say(body(b"<html>Login</html>", content_type="text/html; charset=utf-8"))
    with pytest.raises(
        errors.ConnectionFailed, match="of type text/html, where a stream of events was expected"
    ):
        await collect(make())
    server.say(body(b"x", content_type="text/event-stream", content_encoding="gzip"))
    with pytest.raises(errors.ConnectionFailed, match="an encoding that was not requested"):
        await collect(make())


async def test_no_list_of_models(server, make):
    for answer in ({"data": {}}, [], {"data": [{"name": 1}]}):
        server.say(document(answer))
        with pytest.raises(errors.ConnectionFailed, match="no list of models"):
            await make().check()
    server.say(body(b"{" * 9_000_000, content_type="application/json"))
    with pytest.raises(errors.ConnectionFailed, match="a list that is too long"):
        await make().check()


# Bounds


async def test_a_hundred_megabytes_in_one_line_are_left_after_the_first(server, make):
    async def script(line):
        await line.head(content_type="text/event-stream", content_length="100000006")
        await line.send(b"data: ")
        for _ in range(100):
            await line.send(b"x" * 1_000_000)
            sent.append(1)

    sent: list[int] = []
    server.say(script)
    with pytest.raises(errors.ConnectionFailed, match="a line without an end"):
        await collect(make())
    assert len(sent) < 20


async def test_an_endless_answer_ends_by_its_length(server, make):
    server.say(floods(EVENT * 10))
    texts, end = await collect(make(), asking(max_tokens=10))
    assert (len("".join(texts)), end.reason) == (10 * 32, "length")
    await within(server.left.wait())


@pytest.mark.parametrize("piece", [b": ping\n\n", b"\n", b"data: {}\n\n", b"event: x\n"])
async def test_an_endless_stream_of_nothing_ends_by_the_time(server, make, clock, piece):
    async def script(line):
        await line.head(content_type="text/event-stream")
        for sent in itertools.count():
            await line.send(piece)
            await asyncio.sleep(0)
            if sent == 100:
                flooded.set()

    flooded = asyncio.Event()
    server.say(script)
    asked = asyncio.ensure_future(collect(make(), asking(timeout_seconds=200)))
    await within(flooded.wait())
    assert not asked.done()
    clock.forward(200)
    with pytest.raises(errors.Timeout, match=r"did not finish within 200 seconds"):
        await within(asked)
    await within(server.left.wait())


async def test_silence_before_the_first_byte(server, make, clock):
    left = asyncio.Event()
    server.say(hangs(head=False, left=left))
    asked = asyncio.ensure_future(collect(make(silence_timeout_seconds=50)))
    await until(lambda: server.heard)
    await clock.until_done(asked)
    with pytest.raises(errors.Timeout, match=r"sent nothing for 50 seconds"):
        await asked
    await within(left.wait())
    checked = asyncio.ensure_future(make(timeout_seconds=15).check())
    await until(lambda: len(server.heard) == 2)
    await clock.until_done(checked)
    with pytest.raises(errors.Timeout, match=r"did not finish within 15 seconds"):
        await checked
    assert clock.forwarded <= 50 + 15


@pytest.mark.parametrize(
    ("fields", "changes", "limit"),
    [({"silence_timeout_seconds": 50}, {}, 50), ({}, {"timeout_seconds": 40}, 40)],
)
async def test_time_that_is_over_keeps_what_came(server, make, clock, fields, changes, limit):
    left = asyncio.Event()
    server.say(hangs(EVENT, left=left))
    began = clock.time()
    async with contextlib.aclosing(make(**fields).stream(asking(**changes))) as frames:
        assert await frames.__anext__() == AnswerDelta("Hi")
        end = asyncio.ensure_future(frames.__anext__())
        await clock.until_done(end)
        assert end.result() == End("timeout")
    assert clock.forwarded <= limit <= clock.time() - began
    await within(left.wait())


async def test_who_forgets_to_hang_up_costs_a_moment_only(server, make, clock):
    server.say(hangs(EVENT + b"data: " + json.dumps(LAST).encode() + b"\n\n"))
    async with contextlib.aclosing(make().stream(ASK)) as frames:
        assert await frames.__anext__() == AnswerDelta("Hi")
        end = asyncio.ensure_future(frames.__anext__())
        await clock.until_done(end)
        assert end.result() == End("stop")
    assert clock.forwarded <= 2.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer when the queue is full")
async def test_a_connection_that_cannot_be_made_in_time(make):
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # What waits to be accepted fills the queue: the next one gets no answer.
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        with pytest.raises(errors.ConnectionFailed, match=r"Could not connect to .* within 0\.2 seconds"):
            await collect(make(base_url=url, connect_timeout_seconds=0.2))


# Cancel


async def test_leaving_closes_the_connection(server, make):
    left = asyncio.Event()
    server.say(hangs(EVENT, left=left))
    async with contextlib.aclosing(make().stream(ASK)) as frames:
        assert await frames.__anext__() == AnswerDelta("Hi")
    await within(left.wait())


@pytest.mark.parametrize("head", [True, False])
async def test_a_cancelled_task_closes_the_connection(server, make, head):
    left = asyncio.Event()
    server.say(hangs(head=head, left=left))
    # No time limit is over in this test: only the cancel can have closed it.
    task = asyncio.ensure_future(collect(make(timeout_seconds=3600, silence_timeout_seconds=3600)))
    await until(lambda: server.heard)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await within(left.wait())


async def test_a_connection_is_used_again_after_a_cancel(server, make):
    provider = make()
    server.say(hangs(EVENT), events(DELTA, LAST))
    async with contextlib.aclosing(provider.stream(ASK)) as frames:
        await frames.__anext__()
    assert (await collect(provider))[0] == ["Hi"]


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(server, make, status):
    async def other(line):
        raise AssertionError("asked")

    server.say(body(b"", status=status, location="https://evil.example/v1/chat/completions"), other)
    with pytest.raises(
        errors.ConnectionFailed,
        match=r"redirected the request to evil\.example; the redirect was not followed",
    ):
        await collect(make())
    server.say(body(b"", status=status, location=server.url + "/again"), other)
    with pytest.raises(errors.ConnectionFailed, match="not followed"):
        await make().check()
    server.say(body(b"", status=status), other)
    with pytest.raises(errors.ConnectionFailed, match="not followed"):
        await collect(make())
    assert len(server.heard) == 3


# Retries


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """Seconds that were waited before retries; they are not waited here."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    defaults = {
        **transport.Transport.__init__.__kwdefaults__,
        "sleep": sleep,
        "wall_clock": lambda: 1_000_000.0,
    }
    monkeypatch.setattr(transport.Transport.__init__, "__kwdefaults__", defaults)
    return slept


@pytest.mark.parametrize(
    ("after", "waited"), [("2", 2.0), ("0", 0.0), ("Mon, 12 Jan 1970 13:46:45 GMT", 5.0), ("0.5", 0.5)]
)
@pytest.mark.parametrize("status", [429, 503])
async def test_who_says_when_to_come_back_is_asked_again(server, make, waits, status, after, waited):
    server.say(document(openai_error("busy"), status, retry_after=after), events(DELTA, LAST))
    assert (await collect(make()))[0] == ["Hi"]
    assert waits == [waited]
    assert len(server.heard) == 2


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (429, "3600"),
        (429, ""),
        (429, "soon"),
        (429, "nan"),
        (503, "inf"),
        (429, "16"),
        (500, "1"),
        (401, "1"),
    ],
)
async def test_who_does_not_is_not(server, make, waits, status, after):
    server.say(document(openai_error("busy"), status, retry_after=after))
    with pytest.raises(errors.LocalCoderError) as caught:
        await collect(make())
    assert (waits, len(server.heard)) == ([], 1)
    if after == "3600":
        assert caught.value.details["retry_after_seconds"] == 3600


async def test_retries_end(server, make, waits):
    patient = Retries(2, 1000.0)
    server.say(document(openai_error("busy"), 429, retry_after="200"))
    with pytest.raises(errors.RateLimited):
        await collect(make(timeout_seconds=3600, retries=patient))
    assert (waits, len(server.heard)) == ([200.0, 200.0], 3)
    with pytest.raises(errors.RateLimited):
        await collect(make(retries=patient), asking(timeout_seconds=199))
    assert len(server.heard) == 4, "it waited for longer than the request may take"


async def test_a_refused_connection_is_tried_again(server, make, waits, unused_port):
    with pytest.raises(
        errors.ConnectionFailed, match=f"Could not connect to Acme at http://127.0.0.1:{unused_port}"
    ):
        await collect(make(base_url=f"http://127.0.0.1:{unused_port}/v1"))
    assert waits == [0.25, 0.5]


async def test_a_connection_that_ends_without_an_answer_is_not(server, make, waits):
    server.say(hangs_up())
    with pytest.raises(errors.ConnectionFailed, match="closed the connection without an answer"):
        await collect(make())
    assert (waits, len(server.heard)) == ([], 1)


# Keys


async def test_no_log_holds_the_key(server, make, caplog):
    with caplog.at_level(logging.DEBUG):
        for script in (events(DELTA, LAST), document(openai_error(f"bad {KEY}"), 401), hangs_up()):
            server.say(script)
            with contextlib.suppress(errors.LocalCoderError):
                await collect(make("openai"))
            provider = make("gemini")
            with contextlib.suppress(errors.LocalCoderError):
                await provider.check()
            assert KEY not in repr(provider)
    assert len(server.heard) == 6
    assert caplog.records, "httpx and httpcore log at this level"
    assert "canary" not in caplog.text


def test_a_key_travels_unencrypted_to_this_machine_only(make):
    with pytest.raises(errors.ValidationError, match=r"would be sent to 192.0.2.1 unencrypted") as caught:
        make(base_url="http://192.0.2.1/v1")
    assert "canary" not in str(caught.value)
    make(base_url="http://192.0.2.1/v1", key=None)
    make(base_url="http://192.0.2.1/v1", allow_unencrypted_key=True)
    make(base_url="https://192.0.2.1/v1")


@pytest.mark.parametrize("type_", ["openai", "azure_openai", "gemini"])
def test_who_needs_a_key_says_so(make, type_):
    with pytest.raises(errors.AuthError, match="Acme needs a key, but none is stored"):
        make(type_, key=None)


async def test_no_proxy_is_asked_for_this_machine(server, make, monkeypatch, unused_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port}")
    server.say(events(DELTA, LAST))
    assert (await collect(make()))[0] == ["Hi"]


# Certificates


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A certificate of this machine that no authority has signed, with its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return path


async def test_a_certificate_that_nobody_vouches_for(make, certificate, monkeypatch, waits):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{"data":[]}'
        )
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as running:
        url = f"https://localhost:{running.sockets[0].getsockname()[1]}/v1"
        provider = make(base_url=url)
        with pytest.raises(
            errors.ConnectionFailed, match="does not trust the certificate of Acme at localhost"
        ):
            await provider.check()
        assert (waits, heard) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await make(base_url=url).check()).models == ()
    assert len(heard) == 1


@pytest.mark.parametrize("type_", ["openai_compatible", "ollama"])
async def test_a_name_that_leads_to_a_link_local_address_is_sent_nothing(make, server, monkeypatch, type_):
    # There is no link-local network here: what this machine's own name leads to stands for one.
    monkeypatch.setattr(transport, "is_link_local", lambda ip: ip in ("127.0.0.1", "::1"))
    provider = make(type_, base_url=server.url.replace("127.0.0.1", "localhost") + "/v1")
    server.say(document({"error": {"message": "role credentials"}}, status=403))
    for _ in range(2):
        with pytest.raises(errors.ConnectionFailed, match="link-local") as caught:
            await collect(provider, ASK)
        assert "nothing was sent" in caught.value.message
        assert "link_local_providers" in caught.value.recovery
    with pytest.raises(errors.ConnectionFailed, match="link-local"):
        await provider.check()
    assert server.heard == []


async def test_a_person_may_allow_it(make, server, monkeypatch):
    monkeypatch.setattr(transport, "is_link_local", lambda _: True)
    server.say(events(DELTA, LAST))
    with pytest.raises(errors.ConnectionFailed):
        await collect(make(), ASK)
    fields = ProviderFields(type="openai_compatible", base_url=server.url + "/v1", model="m")
    provider = build_provider("acme", fields, KEY, link_local=True)
    assert await collect(provider, ASK)
    await provider.close()
