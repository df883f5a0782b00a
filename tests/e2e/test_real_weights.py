"""What the real worker does with the real 0.5B model: sense, and the promises that need it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.models import ModelListRequest
from jupyter_localcoder.contract.registry import MODEL_LIST, SETTINGS_UPDATE
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.errors import TokenLimitExceeded
from tests.e2e.conftest import running_assistant
from tests.engine.conftest import Bench, load_plan
from tests.support.assistant import Answer, Assistant, read
from tests.support.jupyter_server import wait_until
from tests.support.real_model import MODEL
from tests.support.time_limits import TimeLimit
from tests.support.workers import endless, request

WINDOW = 8192
COUNT = "Write the numbers from 1 to 500, one per line."


def test_it_completes_a_function(assistant: Assistant) -> None:
    answer = assistant.complete("def add(a, b):\n    return ", multiline=False)
    assert answer.text.strip() == "a + b"
    assert answer.end.finish == "stop"
    assert answer.end.model.id == MODEL
    assert len(answer.end.model.digest) == 64


def test_a_single_line_ends_at_its_end(assistant: Assistant) -> None:
    prefix = "def describe(numbers):\n    total = sum(numbers)\n    "
    one = assistant.complete(prefix, multiline=False)
    several = assistant.complete(prefix)
    assert "\n" not in one.text
    assert one.end.finish == "stop"
    assert several.text.startswith(one.text)
    assert "\n" in several.text


@pytest.mark.parametrize("name", ["area", "surface"])
def test_it_respects_what_stands_after_the_cursor(assistant: Assistant, name: str) -> None:
    answer = assistant.complete(
        "def rectangle(width, height):\n    ", f"\n    return {name}\n", multiline=False
    )
    assert answer.text.replace(" ", "") == f"{name}=width*height"


def test_it_follows_an_instruction_and_says_when_it_is_done(assistant: Assistant) -> None:
    answer = assistant.chat("What is the capital of France? Answer with one word.")
    assert answer.text.strip(" .") == "Paris"
    assert answer.end.finish == "stop"


def test_it_follows_a_conversation(assistant: Assistant) -> None:
    answer = assistant.chat(
        "I keep three cats: Ada, Grace and Hedy.", "How nice!", "How many cats do I keep? Give the number."
    )
    assert "3" in answer.text or "three" in answer.text.lower()
    assert "<|" not in answer.text


def test_a_stop_string_ends_the_answer_before_it(assistant: Assistant) -> None:
    question = "Count from 1 to 9, separated by commas."
    whole = assistant.chat(question)
    cut = assistant.chat(question, stop=(", 5",))
    assert ", 5" in whole.text
    assert cut.text == whole.text[: whole.text.index(", 5")]
    assert cut.end.finish == "stop"


def test_the_same_seed_gives_the_same_text_and_another_one_another(assistant: Assistant) -> None:
    def ask(seed: int) -> Answer:
        return assistant.chat("Invent a name for a boat.", sampling={"temperature": 0.8, "seed": seed})

    first, second, other = ask(7), ask(7), ask(8)
    assert first.text == second.text != other.text
    assert first.end.prompt_sha256 == other.end.prompt_sha256
    assert other.end.sampling.seed == 8


def test_no_character_is_cut(assistant: Assistant) -> None:
    text = "🎉 日本語 naïve 🧑🏽‍🚀"
    answer = assistant.chat(f"Repeat this line exactly, and write nothing else: {text}")
    assert "🎉" in answer.text
    assert "日本語" in answer.text
    assert not any("\ufffd" in piece for piece in answer.pieces)


@pytest.mark.parametrize("mark", ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|fim_middle|>"])
def test_a_control_token_in_a_cell_is_text(assistant: Assistant, mark: str) -> None:
    """As a control token it would be one token; as text it is several, each time it is written."""
    once = assistant.explain(f"s = '{mark}'", max_tokens=1).end.usage.prompt_tokens
    thrice = assistant.explain(f"s = '{mark}{mark}{mark}'", max_tokens=1).end.usage.prompt_tokens
    assert thrice - once >= 2 * 4


CODE = """\
import math


def area(radius):
    return math.pi * radius**2


def volume(radius):
    return 4 / 3 * math.pi * radius**3
"""
QUESTIONS = (
    "What does this code compute? Say it in one sentence for somebody who begins to learn Python.",
    "Which module does this code import, and what is it used for in these two functions?",
    "Is there an error in the code above? Answer in one short sentence, and give a reason for it.",
    "How would I test the function volume with pytest? Show me one test only, and nothing else.",
)


async def test_the_cache_never_changes_a_greedy_answer(
    real_model: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> None:
    """Bit for bit, where llama.cpp computes a token in the same way whatever else is in its batch.

    That is without flash attention and repacked weights, and with more than a few new tokens. Otherwise
    its sums differ a little between batch sizes, which decides between two tokens that are nearly equally
    likely; who needs the same text again gives a seed (see the next test).
    """
    path = real_model / MODEL / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    plan = load_plan(path, n_batch=512, n_ubatch=512, flash_attention="off", repack=False)
    supervisor = Supervisor()
    bench = Bench(supervisor, plan)
    try:
        await bench.ask(request(text=f"{CODE}\nWhat do the two functions have in common?", max_tokens=1))
        warm = [await bench.ask(request(24, f"{CODE}\n{question}")) for question in QUESTIONS]
        cold = [await bench.ask(request(24, f"{CODE}\n{question}", fresh=True)) for question in QUESTIONS]
    finally:
        await supervisor.close()
    assert all(end.cached_tokens >= 40 for _, end in warm)
    assert all(end.cached_tokens == 0 for _, end in cold)
    assert [text for text, _ in warm] == [text for text, _ in cold]
    assert len({text for text, _ in warm}) == len(QUESTIONS)


def test_a_seed_gives_the_same_text_whatever_was_asked_before(assistant: Assistant) -> None:
    question = f"{CODE}\n{QUESTIONS[0]}"
    first = assistant.chat(question, max_tokens=24, sampling={"seed": 1})
    between = assistant.chat(f"{CODE}\n{QUESTIONS[1]}", max_tokens=4)
    second = assistant.chat(question, max_tokens=24, sampling={"seed": 1})
    assert first.text == second.text
    assert second.end.usage.cached_tokens == 0
    assert between.end.usage.cached_tokens > 40


@pytest.fixture(scope="module")
def endless_assistant(real_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One whose worker reads long prompts, and writes long answers, until somebody ends that."""
    with running_assistant(real_model, tmp_path_factory.mktemp("endless"), endless()) as made:
        yield made


def test_a_cancel_while_it_reads_ends_it_at_once(
    endless_assistant: Assistant, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """It would be read for ever; what is past the window of a completion is left out."""
    slowest = max(cancelled_in_prefill(endless_assistant, f"value_{n} = {n}\n" * 4000) for n in range(5))
    record_testsuite_property("cancel_in_prefill_seconds", slowest)
    text = endless_assistant.complete("def add(a, b):\n    return ", multiline=False).text
    assert text.strip() == "a + b"
    assert endless_assistant.status().generation == 1


def cancelled_in_prefill(assistant: Assistant, prefix: str) -> float:
    """Seconds from the cancel to the end of the request."""
    at = 0.0

    def cancel(answer: Answer) -> None:
        nonlocal at
        if not at:
            wait_until(lambda: (pong := ping(assistant)) is not None and pong.running == 1)
            started = worker_cpu(assistant)
            wait_until(lambda: worker_cpu(assistant) > started + 0.2)
            at = time.monotonic()
            assistant.cancel(answer.run)

    answer = read(assistant.complete_stream(prefix, max_tokens=96), cancel)
    ended = time.monotonic()
    usage = answer.end.usage
    assert (answer.end.finish, usage.completion_tokens) == ("canceled", 0)
    # How long the prompt is depends on how fast this machine was when the model was loaded.
    assert 100 < usage.prompt_tokens <= WINDOW - 96
    assert usage.left_out_tokens > 0
    return ended - at


def test_a_cancel_while_it_writes_keeps_what_came(
    endless_assistant: Assistant, record_testsuite_property: Callable[[str, object], None]
) -> None:
    at = 0.0

    def cancel(answer: Answer) -> None:
        nonlocal at
        if len(answer.pieces) == 10 and not at:
            at = time.monotonic()
            endless_assistant.cancel(answer.run)

    answer = read(endless_assistant.chat_stream(COUNT, max_tokens=2000), cancel)
    record_testsuite_property("cancel_in_decode_seconds", time.monotonic() - at)
    assert answer.end.finish == "canceled"
    assert answer.text.startswith("1\n2\n")
    assert answer.end.usage.completion_tokens < 2000
    assert endless_assistant.status().generation == 1


def test_a_time_limit_keeps_what_came(endless_assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = endless_assistant.client._loop
    limit = TimeLimit(loop, 3599.0, monkeypatch)
    over: list[concurrent.futures.Future[None]] = []

    def end(answer: Answer) -> None:
        if len(answer.pieces) == 10 and not over:
            over.append(asyncio.run_coroutine_threadsafe(limit.is_over(), loop))

    answer = read(endless_assistant.chat_stream(COUNT, max_tokens=2000, timeout_ms=3_599_000), end)
    assert answer.end.finish == "timeout"
    assert answer.text.startswith("1\n2\n")
    assert answer.end.usage.completion_tokens < 2000


def test_a_cell_of_two_megabytes_is_refused_with_the_numbers(assistant: Assistant) -> None:
    with pytest.raises(TokenLimitExceeded, match=r"has \d+ tokens; the context window has 8192") as caught:
        assistant.explain("x = 1\n" * 350_000)
    assert caught.value.details["context_window"] == WINDOW
    assert int(str(caught.value.details["prompt_tokens"])) > 350_000
    assert assistant.chat("Say yes.", max_tokens=2).text


@pytest.fixture
def small_window(assistant: Assistant) -> Iterator[int]:
    """For one test, a window that is soon full."""
    assistant.client.call(SETTINGS_UPDATE, SettingsUpdateRequest(context_window=512))
    yield 512
    assistant.client.call(SETTINGS_UPDATE, SettingsUpdateRequest(context_window=None))


def test_the_window_ends_an_answer_and_says_so(assistant: Assistant, small_window: int) -> None:
    answer = assistant.chat("word " * 400 + COUNT, max_tokens=400)
    usage = answer.end.usage
    assert answer.end.finish == "length"
    # The last token is drawn and not computed any more, so it needs no cell.
    assert usage.prompt_tokens + usage.completion_tokens <= small_window + 1


def test_the_worker_takes_the_memory_that_was_foretold(assistant: Assistant) -> None:
    assistant.chat("Say yes.", max_tokens=2)
    status = assistant.status()
    assert status.context_window == WINDOW
    models = assistant.client.call(MODEL_LIST, ModelListRequest()).models
    (foretold,) = (model.fit.needed_bytes for model in models if model.id == MODEL)
    assert foretold / 2 < status.memory.worker_bytes < foretold + 120 * 2**20


def worker_cpu(assistant: Assistant) -> float:
    """Seconds of computation that the worker of a service has done."""
    times = psutil.Process(assistant.client.service.pool.front.pid).cpu_times()
    return float(times.user + times.system)


def ping(assistant: Assistant) -> wire.Pong | None:
    """What the worker says of itself."""
    client = assistant.client
    return asyncio.run_coroutine_threadsafe(client.service.pool.front.ping(), client._loop).result()
