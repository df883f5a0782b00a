"""What the engine does to be fast must not show in what it answers: on the real 0.5B model."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import statistics
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.supervisor import Supervisor
from tests.engine.conftest import Bench, load_plan
from tests.support.real_model import MODEL
from tests.support.workers import request

CELLS = [
    inspect.getsource(function)
    for function in (statistics.quantiles, statistics.correlation, textwrap.indent, textwrap.shorten)
]
SOURCE = inspect.getsource(statistics)
AFTER = (
    "\n    return ordered[low] + (ordered[high] - ordered[low]) * share\n\n\ndef spread(values):\n    pass\n"
)


@pytest.fixture
def opened(real_model: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[object]:
    made: list[Supervisor] = []
    path = next((real_model / MODEL).glob("*.gguf"))

    def open_(**changes: object) -> Bench:
        made.append(Supervisor())
        values = {"n_ctx": 2048, "n_batch": 512, "n_ubatch": 512, "n_threads": 0, "n_threads_batch": 0}
        return Bench(made[-1], load_plan(path, **{**values, **changes}))

    yield open_
    for supervisor in made:
        jp_asyncio_loop.run_until_complete(supervisor.close())


def improve(code: str, *, lookup: bool) -> wire.GenerateFrame:
    text = f"Improve this Python code. Answer with one code block.\n\n```python\n{code}```"
    return request(160, text, lookup=lookup)


TIE = 0.6
"""A token of this probability leads by so little that the rounding of sums decides."""


async def test_drafts_change_no_token_of_real_cells_but_where_two_are_as_good(
    opened: object, record_property: object
) -> None:
    """How long drafts are depends on the speed of the machine, and with them how sums are rounded."""
    plain, drafted = opened(), opened()  # type: ignore[operator]
    same = 0
    for code in CELLS:
        expected, likelihoods = await probabilities(plain, improve(code, lookup=False))
        text, _ = await drafted.ask(improve(code, lookup=True))
        if text == expected:
            same += 1
            continue
        first = next(i for i, (a, b) in enumerate(zip(text + "\0", expected + "\0", strict=False)) if a != b)
        likelihood = next(p for end, p in likelihoods if end > first or end == len(expected))
        assert likelihood < TIE, (text, expected)
    record_property("same", same)  # type: ignore[operator]
    assert same >= len(CELLS) // 2


async def probabilities(bench: Bench, request: wire.GenerateFrame) -> tuple[str, list[tuple[int, float]]]:
    """An answer, and for each frame where its text ends and how likely its least likely reading was."""
    text, total, frames_seen = "", 0.0, []
    async with contextlib.aclosing(
        bench.job(msgspec.structs.replace(request, confidence=True)).__aiter__()
    ) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Text):
                text += frame.text
                now = frame.log_probability or 0.0
                frames_seen.append((len(text), math.exp(now - total)))
                total = now
    return text, frames_seen


def typing(line: str, above: str) -> Iterator[wire.FillPrompt]:
    for end in range(0, len(line), 5):
        yield wire.FillPrompt(prefix=above + "    " + line[:end], suffix=AFTER, reserve_tokens=24)


def completion(prompt: wire.FillPrompt, **changes: object) -> wire.GenerateFrame:
    fields = {"prompt": prompt, "stop": ("\n",), "priority": "completion", "scope": "nb", "lookup": True}
    return request(24, **{**fields, **changes})  # type: ignore[arg-type]


async def test_a_moved_suffix_gives_what_a_computed_one_gives(
    opened: object, record_property: object
) -> None:
    moved, computed = opened(), opened(splice=False)  # type: ignore[operator]
    same = []
    for number, line in enumerate(
        ("ordered = sorted(values)", "low = int(share * len(ordered))", "share = rest / 100")
    ):
        above = SOURCE[4000 : 6000 + 700 * number] + "\n\ndef percentile(values, share):\n"
        for prompt in typing(line, above):
            a, end = await moved.ask(completion(prompt))
            b, _ = await computed.ask(completion(prompt, lookup=False))
            same.append(a == b)
            assert end.finish == "stop" or end.completion_tokens == 24
    agreement = sum(same) / len(same)
    record_property("agreement", agreement)  # type: ignore[operator]
    print(f"the same text in {agreement:.0%} of {len(same)} keystrokes")
    assert agreement >= 0.6


async def test_after_whatever_happened_the_suffix_in_the_cache_is_the_right_one(opened: object) -> None:
    """A splice after a cancel, an eviction, a move of the window and an overflow: the answer shows it."""
    bench = opened(n_ctx=1024, n_cells=1536)  # type: ignore[operator]
    above = "def box(width, height, depth):\n    base_area = width * height\n"
    after = "\n    return box_volume\n"

    async def check(typed: str) -> None:
        prompt = wire.FillPrompt(prefix=f"{above}    {typed}", suffix=after, reserve_tokens=24)
        text, _ = await bench.ask(completion(prompt))
        assert (typed + text).replace(" ", "") == "box_volume=base_area*depth"

    await check("box_volume")
    await check("box_volume =")
    job = bench.job(
        completion(wire.FillPrompt(prefix=f"{above}    box_vol", suffix=after, reserve_tokens=24))
    )
    async for _ in job:
        job.cancel()  # after its first token
    await check("box_volume")
    for number in range(12):  # more scopes than there are sequences, and more tokens than cells
        other = f"# notebook {number}\n" + SOURCE[1000 * number : 1000 * number + 1500]
        await bench.ask(completion(wire.FillPrompt(other, "\n", 24), scope=f"other {number}"))
    await check("box_volume ")
    await check("box_volume = ")
    long = wire.FillPrompt(
        prefix="# one of many lines\n" * 900 + f"{above}    box_volume", suffix=after, reserve_tokens=24
    )
    text, end = await bench.ask(completion(long))
    assert end.left_out_tokens > 0
    assert text.replace(" ", "") == "=base_area*depth"
    await check("box_volume = b")
