"""What nobody should send has a defined end, and the worker goes on."""

from __future__ import annotations

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.errors import TokenLimitExceeded
from tests.engine.conftest import Bench
from tests.support.workers import request


async def asked(tiny: Bench, prompt: wire.FillPrompt, **changes: object) -> wire.Finished:
    fields = {"prompt": prompt, "priority": "completion", "scope": "nb"}
    return (await tiny.ask(request(4, **{**fields, **changes})))[1]  # type: ignore[arg-type]


async def still_right(tiny: Bench) -> None:
    pong = await tiny.ping()
    assert (pong.running, pong.waiting, pong.reserved_cells) == (0, 0, 0)
    assert (await tiny.ask(request(2)))[1].completion_tokens > 0


async def test_a_suffix_of_a_megabyte_is_cut_and_the_answer_says_so(tiny: Bench) -> None:
    end = await asked(tiny, wire.FillPrompt("def f():\n    ", "x = 1\n" * 175_000, 16))
    assert end.left_out_tokens > 500_000
    assert end.prompt_tokens <= 512
    await still_right(tiny)


async def test_a_prefix_longer_than_the_window_is_cut_for_a_completion_alone(tiny: Bench) -> None:
    end = await asked(tiny, wire.FillPrompt("y = 2\n" * 2_000, "\n", 16))
    assert end.left_out_tokens > 10_000
    with pytest.raises(TokenLimitExceeded, match=r"has \d+ tokens; the context window has 512"):
        await tiny.ask(request(4, "y = 2\n" * 2_000))
    await still_right(tiny)


async def test_nothing_before_the_cursor_is_a_prompt_too(tiny: Bench) -> None:
    assert (await asked(tiny, wire.FillPrompt("", "x", 16))).prompt_tokens >= 3
    assert (await asked(tiny, wire.FillPrompt("", "", 16))).prompt_tokens >= 2
    await still_right(tiny)


async def test_no_token_asked_for_is_only_read(tiny: Bench) -> None:
    _, end = await tiny.ask(request(0, prompt=wire.FillPrompt("a" * 50, "b", 16), priority="warm"))
    assert (end.finish, end.completion_tokens) == ("stop", 0)
    await still_right(tiny)


async def test_a_stop_string_of_ten_kilobytes_loses_no_text(tiny: Bench) -> None:
    plain, _ = await tiny.ask(request(40, fresh=True))
    with_stop, _ = await tiny.ask(request(40, stop=("never" * 2_048,), fresh=True))
    # A stop string that begins as the answer does holds everything back until the end, and no longer.
    held, _ = await tiny.ask(request(40, stop=(plain + "x" * 10_000,), fresh=True))
    assert plain == with_stop == held
    await still_right(tiny)


async def test_half_a_character_is_a_question_mark(tiny: Bench) -> None:
    raw = b"caf\xe9 \xff\xfe".decode("utf-8", "replace")
    assert (await tiny.ask(request(2, raw)))[1].prompt_tokens > 0
    await still_right(tiny)
