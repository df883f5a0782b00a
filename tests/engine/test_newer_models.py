"""A model that is newer than the installed llama.cpp: the way out is an update, not another copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_localcoder.errors import InvalidModel, UnsupportedModel
from tests.engine.conftest import Open


@pytest.mark.parametrize(
    ("mark", "kind"), [(b"", "model architecture"), (b"tokenizer.ggml.pre", "pre-tokenizer type")]
)
async def test_what_llama_cpp_does_not_know_asks_for_an_update(
    open_model: Open, tiny_gguf: Path, tmp_path: Path, mark: bytes, kind: str
) -> None:
    head, found, rest = tiny_gguf.read_bytes().partition(mark) if mark else (b"", b"", tiny_gguf.read_bytes())
    newer = tmp_path / "newer.gguf"
    newer.write_bytes(head + found + (rest.replace(b"qwen2", b"qwen9", 1 if mark else -1)))
    bench = open_model(newer)
    with pytest.raises(
        UnsupportedModel, match=rf"llama-cpp-python \S+ does not support the {kind} `qwen9`"
    ) as said:
        await bench.supervisor.load(bench.plan)
    assert "pip install --upgrade" in said.value.recovery
    assert str(newer) not in said.value.message


async def test_a_damaged_file_is_still_one_to_be_fetched_again(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_gguf.read_bytes().replace(b"output_norm.weight", b"output_gone.weight"))
    bench = open_model(broken)
    with pytest.raises(InvalidModel) as said:
        await bench.supervisor.load(bench.plan)
    assert said.value.code == "INVALID_MODEL"
