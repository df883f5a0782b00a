"""The rolling record of speeds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract.backend import Speeds
from jupyter_localcoder.contract.common import ModelStamp, Sampling
from jupyter_localcoder.contract.generation import Done, Timings, Usage
from jupyter_localcoder.generation.speeds import MOST_REQUESTS, SpeedRecord


def done(
    first_ms: float = 100.0,
    speed: float = 30.0,
    digest: str = "a",
    prompt_tokens: int = 100,
    cached_tokens: int = 0,
    tokens: int = 20,
) -> Done:
    return Done(
        run="r",
        text="text",
        finish="stop",
        usage=Usage(prompt_tokens=prompt_tokens, cached_tokens=cached_tokens, completion_tokens=tokens),
        timings=Timings(
            queue_ms=first_ms / 4,
            prefill_ms=first_ms * 3 / 4,
            decode_ms=1.0,
            total_ms=1.0,
            prefill_tokens_per_second=10 * speed,
            decode_tokens_per_second=speed,
        ),
        model=ModelStamp(id="m", digest=digest, quantization="Q4_K_M"),
        sampling=Sampling(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=1),
        prompt_sha256="",
    )


def test_nothing_is_said_before_the_first_request() -> None:
    assert SpeedRecord().of(None) == SpeedRecord().of("a") == Speeds()


def test_one_request_that_was_held_up_does_not_change_what_is_usual() -> None:
    record = SpeedRecord()
    for first_ms in (100.0, 110.0, 9000.0, 90.0, 105.0):
        record.observe(done(first_ms, speed=1.0 if first_ms == 9000.0 else 30.0))
    speeds = record.of("a")
    assert (speeds.first_token_ms, speeds.decode_tokens_per_second, speeds.requests) == (105.0, 30.0, 5)
    assert speeds.first_token_p90_ms == 9000.0


def test_each_model_has_its_own_and_none_is_the_last_that_was_used() -> None:
    record = SpeedRecord()
    record.observe(done(speed=30.0, digest="a"))
    record.observe(done(speed=5.0, digest="b"))
    record.observe(done(speed=30.0, digest="a"))
    assert record.of("b").decode_tokens_per_second == 5.0
    assert record.of(None) == record.of("a")
    assert record.of("another") == Speeds()


def test_too_few_tokens_say_nothing_of_a_speed() -> None:
    record = SpeedRecord()
    record.observe(done(cached_tokens=90, tokens=3))
    speeds = record.of("a")
    assert (speeds.prefill_tokens_per_second, speeds.decode_tokens_per_second) == (0.0, 0.0)
    assert speeds.first_token_ms == 100.0
    record.observe(done(speed=20.0))
    speeds = record.of("a")
    assert (speeds.prefill_tokens_per_second, speeds.decode_tokens_per_second) == (200.0, 20.0)


def test_an_answer_without_a_token_has_no_first_one() -> None:
    record = SpeedRecord()
    record.observe(done(tokens=0))
    assert record.of(None).requests == 0


@given(times=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=3 * MOST_REQUESTS))
def test_it_is_of_the_last_requests_and_nine_of_ten_keep_to_it(times: list[float]) -> None:
    record = SpeedRecord()
    for first_ms in times:
        record.observe(done(first_ms))
    last = times[-MOST_REQUESTS:]
    speeds = record.of("a")
    assert speeds.requests == len(last)
    assert min(last) * 0.999 <= speeds.first_token_ms <= speeds.first_token_p90_ms <= max(last) * 1.001
    assert sum(one <= speeds.first_token_p90_ms * 1.001 for one in last) >= 0.9 * len(last)
