"""The contract holds together: registry, types, errors, wire."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from jupyter_localcoder import errors
from jupyter_localcoder.client.outgoing import outgoing
from jupyter_localcoder.contract import codec, generation, history, registry, wire
from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.contract.registry import EVENTS, OPERATIONS
from jupyter_localcoder.errors import ValidationError
from jupyter_localcoder.server.status import status_of
from tests.support import request_texts as texts
from tests.support.workers import request

STATUSES = {
    400: {
        "VALIDATION_ERROR",
        "INVALID_ARGUMENT",
        "INVALID_MODEL",
        "UNSUPPORTED_MODEL",
        "CHECKSUM_MISMATCH",
        "TITLE_CONFIG_INVALID",
    },
    403: {
        "AUTH_ERROR",
        "LICENSE_NOT_ACCEPTED",
        "AIR_GAPPED",
        "PROVIDER_LOCKED",
        "DISABLED",
        "POLICY_INVALID",
    },
    404: {
        "MODEL_NOT_FOUND",
        "DOWNLOAD_NOT_FOUND",
        "NOT_FOUND",
        "REQUEST_NOT_FOUND",
        "PROVIDER_NOT_FOUND",
        "FILE_NOT_FOUND",
        "PROMPT_NOT_FOUND",
        "RESPONSE_NOT_FOUND",
        "CONVERSATION_NOT_FOUND",
        "TITLE_RESPONSE_NOT_FOUND",
    },
    409: {
        "MODEL_IN_USE",
        "PROVIDER_IN_USE",
        "NO_ACTIVE_PROVIDER",
        "REQUEST_ALREADY_COMPLETED",
        "MODEL_PINNED",
    },
    413: {"TOKEN_LIMIT_EXCEEDED"},
    429: {"RATE_LIMITED", "QUOTA_EXCEEDED"},
    499: {"CANCELED"},
    500: {
        "CONFIG_INVALID",
        "FILE_WRITE_ERROR",
        "ENCRYPTION_UNAVAILABLE",
        "FILE_READ_ERROR",
        "FILE_DELETE_ERROR",
        "DATABASE_ERROR",
        "UNKNOWN_ERROR",
    },
    502: {"CONNECTION_ERROR", "NO_ANSWER", "DOWNLOAD_FAILED", "TITLE_PROVIDER_ERROR"},
    503: {"MODEL_NOT_READY", "BACKEND_UNAVAILABLE", "PACKAGE_MISSING", "QUEUE_FULL"},
    504: {"TIMEOUT", "LOAD_TIMEOUT", "TITLE_TIMEOUT"},
    507: {"OUT_OF_MEMORY", "DISK_FULL"},
}


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_the_parts_of_every_operation_fit(op: registry.Operation) -> None:
    assert set(op.path_fields) <= set(op.request.__struct_fields__)
    assert set(op.errors) <= set(errors.by_code())
    assert op.summary.endswith(".")


def test_names_and_routes_are_unique() -> None:
    assert len({op.name for op in OPERATIONS}) == len(OPERATIONS)
    assert len({(op.method, op.path) for op in OPERATIONS}) == len(OPERATIONS)
    assert len({event.name for event in EVENTS}) == len(EVENTS)


def test_every_request_refuses_what_it_does_not_know() -> None:
    for op in OPERATIONS:
        with pytest.raises(ValidationError, match="surprise"):
            codec.decode(op.request, {"surprise": 1})


def test_every_error_has_a_sentence_a_way_out_and_a_status() -> None:
    for code, cls in errors.by_code().items():
        assert re.fullmatch(r"[A-Z][A-Z_]+", code)
        assert cls.sentence.endswith(".")
        assert cls.advice.rstrip("`").endswith((".", ")")) or "`" in cls.advice
        assert 400 <= status_of(code) <= 599
        assert f" {code}\n" in (errors.__doc__ or "") + "\n", f"{code} is missing in the tree"


def test_each_error_keeps_its_http_status() -> None:
    found: dict[int, set[str]] = {}
    for code in errors.by_code():
        found.setdefault(status_of(code), set()).add(code)
    assert found == STATUSES
    assert status_of("AUTH_LIKE_NOT_FOUND") == 500, "a code says nothing by its spelling"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "explain", "sampling": {"temperature": -0.1}}, "sampling.temperature"),
        ({"command": "explain", "sampling": {"temperature": "hot"}}, "sampling.temperature"),
        ({"command": "dance"}, "command"),
        ({"command": "explain", "max_tokens": 0}, "max_tokens"),
        ({"command": "explain", "bogus": 1}, "bogus"),
        ({"command": "explain", "context": [{"source": 1}]}, "context[0].source"),
        ({"command": "explain", "stop": [""]}, "stop[0]"),
        ({"command": "explain", "stop": ["x" * 10_241]}, "stop[0]"),
        ({}, "command"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        codec.decode(GenerateRequest, body)
    assert caught.value.details["field"] == field
    assert f"`{field}`" in caught.value.message


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(ValidationError, match="not JSON"):
        codec.decode_json(body)


HALVES = [
    ("a\ud83d", "a\ufffd"),
    ("\ude00b", "\ufffdb"),
    ("\ud83d\ude00", "\U0001f600"),
    ("é\udcffé", "é\ufffdé"),
]


@pytest.mark.parametrize(("text", "mended"), HALVES)
def test_half_a_surrogate_pair_comes_in_as_a_mark(text: str, mended: str) -> None:
    body = json.dumps({"command": "fix", "code": text, "context": [{"source": text}], "error": text}).encode()
    for read in (
        codec.decode(generation.GenerateRequest, codec.decode_json(body)),
        codec.decode(generation.GenerateRequest, json.loads(body)),
        codec.decode_body(generation.GenerateRequest, body),
        codec.decode_request(registry.GENERATE, body, {}, {}),
    ):
        assert (read.code, read.context[0].source, read.error) == (mended,) * 3


@pytest.mark.parametrize(("text", "mended"), HALVES)
def test_half_a_surrogate_pair_goes_out_as_a_mark(text: str, mended: str) -> None:
    assert json.loads(codec.encode(generation.Delta(run="r", text=text)))["text"] == mended
    sent = outgoing(registry.GENERATE, generation.GenerateRequest(command="fix", code=text)).body
    assert sent is not None
    assert json.loads(sent)["code"] == mended
    path = outgoing(registry.RESPONSE_GET, history.ResponseRequest(id=text)).path
    assert unquote(path).endswith(mended)


def test_a_text_that_only_looks_like_a_half_is_left_alone() -> None:
    body = b'{"code": "\\\\ud83d", "n": 1}'
    assert codec.decode_json(body) == {"code": "\\ud83d", "n": 1}
    with pytest.raises(ValidationError, match="not JSON"):
        codec.decode_json(b'{"code": "\\ud83d", "n": NaN}')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\ude00\ud83d", "\ufffd\ufffd"),
        (r"\\\ud83d", "\\\ufffd"),
        (r"\\ud83d\ud83d", "\\ud83d\ufffd"),
        (r"\\\\ud83d", "\\\\ud83d"),
        (r"\uD83D\n\uDE00", "\ufffd\n\ufffd"),
        (r"\ud83dx\ude00\u00e9", "\ufffdx\ufffd\xe9"),
    ],
)
def test_halves_are_told_from_what_stands_around_them(written: str, read: str) -> None:
    body = b'{"command": "fix", "code": "' + written.encode() + rb'", "error": "\udead"}'
    assert codec.decode_body(GenerateRequest, body).code == read


@pytest.mark.parametrize(
    ("op", "body", "path"),
    [
        (registry.GENERATE, b'{"command": "fix", "code": "' + b"x" * codec.MAX_BODY_BYTES + b'"}', {}),
        (
            registry.TITLE_SET,
            b'{"title": "' + b"x" * codec.MAX_BODY_BESIDE_PATH_BYTES + b'"}',
            {"id": "a" * 16},
        ),
    ],
)
def test_a_body_that_is_too_long_is_not_parsed(
    op: registry.Operation[Any, Any], body: bytes, path: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "_parsed", lambda *_: pytest.fail("it was parsed"))
    with pytest.raises(ValidationError, match="the maximum"):
        codec.decode_request(op, body, path, {})


def test_a_field_in_the_path_may_not_stand_in_the_body() -> None:
    with pytest.raises(ValidationError, match="twice"):
        codec.decode_request(registry.MODEL_LOAD, b'{"id": "b"}', {"id": "a"}, {})


def test_numbers_and_booleans_come_out_of_a_query() -> None:
    made = codec.decode_request(registry.MODEL_DELETE, b"", {"id": "a"}, {"force": "true"})
    assert made.force is True


@pytest.mark.parametrize("id_", ["../x", "/etc", "a/b", "", ".hidden", "a\0b", "a" * 129, "a\n"])
def test_a_model_id_is_never_a_path(id_: str) -> None:
    with pytest.raises(ValidationError):
        codec.decode(registry.MODEL_LOAD.request, {"id": id_})


def test_errors_survive_the_wire() -> None:
    for cls in errors.by_code().values():
        error = cls("What happened.", recovery="What to do.", number=1)
        again = codec.error_of(codec.error_payload(error))
        assert type(again) is cls
        assert (again.message, again.recovery, again.details) == (
            error.message,
            error.recovery,
            error.details,
        )


def test_a_foreign_exception_leaves_without_its_words() -> None:
    payload = codec.error_payload(RuntimeError("/root/secret"))
    assert payload.code == "UNKNOWN_ERROR"
    assert "secret" not in msgspec.json.encode(payload).decode()


def test_a_frame_survives_the_pipe() -> None:
    frame = request(text="héllo", stop=("\n",), fresh=True)
    assert wire.read_to_worker(io.BytesIO(wire.pack(frame)).read) == frame


def test_the_end_of_the_stream_is_no_frame() -> None:
    assert wire.read_to_worker(io.BytesIO(b"").read) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0",
        b"\0\0\0\5abc",
        b"\0\0\0\3abc",
        (wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big"),
        wire.pack(wire.Unloaded(id=1)),
    ],
)
def test_a_broken_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(wire.FrameError):
        wire.read_to_worker(io.BytesIO(data).read)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    try:
        frame = wire.read_to_worker(io.BytesIO(data).read)
    except wire.FrameError:
        return
    assert frame is None or isinstance(frame, wire.ToWorker)


def test_a_frame_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(wire.FrameError, match="allowed"):
        wire.pack(request(text="x" * (wire.MAX_FRAME_BYTES + 1)))


def test_every_text_of_a_request_is_known_for_what_it_is() -> None:
    found = {text for op in OPERATIONS for text in texts.texts_of(inspect.type_info(op.request))}
    assert found == texts.FILES | texts.LABELS | texts.NAMES | texts.ADDRESSES | texts.TEXTS


def test_what_names_a_file_is_declared_with_its_operation() -> None:
    declared = {f"{op.request.__name__}.{name}" for op in OPERATIONS for name in (*op.reads, *op.writes)}
    assert declared == texts.FILES
    assert {op.action for op in OPERATIONS if op.reads or op.writes} == {"write"}
