"""Models of random weights in a large model's format are read and computed like real ones."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.shaped import SEVEN_B, Shape, write
from tests.engine.conftest import Open
from tests.support.workers import request

SMALL = Shape(
    "small", width=256, heads=4, kv_heads=2, layers=2, feed_forward=512, vocabulary=400, context=512
)


async def test_it_is_loaded_and_computed(open_model: Open, tmp_path: Path) -> None:
    bench = open_model(write(tmp_path / "small.gguf", SMALL))
    _, end = await bench.ask(request(max_tokens=8))
    assert 0 < end.completion_tokens <= 8


def test_the_large_one_has_as_many_weights_as_it_says() -> None:
    attention = 2 * SEVEN_B.width**2 + 2 * SEVEN_B.width * SEVEN_B.width // SEVEN_B.heads * SEVEN_B.kv_heads
    block = attention + 3 * SEVEN_B.width * SEVEN_B.feed_forward
    weights = SEVEN_B.layers * block + 2 * SEVEN_B.vocabulary * SEVEN_B.width
    assert 7.5e9 < weights < 7.7e9
