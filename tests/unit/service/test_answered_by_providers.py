"""Commands and chats that another provider than the embedded one answers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import (
    Change,
    ChatRequest,
    Delta,
    Done,
    GenerateRequest,
    InspectRequest,
    LlmCancelRequest,
    Message,
    Origin,
    Started,
)
from jupyter_localcoder.contract.history import ConversationGetRequest, ResponseRequest, ResponseSearchRequest
from jupyter_localcoder.contract.notebook import NotebookCell
from jupyter_localcoder.contract.providers import ProviderIdRequest, ProviderSaveRequest
from jupyter_localcoder.contract.queue import QueueListRequest
from jupyter_localcoder.errors import (
    AirGapped,
    AuthError,
    ConnectionFailed,
    InvalidArgument,
    ProviderInUse,
    ProviderNotFound,
    Timeout,
    TokenLimitExceeded,
)
from jupyter_localcoder.generation.instructions import SHIPPED
from tests.support.loop_clock import LoopClock
from tests.support.waiting import quiet, until, within
from tests.support.wire_server import WireServer, body, document, events, hangs, wire_server
from tests.unit.service.conftest import Desk

ACME = ProviderIdRequest(id="acme")
TOO_LONG = document(
    {"error": {"message": "maximum context length is 10", "code": "context_length_exceeded"}}, 400
)
PIECE = b'data: {"choices": [{"delta": {"content": "Hal"}}]}\n\n'


def saying(text: str = "Hi", reason: str = "stop", **last: Any) -> Any:
    end = {"choices": [{"delta": {}, "finish_reason": reason}], "model": "m-1-x",
           "usage": {"prompt_tokens": 1000, "completion_tokens": 10}, **last}  # fmt: skip
    return events({"choices": [{"delta": {"content": text}}]}, end)


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    running = jp_asyncio_loop.run_until_complete(context.__aenter__())
    running.say(saying())
    yield running
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


@pytest.fixture
def far(desk: Desk, server: WireServer, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Desk:
    """A service whose active provider is a server."""

    async def save() -> None:
        fields = {"id": "acme", "type": "openai_compatible", "base_url": server.url + "/v1", "model": "m-1"}
        await desk.service.providers.provider_save(codec.decode(ProviderSaveRequest, fields))
        await desk.service.providers.provider_set_active(ACME)

    jp_asyncio_loop.run_until_complete(save())
    return desk


def said(server: WireServer, n: int = -1) -> list[str]:
    """What a request held, without the instruction."""
    return [message["content"] for message in server.heard[n].json["messages"][1:]]


async def turn(desk: Desk, words: str, conversation: str = "new", **fields: Any) -> Done:
    messages = (Message(role="user", content=words),)
    return await desk.last(
        desk.service.generation.chat(ChatRequest(messages=messages, conversation=conversation, **fields))
    )


async def kept(desk: Desk, done: Done) -> Any:
    await desk.until(lambda: [e for e in desk.of("response:complete") if e.request_id == done.run])
    return await desk.service.history.response_get(ResponseRequest(id=done.run))


async def test_an_answer_says_what_may_be_written(far: Desk, server: WireServer):
    server.say(saying("```bash\nls -l\n```"))
    request = GenerateRequest(command="improve", code="%%bash\nls", context=(NotebookCell(source="x = 1"),))
    done = await far.last(far.service.generation.generate(request))
    assert done.change == Change(code="%%bash\nls -l")
    (asked,) = said(server)
    assert "%%bash" not in asked
    assert asked.index("x = 1") < asked.index("Improve this bash code") < asked.index("```bash\nls\n```")
    assert (await kept(far, done)).prompt.startswith("```bash\n%%bash\nls")

    part = msgspec.structs.replace(request, code="ls", cell_magic="%%sql db")
    done = await far.last(far.service.generation.generate(part))
    assert done.change.problem == (
        "No safe change was found. The answer is not in the language of the code, which is sql."
    )
    assert "Improve this sql code" in said(server)[0]

    server.say(saying("It lists files."))
    done = await far.last(
        far.service.generation.generate(GenerateRequest(command="explain", code="%%bash\nls"))
    )
    assert done.change is None
    assert "```bash\n%%bash\nls\n```" in said(server)[0]

    with pytest.raises(InvalidArgument, match="only magics"):
        await far.last(far.service.generation.generate(msgspec.structs.replace(request, code="!ls")))


async def test_the_active_provider_answers_a_command(far: Desk, server: WireServer, tmp_path: Path):
    prices = {"acme/m-1": {"input": 2.0, "output": 100.0}}
    table = {"format": 1, "usd_per_million_tokens": prices}
    (tmp_path / "settings" / "prices.json").write_text(json.dumps(table))
    request = GenerateRequest(command="explain", code="x = 1", sampling=SamplingOptions(temperature=0.5))
    frames = [frame async for frame in far.service.generation.generate(request)]
    assert isinstance(frames[0], Started)
    assert isinstance(frames[1], Delta)
    done = frames[-1]
    assert isinstance(done, Done)
    assert (frames[0].provider, frames[1].text, done.text, done.provider) == ("acme", "Hi", "Hi", "acme")
    assert (done.model.id, done.model.digest, done.sampling, done.prompt_sha256) == ("m-1-x", "", None, "")
    assert done.text_sha256 == hashlib.sha256(b"Hi").hexdigest()
    assert (done.usage.prompt_tokens, done.usage.cached_tokens, done.usage.completion_tokens) == (
        1000,
        None,
        10,
    )
    assert done.cost_usd == pytest.approx(0.003)
    assert 0 < done.timings.prefill_ms <= done.timings.total_ms
    sent = server.heard[0].json
    assert sent["messages"][0] == {"role": "system", "content": SHIPPED.system}
    assert "x = 1" in sent["messages"][1]["content"]
    assert (sent["temperature"], sent["model"]) == (0.5, "m-1")
    response = await kept(far, done)
    assert (response.provider, response.model, response.sampling) == ("acme", "m-1-x", {"temperature": 0.5})
    assert (response.cost_usd, response.content, response.command) == (done.cost_usd, "Hi", "explain")
    (told,) = far.of("response:complete")
    assert (told.provider, told.cost_usd) == ("acme", done.cost_usd)


async def test_rules_of_the_project_go_along_unless_they_are_off(
    far: Desk, server: WireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "AGENTS.md").write_text("Use polars.")
    origin = Origin(notebook="course/one.ipynb")
    turn = (Message(role="user", content="Why?"),)
    requests: list[Any] = [
        GenerateRequest(command="explain", code="x = 1", origin=origin),
        ChatRequest(messages=turn, origin=origin),
        ChatRequest(messages=turn, origin=origin, conversation="new"),
    ]

    async def said_of(request: Any) -> str:
        operations = far.service.generation
        ask = operations.generate if isinstance(request, GenerateRequest) else operations.chat
        await far.last(ask(request))
        return "\n".join(message["content"] for message in server.heard[-1].json["messages"])

    for request in requests:
        assert "## course/AGENTS.md\nUse polars." in await said_of(request)
    elsewhere = msgspec.structs.replace(requests[0], origin=Origin(notebook="other/one.ipynb"))
    assert "polars" not in await said_of(elsewhere)
    await far.settings(rules=False)
    for request in requests:
        assert "polars" not in await said_of(request)


@pytest.mark.parametrize("fields", [{"provider": "embedded"}, {"profile": "Compact", "model": "tiny"}])
async def test_the_embedded_one_answers_where_it_is_named_or_its_profile_is(
    far: Desk, server: WireServer, fields: dict[str, str]
):
    done = await far.explain(**fields)
    assert (done.text, done.provider, done.model.id) == ("An answer.", "embedded", "tiny")
    assert done.sampling is not None
    assert server.heard == []


async def test_another_one_is_named_for_one_request(far: Desk, server: WireServer):
    await far.service.providers.provider_set_active(ProviderIdRequest(id="embedded"))
    assert (await far.explain()).provider == "embedded"
    assert (await far.explain(provider="acme", model="m-2")).provider == "acme"
    assert server.heard[0].json["model"] == "m-2"
    with pytest.raises(ProviderNotFound):
        await far.explain(provider="nobody")


async def test_a_provider_that_does_not_count_says_nothing_of_tokens(far: Desk, server: WireServer):
    server.say(saying(usage=None))
    done = await far.explain()
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.cost_usd) == (None, None, None)
    assert done.timings.decode_tokens_per_second == 0
    assert (await kept(far, done)).completion_tokens is None


async def test_what_the_provider_cut_off_is_told(far: Desk, server: WireServer):
    server.say(saying(reason="content_filter"))
    assert (await far.explain()).finish == "filter"


# Conversations


async def test_a_conversation_goes_on_with_whoever_answers(far: Desk, server: WireServer):
    first = await turn(far, "one")
    second = await turn(far, "two", first.conversation, provider="embedded")
    third = await turn(far, "three", first.conversation)
    assert said(server) == ["one", "Hi", "two", "An answer.", "three"]
    opened = await far.service.history.conversation_get(ConversationGetRequest(id=first.conversation))
    assert [each.provider for each in opened.turns] == ["acme", "embedded", "acme"]
    assert (second.parent, third.left_out_turns) == (first.run, 0)


async def test_what_is_too_long_is_asked_without_its_oldest_turns_which_is_told(
    far: Desk, server: WireServer
):
    conversation = "new"
    for words in ("one", "two", "three", "four"):
        conversation = (await turn(far, words, conversation)).conversation
    server.say(TOO_LONG, TOO_LONG, saying())
    done = await turn(far, "five", conversation)
    assert [said(server, n)[::2] for n in (-3, -2, -1)] == [
        ["one", "two", "three", "four", "five"], ["three", "four", "five"], ["four", "five"],
    ]  # fmt: skip
    assert (done.left_out_turns, done.text) == (3, "Hi")
    assert (await kept(far, done)).left_out_turns == 3
    inspection = await far.service.generation.context_inspect(InspectRequest(run=done.run))
    assert "three" not in inspection.prompt
    assert "[user]\nfour\n" in inspection.prompt


async def test_a_question_that_is_too_long_by_itself_is_refused(far: Desk, server: WireServer):
    conversation = (await turn(far, "one")).conversation
    server.say(TOO_LONG)
    with pytest.raises(TokenLimitExceeded):
        await turn(far, "two", conversation)
    assert said(server) == ["two"]
    with pytest.raises(TokenLimitExceeded):
        await far.explain()


# Ends


async def test_a_cancel_keeps_what_came_and_closes_the_connection(far: Desk, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(PIECE, left=left))
    frames = far.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
    started = await frames.__anext__()
    assert (await frames.__anext__()).text == "Hal"
    (listed,) = (await far.service.queue.queue_list(QueueListRequest())).streams
    assert (listed.id, listed.command, listed.provider) == (started.run, "explain", "acme")
    with pytest.raises(ProviderInUse):
        await far.service.providers.provider_delete(ACME)
    waiting = asyncio.ensure_future(frames.__anext__())
    await quiet()
    await far.service.queue.llm_cancel(LlmCancelRequest(id=started.run))
    done = await within(waiting)
    assert (done.text, done.finish, done.model.id) == ("Hal", "canceled", "m-1")
    with pytest.raises(StopAsyncIteration):
        await frames.__anext__()
    await within(left.wait())
    assert (await kept(far, done)).finish == "canceled"
    assert (await far.service.queue.queue_list(QueueListRequest())).streams == ()


async def test_a_cancel_between_two_pieces_ends_it_too(far: Desk, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(PIECE, left=left))
    frames = far.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
    started = await frames.__anext__()
    assert (await frames.__anext__()).text == "Hal"
    await far.service.queue.llm_cancel(LlmCancelRequest(id=started.run))
    done = await within(frames.__anext__())
    assert (done.text, done.finish) == ("Hal", "canceled")
    await frames.aclose()
    await within(left.wait())


async def test_who_leaves_closes_the_connection(far: Desk, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(PIECE, left=left))
    frames = far.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
    await frames.__anext__()
    await frames.__anext__()
    waiting = asyncio.ensure_future(frames.__anext__())
    await quiet()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    await frames.aclose()
    await within(left.wait())
    assert (await far.service.queue.queue_list(QueueListRequest())).streams == ()
    assert far.of("response:complete") == []


async def test_the_time_limit_keeps_what_came(far: Desk, server: WireServer, clock: LoopClock):
    asked = GenerateRequest(command="explain", code="x = 1", timeout_ms=50_000)
    server.say(hangs(PIECE))
    async with contextlib.aclosing(far.service.generation.generate(asked)) as frames:
        await frames.__anext__()
        assert (await frames.__anext__()).text == "Hal"
        end = asyncio.ensure_future(frames.__anext__())
        await clock.until_done(end)
        assert (end.result().text, end.result().finish) == ("Hal", "timeout")
    server.say(hangs())
    nothing = asyncio.ensure_future(far.explain(timeout_ms=40_000))
    await until(lambda: len(server.heard) == 2)
    await clock.until_done(nothing)
    with pytest.raises(Timeout):
        await nothing
    assert clock.forwarded <= 50 + 40


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (document({"error": {"message": "its own words"}}, 401), AuthError),
        (document({"error": {"message": "its own words"}}, 500), ConnectionFailed),
        (body(PIECE, content_type="text/event-stream"), ConnectionFailed),
    ],
)
async def test_a_failure_is_an_error_and_is_told_once(
    far: Desk, server: WireServer, script: Any, error: type[Exception]
):
    server.say(script)
    with pytest.raises(error):
        await far.explain()
    assert len(far.of("response:error")) == 1
    assert await far.listed() == []


async def test_behind_the_air_gap_it_is_refused_before_the_first_frame(far: Desk, server: WireServer):
    await far.settings(air_gap=True)
    frames = far.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
    with pytest.raises(AirGapped):
        await frames.__anext__()
    with pytest.raises(AirGapped):
        await turn(far, "one", provider="acme")
    assert server.heard == []
    assert (await turn(far, "one", provider="embedded")).text == "An answer."


async def test_what_was_sent_can_be_looked_at(far: Desk, server: WireServer):
    done = await far.explain("secret = 1")
    inspection = await far.service.generation.context_inspect(InspectRequest(run=done.run))
    assert (inspection.provider, inspection.parts, inspection.sampling) == ("acme", (), None)
    assert inspection.prompt.startswith(f"[system]\n{SHIPPED.system}\n\n[user]\n")
    assert "secret = 1" in inspection.prompt
    assert "secret" not in inspection.redacted


async def test_reasoning_comes_while_it_is_written_and_stays_out_of_everything_else(
    far: Desk, server: WireServer
):
    pieces = [
        {"choices": [{"delta": {"content": text}}]} for text in ("<thi", "nk>hid", "den</think>", "\n\nHi")
    ]
    end = {
        "choices": [{"delta": {}, "finish_reason": "stop"}],
        "usage": {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}},
    }
    server.say(events(*pieces, end))
    request = ChatRequest(messages=(Message(role="user", content="one"),), conversation="new")
    frames = [frame async for frame in far.service.generation.chat(request)]
    assert [(f.text, f.reasoning) for f in frames if isinstance(f, Delta)] == [
        ("", "hid"), ("", "den"), ("Hi", ""),
    ]  # fmt: skip
    done = frames[-1]
    assert (done.text, done.reasoning, done.usage.reasoning_tokens) == ("Hi", "hidden", 7)
    response = await kept(far, done)
    assert (response.content, response.reasoning) == ("Hi", "hidden")
    found = await far.service.history.response_search(ResponseSearchRequest(query="hidden"))
    assert found.found == ()
    await turn(far, "two", done.conversation)
    assert said(server) == ["one", "Hi", "two"]
    await far.settings(max_reasoning_chars=3)
    server.say(events(*pieces, end))
    assert (await far.explain()).reasoning == "hi\u2026"


async def test_private_keeps_nothing(far: Desk, server: WireServer):
    first = await turn(far, "one", private=True)
    await turn(far, "two", first.conversation, private=True)
    assert said(server) == ["one", "Hi", "two"]
    assert await far.listed() == []


async def pieces_of(far: Desk, **fields: Any) -> tuple[str, str, Done]:
    """Answer and reasoning as they come, and the end."""
    frames = far.service.generation.generate(GenerateRequest(command="explain", code="x = 1", **fields))
    async with contextlib.aclosing(frames):
        told = [frame async for frame in frames]
    deltas = [frame for frame in told if isinstance(frame, Delta)]
    done = told[-1]
    assert isinstance(done, Done)
    return "".join(each.text for each in deltas), "".join(each.reasoning for each in deltas), done


async def test_a_template_that_has_opened_the_reasoning_is_remembered(far: Desk, server: WireServer):
    server.say(saying("Hm.\n</think>\n\nIt is 4."))
    first = await pieces_of(far)
    again = await pieces_of(far)
    # Nobody knows at first, and then what was shown goes to the reasoning.
    for text, reasoning, done in (first, again):
        assert (done.text, done.reasoning) == ("It is 4.", "Hm.\n")
        assert text in ("It is 4.", "Hm.\nIt is 4.")
        assert reasoning in ("Hm.\n", "")
    assert again[:2] == ("It is 4.", "Hm.\n")
    # Of another model nothing is known.
    server.say(saying("It is 5."))
    text, reasoning, done = await pieces_of(far, model="m-2")
    assert (text, reasoning, done.text) == ("It is 5.", "", "It is 5.")


async def test_one_that_does_not_reason_this_time_loses_nothing(far: Desk, server: WireServer):
    server.say(saying("Hm.\n</think>\n\nIt is 4."))
    await pieces_of(far)
    server.say(saying("It is 5."))
    text, _, done = await pieces_of(far)
    assert (text, done.text, done.reasoning) == ("It is 5.", "It is 5.", "")
    # So it is believed to do so no more.
    text, reasoning, done = await pieces_of(far)
    assert (text, reasoning, done.text) == ("It is 5.", "", "It is 5.")
    await far.service.recorder.settled()
    kept = [far.store.get(info.id) for info in await far.listed(limit=10)]
    assert sorted((each.content, each.reasoning) for each in kept) == [
        ("It is 4.", "Hm.\n"),
        ("It is 5.", ""),
        ("It is 5.", ""),
    ]
