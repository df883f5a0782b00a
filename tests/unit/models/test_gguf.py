"""The header reader: what it tells of a good file, and that a bad one is refused in time."""

from __future__ import annotations

import contextlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_localcoder import errors
from jupyter_localcoder.contract.fill_tokens import FILL_FAMILIES, FillFamily
from jupyter_localcoder.models import gguf, gguf_bytes

MOST_LINES = 4000
"""Lines of the reader's code that are run for any header of the tiny model, damaged or not; whole it takes
about a thousand. What a header may cost in time is the business of `tests.fuzz`."""


@contextlib.contextmanager
def lines_run() -> Iterator[list[int]]:
    """Count the lines of the reader's code that are run: the last number of the list."""
    count = [0]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in (gguf.__file__, gguf_bytes.__file__):
            return None
        count[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


def refused(path: Path, data: bytes, match: str | None = None) -> errors.InvalidModel:
    path.write_bytes(data)
    with pytest.raises(errors.InvalidModel, match=match) as caught:
        gguf.read(path)
    return caught.value


def test_no_more_is_read_than_a_header_may_have(tmp_path: Path):
    path = tmp_path / "huge.gguf"
    size = 4 * gguf_bytes.MAX_HEADER_BYTES
    with path.open("wb") as file:
        file.truncate(size)
    with path.open("rb") as file:
        reader = gguf_bytes.ByteReader(file, size)
        reader.take(16)
        for count in (gguf_bytes.MAX_HEADER_BYTES, size - 16):
            with pytest.raises(errors.InvalidModel, match="longer than 67108864 bytes"):
                reader.take(count)
        assert file.tell() < gguf_bytes.MAX_HEADER_BYTES // 8
        with pytest.raises(errors.InvalidModel, match="truncated inside"):
            reader.take(size)


def test_a_header_whose_parts_are_short_is_bounded_as_a_whole(tmp_path: Path):
    path = tmp_path / "long.gguf"
    entry = struct.pack("<Q5sIQ", 5, b"key.x", 8, 1_000_000) + b"x" * 1_000_000
    with path.open("wb") as file:
        file.write(struct.pack("<4sIQQ", b"GGUF", 3, 1, 100))
        for n in range(100):
            file.write(entry.replace(b"key.x", b"k.%03d" % n, 1))
    with pytest.raises(errors.InvalidModel, match="longer than 67108864 bytes"):
        gguf.read(path)


def test_a_good_header_is_read(tiny: Path):
    header = gguf.read(tiny)
    assert (header.version, header.architecture, header.name) == (3, "llama", "Tiny")
    assert (header.n_layers, header.n_heads, header.n_kv_heads, header.kv_heads_total) == (2, 4, 2, 4)
    assert (header.key_length, header.value_length, header.embedding_length) == (16, 16, 64)
    assert (header.context_length, header.vocabulary, header.size_label) == (2048, 4, "0.1M")
    assert header.tensor_bytes == 4 * 64 * 4 + 1024 * 64 * 4
    assert header.quantization == "F16"
    assert header.chat_template
    assert not header.fill_in_the_middle


@pytest.mark.parametrize("family", FILL_FAMILIES)
def test_the_tokens_for_filling_in_are_found_as_whole_tokens(make_gguf, tmp_path: Path, family: FillFamily):
    def fills(*tokens: str) -> bool:
        path = make_gguf(tmp_path / "a.gguf", name=family.named or "Tiny", tokens=["<s>", *tokens])
        return gguf.read(path).fill_in_the_middle

    first, *others = family.tokens
    assert fills(*family.tokens)
    assert not fills(f"no{first}", *others)
    assert not fills(*others), "a family that lacks one cannot"


def test_layers_may_differ_in_their_heads(tmp_path: Path, make_gguf):
    path = make_gguf(tmp_path / "mixed.gguf", kv_heads=[2, 1])
    header = gguf.read(path)
    assert (header.n_kv_heads, header.kv_heads_total) == (2, 3)
    with pytest.raises(errors.InvalidModel, match="3 values for 2 layers"):
        gguf.read(make_gguf(tmp_path / "odd.gguf", kv_heads=[2, 1, 1]))
    with pytest.raises(errors.InvalidModel, match="KV heads"):
        gguf.read(make_gguf(tmp_path / "many.gguf", kv_heads=8))


def test_a_file_cut_short_is_refused_with_the_numbers(tiny: Path, tmp_path: Path):
    data = tiny.read_bytes()
    error = refused(tmp_path / "cut.gguf", data[:-1], "truncated")
    assert error.details["size_bytes"] == len(data) - 1
    assert error.details["needed_bytes"] == len(data)


@pytest.mark.parametrize("layers", [0, 513, 100_000])
def test_an_impossible_number_of_layers_is_refused(make_gguf, tmp_path: Path, layers: int):
    path = make_gguf(tmp_path / "deep.gguf", layers=layers)
    with pytest.raises(errors.InvalidModel, match="block_count"):
        gguf.read(path)


def test_every_truncation_is_refused(tiny: Path, tmp_path: Path):
    data = tiny.read_bytes()
    for end in (*range(64), *range(64, 1200, 37)):
        refused(tmp_path / "cut.gguf", data[:end])


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "not a GGUF"),
        (b"GGML" + bytes(40), "not a GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 1, 1), "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 1, 1), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 1), "tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 2**63), "keys"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 2**63), "string"),
        # A file of 43 bytes that claims an array of 2**40 strings.
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"a", 9, 8, 2**40), "lists"),
        # Arrays in arrays in arrays.
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 1, 1, b"a", 9) + struct.pack("<IQ", 9, 1) * 2000, "array"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"a", 9, 0, 2**62), "truncated inside|longer"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 1, 1, b"a", 77), "unknown type"),
    ],
)
def test_malformed_headers_are_refused(tmp_path: Path, data: bytes, match: str):
    refused(tmp_path / "bad.gguf", data, match)


def test_strings_in_an_array_are_skipped_in_a_few_steps_each_and_not_more_of_them_than_a_million(
    tmp_path: Path,
):
    def listing(count: int) -> bytes:
        return b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 2, 1, b"a", 9, 8, count) + bytes(8 * count)

    count = 50_000
    with lines_run() as lines:
        refused(tmp_path / "long.gguf", listing(count))
    assert count < lines[0] < 8 * count
    most = gguf_bytes.MAX_LISTED_STRINGS
    assert most <= 2**20
    refused(tmp_path / "longest.gguf", listing(most), "truncated inside")
    with lines_run() as lines:
        refused(tmp_path / "too_long.gguf", listing(most + 1), "more than")
    assert lines[0] < MOST_LINES


def test_a_folder_is_not_a_model(tmp_path: Path):
    with pytest.raises(errors.InvalidModel):
        gguf.read(tmp_path)
    with pytest.raises(errors.SourceFileNotFound):
        gguf.read(tmp_path / "none.gguf")


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_header_is_read_or_refused(tiny: Path, tmp_path: Path, data: st.DataObject):
    """Whatever the bytes say: facts or `InvalidModel`, nothing else, and in few steps."""
    raw = bytearray(tiny.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, 1500))
        kind = data.draw(st.sampled_from(["byte", "number", "cut", "insert"]))
        if kind == "byte":
            raw[position % len(raw)] = data.draw(st.integers(0, 255))
        elif kind == "number":
            number = data.draw(st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]))
            raw[position : position + 8] = struct.pack("<Q", number)
        elif kind == "insert":
            raw[position:position] = data.draw(st.binary(max_size=16))
        else:
            del raw[position:]
            raw += b"\0"
    path = tmp_path / "mutated.gguf"
    path.write_bytes(bytes(raw))
    header = None
    with lines_run() as lines, contextlib.suppress(errors.InvalidModel):
        header = gguf.read(path)
    assert lines[0] < MOST_LINES
    if header is not None:
        assert 0 < header.tensor_bytes <= len(raw)
        assert 1 <= header.n_layers <= gguf.MAX_LAYERS


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tail=st.binary(max_size=200))
def test_random_bytes_after_the_magic_are_refused(tmp_path: Path, tail: bytes):
    refused(tmp_path / "random.gguf", b"GGUF\x03\x00\x00\x00" + tail)
