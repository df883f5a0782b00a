"""The real worker and the real llama.cpp on models of random weights: everything but sense."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import signal
from pathlib import Path

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.errors import (
    BackendUnavailable,
    Canceled,
    InvalidArgument,
    InvalidModel,
    TokenLimitExceeded,
)
from tests.engine.conftest import Bench, Open
from tests.support.tiny_model import CHATML, write_tiny_model
from tests.support.waiting import PATIENCE_SECONDS, until
from tests.support.workers import held, request


def fill(prefix: str, suffix: str = "", reserve: int = 16) -> wire.FillPrompt:
    return wire.FillPrompt(prefix=prefix, suffix=suffix, reserve_tokens=reserve)


def draw(**changes: float) -> wire.Draw:
    values = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0, "seed": 1}
    return wire.Draw(**{**values, **changes})  # type: ignore[arg-type]


async def test_it_answers_and_counts(tiny: Bench) -> None:
    text, end = await tiny.ask(request(max_tokens=20))
    assert text
    assert end.finish in ("stop", "length")
    assert 0 < end.completion_tokens <= 20
    assert end.prompt_tokens == len("hello") + 2 + len("user\n") + 1 + 1 + len("assistant\n")
    assert end.prefill_ms > 0
    assert len(end.prompt_sha256) == 64


async def test_llama_is_served_too_and_cannot_fill_in(open_model: Open, tiny_llama_gguf: Path) -> None:
    bench = open_model(tiny_llama_gguf)
    assert (await bench.supervisor.load(bench.plan)).fill_in_the_middle is False
    assert (await bench.ask(request(max_tokens=4)))[1].completion_tokens <= 4
    with pytest.raises(InvalidArgument, match="fill-in-the-middle"):
        await bench.ask(request(prompt=fill("x")))


async def test_a_second_question_reads_only_what_is_new(tiny: Bench) -> None:
    _, first = await tiny.ask(request(text="a" * 100, max_tokens=1))
    _, second = await tiny.ask(request(text="a" * 100 + "b", max_tokens=1))
    assert first.cached_tokens == 0
    assert second.cached_tokens >= 100


async def test_the_cache_never_changes_a_greedy_answer(open_model: Open, tiny_gguf: Path) -> None:
    """Without flash attention, whose 16-bit sums differ between batch sizes by more than random weights
    forgive; on real weights see `tests/e2e`."""
    tiny = open_model(tiny_gguf, flash_attention="off")
    generator = random.Random(3)
    base = "".join(generator.choice("abcdef \n") for _ in range(150))
    for _ in range(12):
        text = base[: generator.randrange(150)] + "".join(generator.choice("xyz") for _ in range(20))
        warm, warm_end = await tiny.ask(request(text=text, max_tokens=12))
        cold, cold_end = await tiny.ask(request(text=text, max_tokens=12, fresh=True))
        assert warm == cold
        assert warm_end.prompt_sha256 == cold_end.prompt_sha256
        assert cold_end.cached_tokens == 0


async def test_a_hybrid_model_completes_as_if_it_had_no_cache(open_model: Open, tmp_path: Path) -> None:
    """Its recurrent layers cannot take back what was read: what is typed has the prompt read again."""
    path = write_tiny_model(tmp_path / "hybrid.gguf", architecture="granitehybrid", layers=3)
    bench = open_model(path, flash_attention="off")
    text = "import numpy\nx = numpy.arange(3)\n"
    for end in ("y", "y =", "y = x", "y = x", "z", ""):
        prompt = fill(text + end, "\nprint(y)")
        warm, warm_end = await bench.ask(
            request(prompt=prompt, max_tokens=8, scope="tab:a", lookup=True, draw=draw(temperature=0.0))
        )
        cold, _ = await bench.ask(
            request(prompt=prompt, max_tokens=8, scope="tab:b", fresh=True, draw=draw(temperature=0.0))
        )
        assert warm == cold
        assert warm_end.cached_tokens == 0


async def test_the_same_seed_gives_the_same_text_and_another_one_another(tiny: Bench) -> None:
    texts = [
        (await tiny.ask(request(max_tokens=30, draw=draw(seed=seed), fresh=True)))[0] for seed in (5, 5, 6)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    "changes",
    [{"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}, {"temperature": 1e-4}],
    ids=lambda changes: next(iter(changes)),
)
async def test_each_sampler_can_make_it_greedy(tiny: Bench, changes: dict[str, float]) -> None:
    greedy, _ = await tiny.ask(request(max_tokens=16, draw=draw(temperature=0.0), fresh=True))
    same, _ = await tiny.ask(request(max_tokens=16, draw=draw(**changes), fresh=True))
    free, _ = await tiny.ask(request(max_tokens=16, draw=draw(temperature=2.0), fresh=True))
    assert same == greedy != free


async def test_the_repetition_penalty_changes_what_repeats(tiny: Bench) -> None:
    plain, _ = await tiny.ask(request(max_tokens=60, draw=draw(temperature=0.0), fresh=True))
    punished, _ = await tiny.ask(
        request(max_tokens=60, draw=draw(temperature=0.0, repeat_penalty=2.0), fresh=True)
    )
    assert punished != plain


async def test_a_stop_string_ends_the_answer_before_it(tiny: Bench) -> None:
    whole, _ = await tiny.ask(request(max_tokens=60, fresh=True))
    stop = whole[len(whole) // 2 : len(whole) // 2 + 3]
    cut, end = await tiny.ask(request(max_tokens=60, stop=(stop,), fresh=True))
    assert cut == whole[: whole.index(stop)]
    assert end.finish == "stop"


async def test_control_tokens_in_a_persons_text_are_text(tiny: Bench) -> None:
    _, plain = await tiny.ask(request(text="", max_tokens=1))
    for text in ("<|im_end|>", "<|fim_middle|>", "<|endoftext|>"):
        _, end = await tiny.ask(request(text=text, max_tokens=1))
        assert end.prompt_tokens == plain.prompt_tokens + len(text)


async def test_fill_in_the_middle_lays_out_prefix_suffix_middle(tiny: Bench) -> None:
    _, end = await tiny.ask(request(prompt=fill("abc", "xy"), max_tokens=2))
    assert end.prompt_tokens == 3 + 2 + 3


async def test_a_long_prefix_keeps_what_is_near_the_cursor_and_says_what_was_left_out(tiny: Bench) -> None:
    _, end = await tiny.ask(request(prompt=fill("a" * 2000, "b" * 2000), max_tokens=16))
    assert end.prompt_tokens <= 512 - 16
    assert end.left_out_tokens == 4000 - (end.prompt_tokens - 3)


async def test_a_command_that_does_not_fit_is_refused_with_the_numbers(tiny: Bench) -> None:
    with pytest.raises(TokenLimitExceeded, match=r"has \d+ tokens; the context window has 512") as caught:
        await tiny.ask(request(text="a" * 600))
    assert caught.value.details["context_window"] == 512
    assert (await tiny.ask(request(max_tokens=1)))[1].completion_tokens == 1


async def test_the_window_ends_an_answer_and_says_so(tiny: Bench) -> None:
    _, end = await tiny.ask(request(text="a" * 470, max_tokens=400))
    assert end.finish in ("length", "stop")
    assert end.prompt_tokens + end.completion_tokens <= 512 + 1


@pytest.mark.parametrize("text", ["\ud83d", "\x00", "🎉日本語", "\r\n", "a" * 300])
async def test_no_text_breaks_it(tiny: Bench, text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    assert (await tiny.ask(request(text=clean, max_tokens=2)))[1].prompt_tokens > 0


async def test_cancel_while_it_writes_keeps_what_came(open_model: Open, tiny_gguf: Path) -> None:
    tiny = open_model(tiny_gguf, spawn=held(50, "Cancel"))
    job = tiny.job(request(max_tokens=480))
    texts: list[str] = []
    async for frame in job:
        if isinstance(frame, wire.Finished):
            assert frame.finish == "canceled"
            assert 0 < frame.completion_tokens < 480
        else:
            texts.append(frame.text)
            job.cancel()
    assert texts


async def test_a_request_that_waits_is_cancelled_without_being_computed(
    open_model: Open, tiny_gguf: Path
) -> None:
    tiny = open_model(tiny_gguf, spawn=held(5, "Cancel"))
    running = asyncio.ensure_future(tiny.ask(request(max_tokens=480)))
    await until(lambda: tiny.supervisor.state == "busy")
    waiting = tiny.job(request(max_tokens=300))
    ends: list[wire.Finished] = []

    async def read() -> None:
        async for frame in waiting:
            if isinstance(frame, wire.Finished):
                ends.append(frame)

    reading = asyncio.ensure_future(read())
    while (pong := await tiny.ping()).running + pong.waiting < 2:
        assert not reading.done()
    waiting.cancel()
    await asyncio.gather(reading, running)
    assert [(end.finish, end.completion_tokens) for end in ends] == [("canceled", 0)]


async def test_completions_go_first_and_background_work_last(open_model: Open, tiny_gguf: Path) -> None:
    """The first request stands still after its first tokens until the worker has heard of all three."""
    tiny = open_model(tiny_gguf, spawn=held(8, "GenerateFrame", 3))
    order: list[str] = []

    async def ask(name: str, max_tokens: int = 40, **fields: object) -> None:
        await tiny.ask(request(max_tokens, **fields))  # type: ignore[arg-type]
        order.append(name)

    await tiny.supervisor.load(tiny.plan)
    long = asyncio.ensure_future(ask("long", max_tokens=250, scope="a"))
    await until(lambda: tiny.supervisor.state == "busy")
    await asyncio.gather(
        long,
        ask("title", max_tokens=60, priority="background", scope="b"),
        ask("completion", priority="completion", prompt=fill("x"), scope="c"),
    )
    assert order == ["completion", "long", "title"]


async def test_killed_in_mid_stream_is_one_error_and_the_next_request_works(
    open_model: Open, tiny_gguf: Path
) -> None:
    tiny = open_model(tiny_gguf, spawn=held(50))
    frames = tiny.job(request(max_tokens=480)).__aiter__()
    assert isinstance(await anext(frames), wire.Text)
    assert tiny.supervisor.pid is not None
    os.kill(tiny.supervisor.pid, signal.SIGKILL)
    with pytest.raises(BackendUnavailable, match="SIGKILL"):
        assert all([isinstance(frame, wire.Text) async for frame in frames])
    assert (await tiny.ask(request(max_tokens=2)))[1].completion_tokens <= 2
    assert tiny.supervisor.generation == 2


async def test_the_worker_leaves_when_its_input_ends(tiny: Bench) -> None:
    await tiny.supervisor.load(tiny.plan)
    pid = tiny.supervisor.pid
    assert pid is not None
    await tiny.supervisor.unload()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_file_that_is_no_model_is_refused_and_no_worker_stays(
    open_model: Open, tmp_path: Path, tiny_gguf: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_gguf.read_bytes()[:5000])
    bench = open_model(broken)
    with pytest.raises(InvalidModel, match="cannot load") as caught:
        await bench.supervisor.load(bench.plan)
    assert str(tmp_path) not in caught.value.message
    assert bench.supervisor.state == "stopped"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ ''.__class__ }}{{ messages.append(1) }}", "stopped"),
        ("{{ 'a'|center(3000000000) }}", "too much memory"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "too long"),
    ],
)
async def test_a_hostile_chat_template_is_refused_and_the_worker_goes_on(
    open_model: Open, tmp_path: Path, template: str, words: str
) -> None:
    path = write_tiny_model(tmp_path / "evil.gguf", chat_template=template)
    bench = open_model(path)
    for _ in range(2):
        with pytest.raises(InvalidModel, match=words) as caught:
            await bench.ask(request())
        assert "Tuning.builtin_chat_format" in caught.value.recovery
    assert (await bench.ask(request(prompt=fill("x"), max_tokens=2)))[1].completion_tokens <= 2
    assert bench.supervisor.generation == 1


async def test_a_model_with_a_hostile_template_is_asked_in_the_format_that_it_knows(
    open_model: Open, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "evil.gguf", chat_template="{{ 'a' * 3000000000 }}")
    bench = open_model(path, builtin_chat_format=True)
    _, end = await bench.ask(request(max_tokens=2))
    assert end.completion_tokens <= 2


async def test_a_template_that_opens_the_reasoning_is_told_in_the_answer(
    open_model: Open, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "thinks.gguf", chat_template=CHATML + "<think>\n")
    text, _ = await open_model(path).ask(request(max_tokens=8))
    assert text.startswith("<think>")
    assert text.count("<think>") == 1


@pytest.mark.timeout(1800)
async def test_ten_thousand_requests_leave_no_cell_and_no_memory_behind(tiny: Bench) -> None:
    """Mixed requests, a third of them cancelled at a random moment; each ends exactly once."""
    generator = random.Random(7)

    async def one() -> str:
        text = "".join(generator.choice("ab \n") for _ in range(generator.randrange(1, 120)))
        size = generator.randrange(1, 12)
        scope = generator.choice(["", "nb 1", "nb 2", f"nb {generator.randrange(40)}"])
        kind = generator.random()
        if kind < 0.5:
            asked = request(
                size, prompt=fill(text, "cd" * 5), priority="completion", scope=scope, lookup=True
            )
        elif kind < 0.6:
            asked = request(0, prompt=fill(text, "cd"), priority="warm", scope=scope)
        else:
            asked = request(size, text=text, scope=scope, lookup=kind < 0.8, fresh=kind > 0.97)
        job = tiny.job(asked)
        if generator.random() < 0.3:
            asyncio.get_running_loop().call_later(generator.random() / 20, job.cancel)
        try:
            ends = [frame.finish async for frame in job if isinstance(frame, wire.Finished)]
        except Canceled:
            ends = ["canceled"]
        assert len(ends) == 1
        return ends[0]

    async def some(rounds: int) -> int:
        finishes: list[str] = []
        for _ in range(rounds):
            finishes += await asyncio.gather(*(one() for _ in range(10)))
        assert len(finishes) == 10 * rounds
        pong = await tiny.ping()
        assert (pong.running, pong.waiting, pong.reserved_cells) == (0, 0, 0)
        return pong.rss_bytes

    early = await some(200)
    late = await some(800)
    assert late - early < 8e6
    cold, _ = await tiny.ask(request(text="ab ab", max_tokens=10, fresh=True))
    again, _ = await tiny.ask(request(text="ab ab", max_tokens=10, fresh=True))
    assert cold == again


async def test_four_streams_run_at_once_and_say_what_they_would_alone(tiny: Bench) -> None:
    texts = ["alpha", "beta", "gamma", "delta"]
    alone = [(await tiny.ask(request(24, text, scope=text, fresh=True)))[0] for text in texts]
    together = await asyncio.gather(*(tiny.ask(request(24, text, scope=text)) for text in texts))
    assert [bool(text) for text, _ in together] == [True] * 4
    # Batches of other sizes round differently, and random weights forgive little: the beginnings agree.
    assert [text[:3] for text, _ in together] == [text[:3] for text in alone]


async def test_a_draft_model_changes_no_greedy_answer(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    """Without flash attention: see `test_the_cache_never_changes_a_greedy_answer`."""
    other = write_tiny_model(tmp_path / "other.gguf", seed=5)
    exact = {"flash_attention": "off"}
    plain = open_model(tiny_gguf, **exact)
    for draft in (tiny_gguf, other):
        bench = open_model(tiny_gguf, draft_path=str(draft), **exact)
        assert (await bench.supervisor.load(bench.plan)).drafts
        for text in ("alpha", "beta", "gamma " * 20):
            expected, _ = await plain.ask(request(max_tokens=60, text=text))
            assert (await bench.ask(request(max_tokens=60, text=text)))[0] == expected


async def test_a_draft_model_of_another_vocabulary_is_not_used(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    strange = write_tiny_model(tmp_path / "strange.gguf", fill_in_the_middle=False)
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    for draft in (strange, tmp_path / "broken.gguf"):
        bench = open_model(tiny_gguf, draft_path=str(draft))
        assert not (await bench.supervisor.load(bench.plan)).drafts
        assert (await bench.ask(request(max_tokens=8)))[0]


async def test_warming_ahead_is_what_the_completion_then_finds(tiny: Bench) -> None:
    prompt = fill("a" * 200, "b" * 40)
    _, warmed = await tiny.ask(request(0, prompt=prompt, priority="warm", scope="nb"))
    assert (warmed.completion_tokens, warmed.finish) == (0, "stop")
    typed = fill("a" * 200 + "x", "b" * 40)
    _, end = await tiny.ask(request(2, prompt=typed, priority="completion", scope="nb"))
    assert end.prompt_tokens - end.cached_tokens <= 4


async def test_confidence_is_reported_where_it_was_asked_for(tiny: Bench) -> None:
    _, sure = await tiny.ask(request(6, prompt=fill("ab"), confidence=True))
    assert sure.log_probability is not None
    assert sure.log_probability < 0
    assert sure.first_token_margin is not None
    assert sure.first_token_margin >= 0
    _, silent = await tiny.ask(request(6, prompt=fill("ab")))
    assert silent.log_probability is None


async def test_what_was_computed_outlives_an_unload_and_not_another_setting(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    kept = {"state_path": str(tmp_path / "kept.state"), "state_bytes": 2**24}
    bench = open_model(tiny_gguf, spawn=held(0), **kept)
    bench.supervisor.stop_grace_seconds = PATIENCE_SECONDS  # however long the disk takes
    prompt = fill("a" * 200, "b" * 40)
    before, _ = await bench.ask(request(4, prompt=prompt, scope="nb"))
    await bench.supervisor.unload()
    assert (tmp_path / "kept.state").stat().st_mode & 0o077 == 0
    assert (await bench.supervisor.load(bench.plan)).restored_sequences == 1
    again, end = await bench.ask(request(4, prompt=prompt, scope="nb"))
    assert end.prompt_tokens - end.cached_tokens == 1
    assert again[:2] == before[:2]
    typed = fill("a" * 200 + "x", "b" * 40)
    _, spliced = await bench.ask(request(2, prompt=typed, scope="nb"))
    assert spliced.prompt_tokens - spliced.cached_tokens <= 4
    await bench.supervisor.unload()
    (tmp_path / "kept.state").write_bytes(b"not a state")
    assert (await bench.supervisor.load(bench.plan)).restored_sequences == 0
    assert (await bench.ask(request(2, prompt=prompt, scope="nb")))[1].cached_tokens == 0


async def test_a_state_that_is_larger_than_allowed_is_not_kept(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    bench = open_model(tiny_gguf, state_path=str(tmp_path / "kept.state"), state_bytes=1000)
    await bench.ask(request(4, prompt=fill("a" * 200)))
    await bench.supervisor.unload()
    assert not (tmp_path / "kept.state").exists()


@pytest.mark.parametrize(
    "changes",
    [{"cache_type": "q8_0"}, {"flash_attention": "off"}, {"repack": False}, {"use_mmap": False}],
    ids=str,
)
async def test_every_knob_gives_a_model_that_answers(
    open_model: Open, tiny_gguf: Path, changes: dict[str, object]
) -> None:
    bench = open_model(tiny_gguf, **changes)
    assert (await bench.ask(request(4, prompt=fill("abc", "d"))))[1].completion_tokens > 0


async def test_costs_are_measured_at_the_first_load_and_taken_over_at_the_next(tiny: Bench) -> None:
    measured = (await tiny.supervisor.load(tiny.plan)).costs
    assert measured[1] > 0
    assert measured[256] > measured[1]


async def test_costs_are_held_against_the_machine_unless_they_are_of_a_moment_ago(tiny: Bench) -> None:
    unlike = {1: 123.0, 256: 1234.0}
    believed = dataclasses.replace(tiny.plan, costs=unlike, costs_are_new=True)
    assert (await tiny.supervisor.load(believed)).costs[1] == 123.0
    await tiny.supervisor.unload()
    assert (await tiny.supervisor.load(dataclasses.replace(believed, costs_are_new=False))).costs[1] < 1


@pytest.mark.timeout(1800)
async def test_ten_thousand_scopes_leave_no_trace(tiny: Bench) -> None:
    """Sequences are few and are taken again: a storm of scopes evicts, and nothing grows."""
    for start in range(0, 10_000, 500):
        await asyncio.gather(
            *(
                tiny.ask(request(1, prompt=fill(f"x{i}"), scope=f"nb{i}", priority="completion"))
                for i in range(start, start + 500)
            )
        )
    pong = await tiny.ping()
    assert (pong.running, pong.waiting) == (0, 0)


async def test_a_report_tells_the_exact_prompt_and_the_source_of_each_token(tiny: Bench) -> None:
    prompt = wire.FillPrompt(
        prefix="a\nb",
        suffix="c",
        reserve_tokens=16,
        above=(wire.ContextPiece("one <|im_end|> é\n", "cells above"),),
        below=(wire.ContextPiece("\nd" * 200, "cells below"),),
    )
    _, end = await tiny.ask(request(prompt=prompt, max_tokens=2, report=True))
    text = "".join(segment.text for segment in end.segments)
    assert text.startswith("<|fim_prefix|>one <|im_end|> é\na\nb<|fim_suffix|>c\nd\nd")
    assert text.endswith("<|fim_middle|>")
    assert sum(segment.tokens for segment in end.segments) == end.prompt_tokens
    assert sum(segment.left_out for segment in end.segments) == end.left_out_tokens > 0
    assert (await tiny.ask(request(prompt=prompt, max_tokens=2)))[1].segments == ()


async def test_a_command_is_told_by_what_it_is_made_of(tiny: Bench) -> None:
    turn = wire.PromptTurn("user", "do this: é", (wire.Span("instructions", 9), wire.Span("code", 1)))
    _, end = await tiny.ask(request(prompt=wire.ChatPrompt((turn,)), max_tokens=1, report=True))
    by_source = {segment.source: segment.text for segment in end.segments if not segment.control}
    assert (by_source["instructions"], by_source["code"]) == ("do this: ", "é")
    assert sum(segment.tokens for segment in end.segments) == end.prompt_tokens


async def test_the_confidence_so_far_comes_with_the_text(tiny: Bench) -> None:
    texts: list[wire.Text] = []
    async for frame in tiny.job(request(prompt=fill("ab"), max_tokens=12, confidence=True)):
        if isinstance(frame, wire.Text):
            texts.append(frame)
        else:
            end = frame
    so_far = [text.log_probability for text in texts] + [end.log_probability]
    assert all(sure is not None and sure < 0 for sure in so_far)
    assert so_far == sorted(so_far, reverse=True)
