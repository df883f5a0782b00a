"""A chat that remembers: where each turn goes, and what the model is told of those before it."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.contract.generation import ChatRequest, Message, Origin, Started
from jupyter_localcoder.contract.history import (
    ConversationBranchRequest,
    ConversationGetRequest,
    ConversationListRequest,
    ConversationRenameRequest,
    ConversationRequest,
    ResponseDeleteAllRequest,
    ResponseRequest,
)
from jupyter_localcoder.contract.notebook import Reference
from jupyter_localcoder.generation.instructions import SHIPPED
from jupyter_localcoder.history import dialogue
from tests.support.waiting import within
from tests.unit.service.conftest import Desk, Open


class Talk:
    """A chat over a desk, and what its model was asked."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.read: list[list[str]] = []
        """For each request the turns that the worker got, without the instruction."""
        self.conversation = "new"
        make = desk.service.pool.job

        def job(plan: Any, request: Any, *role: Any, **named: Any) -> Any:
            if request.scope.startswith("chat:"):
                self.instruction = request.prompt.turns[0].content
                self.prompt = request.prompt
                self.read.append([turn.content for turn in request.prompt.turns[1:]])
            return make(plan, request, *role, **named)

        desk.service.pool.job = job  # type: ignore[method-assign]

    async def __call__(self, words: str = "", **fields: Any) -> Any:
        messages = (Message(role="user", content=words),) if words else ()
        fields.setdefault("conversation", self.conversation)
        request = ChatRequest(**{"messages": messages, **fields})
        done = await self.desk.last(self.desk.service.generation.chat(request))
        self.conversation = done.conversation
        return done

    async def turns(self, turn: str | None = None) -> list[str]:
        request = ConversationGetRequest(id=self.conversation, turn=turn)
        opened = await self.desk.service.history.conversation_get(request)
        return [each.prompt for each in opened.turns]


@pytest.fixture
def talk(desk: Desk) -> Talk:
    return Talk(desk)


async def test_a_conversation_is_remembered(talk: Talk):
    first = await talk("one")
    second = await talk("two")
    await talk("three")
    assert talk.read == [
        ["one"],
        ["one", "An answer.", "two"],
        ["one", "An answer.", "two", "An answer.", "three"],
    ]
    assert (first.parent, second.parent, second.left_out_turns) == ("", first.run, 0)
    assert await talk.turns() == ["one", "two", "three"]


async def test_the_first_frame_and_the_last_one_name_the_conversation(desk: Desk):
    request = ChatRequest(messages=(Message(role="user", content="one"),), conversation="new")
    frames = [frame async for frame in desk.service.generation.chat(request)]
    assert isinstance(frames[0], Started)
    assert len(frames[0].conversation) == 16
    assert frames[-1].conversation == frames[0].conversation


async def test_a_conversation_goes_on_after_a_restart(talk: Talk, open_desk: Open):
    await talk("one", origin=Origin(notebook="a.ipynb"))
    await talk.desk.service.close()
    later = Talk(await open_desk())
    found = await later.desk.service.history.conversation_list(ConversationListRequest(notebook="a.ipynb"))
    await later("two", conversation=found.conversations[0].id)
    assert later.read == [["one", "An answer.", "two"]]


async def test_a_turn_is_answered_again_beside_its_answer(talk: Talk):
    reference = Reference(kind="cell", name="In [3]", text="x = 1", language="python")
    first = await talk("one")
    second = await talk("two", references=(reference,))
    again = await talk(regenerate=second.run)
    assert talk.read[2] == talk.read[1]
    assert again.parent == first.run
    opened = await talk.desk.service.history.conversation_get(ConversationGetRequest(id=talk.conversation))
    assert [turn.id for turn in opened.turns] == [first.run, again.run]
    assert opened.turns[1].references == (reference,)
    assert opened.alternatives == {again.run: (second.run, again.run)}
    older = await talk.desk.service.history.conversation_get(
        ConversationGetRequest(id=talk.conversation, turn=second.run)
    )
    assert [turn.id for turn in older.turns] == [first.run, second.run]


async def test_the_first_turn_is_answered_again(talk: Talk):
    first = await talk("one")
    again = await talk(regenerate=first.run)
    assert (again.parent, talk.read) == ("", [["one"], ["one"]])
    opened = await talk.desk.service.history.conversation_get(ConversationGetRequest(id=talk.conversation))
    assert opened.alternatives == {again.run: (first.run, again.run)}
    await talk("two", parent=first.run)
    assert await talk.turns() == ["one", "two"]


async def test_another_question_may_follow_an_earlier_turn(talk: Talk):
    first = await talk("one")
    await talk("two")
    await talk("other", parent=first.run)
    await talk("another beginning", parent="")
    assert talk.read[2:] == [["one", "An answer.", "other"], ["another beginning"]]
    assert await talk.turns() == ["another beginning"]
    assert await talk.turns(first.run) == ["one", "other"]


async def test_a_branch_goes_its_own_way(talk: Talk):
    first = await talk("one")
    await talk("two")
    old = talk.conversation
    branch = await talk.desk.service.history.conversation_branch(
        ConversationBranchRequest(id=old, response_id=first.run)
    )
    await talk("other", conversation=branch.id)
    assert talk.read[-1] == ["one", "An answer.", "other"]
    assert await talk.turns() == ["one", "other"]
    talk.conversation = old
    assert await talk.turns() == ["one", "two"]


async def test_references_stand_before_the_question_and_are_read_again_later(talk: Talk):
    reference = Reference(kind="selection", text="x = ```1```", language="python")
    await talk("What is x?", references=(reference, Reference(kind="file", name="a", text=" ")))
    assert talk.read == [["Selected code:\n````python\nx = ```1```\n````\n\nWhat is x?"]]
    assert [span.source for span in talk.prompt.turns[-1].spans] == ["references", "question"]
    await talk("And now?")
    assert talk.read[1][0] == talk.read[0][0]
    assert [turn.spans[0].source for turn in talk.prompt.turns[1:]] == [
        "earlier turns",
        "earlier turns",
        "question",
    ]
    (found,) = [each for each in await talk.desk.listed() if each.preview == "What is x?"]
    kept = await talk.desk.service.history.response_get(ResponseRequest(id=found.id))
    assert kept.references[0] == reference


async def test_the_instruction_is_the_usual_one_or_the_given_one(talk: Talk):
    await talk("one")
    assert talk.instruction == SHIPPED.system
    given = Message(role="system", content="Speak like a pirate.")
    await talk(messages=(given, Message(role="user", content="two")))
    assert talk.instruction == "Speak like a pirate."


async def test_a_chat_without_a_conversation_is_as_it_was(talk: Talk):
    done = await talk("hello", conversation=None)
    assert (done.conversation, done.parent) == ("", "")
    assert (await talk.desk.service.history.conversation_list(ConversationListRequest())).total == 0


# What is not kept


async def test_a_private_conversation_is_remembered_and_not_kept(talk: Talk):
    await talk("one", private=True)
    await talk("two", private=True)
    assert talk.read[1] == ["one", "An answer.", "two"]
    assert await talk.desk.listed() == []
    with pytest.raises(errors.ConversationNotFound):
        await talk.turns()
    deleted = await talk.desk.service.history.conversation_delete(ConversationRequest(id=talk.conversation))
    assert deleted.count == 2
    with pytest.raises(errors.ConversationNotFound):
        await talk("three")


async def test_private_turns_among_others(talk: Talk):
    await talk("one")
    await talk("two", private=True)
    await talk("three")
    await talk("four")
    assert talk.read[-1][::2] == ["one", "two", "three", "four"]
    assert sorted(each.preview for each in await talk.desk.listed()) == ["four", "one", "three"]


async def test_a_conversation_is_remembered_where_the_history_is_off(talk: Talk):
    await talk.desk.settings(history=False)
    await talk("one")
    await talk("two")
    assert talk.read[1] == ["one", "An answer.", "two"]
    await talk.desk.service.history.response_delete_all(ResponseDeleteAllRequest(all=True))
    with pytest.raises(errors.ConversationNotFound):
        await talk("three")


async def test_a_full_disk_ends_no_conversation(talk: Talk, monkeypatch: pytest.MonkeyPatch):
    def refuse(responses: Any) -> None:
        raise errors.DiskFull

    monkeypatch.setattr(talk.desk.store, "keep_all", refuse)
    await talk("one")
    await talk("two")
    assert talk.read[1] == ["one", "An answer.", "two"]
    assert [notice.severity for notice in talk.desk.of("notice")] == ["warning"]


async def test_the_next_turn_need_not_wait_until_the_last_one_is_kept(talk: Talk, monkeypatch):
    import threading

    go_on = threading.Event()
    keep = talk.desk.store.keep_all

    def slowly(responses: Any) -> Any:
        go_on.wait()
        return keep(responses)

    monkeypatch.setattr(talk.desk.store, "keep_all", slowly)
    try:
        for words in ("one", "two", "three"):
            await within(talk(words))
    finally:
        go_on.set()
    assert talk.read[-1][::2] == ["one", "two", "three"]
    assert await talk.turns() == ["one", "two", "three"]
    assert not len(talk.desk.service.recorder.unsaved)


async def test_an_empty_answer_is_no_turn(open_desk: Open):
    talk = Talk(await open_desk(says=" "))
    await talk("one")
    with pytest.raises(errors.ConversationNotFound):
        await talk("two")


# What is refused, and what is left out


async def test_what_is_not_there_is_told(talk: Talk):
    done = await talk("one")
    mine = talk.conversation
    with pytest.raises(errors.ConversationNotFound):
        await talk("two", conversation="0" * 16)
    for fields in ({"parent": "0" * 16, "words": "x"}, {"regenerate": "0" * 16}):
        with pytest.raises(errors.ResponseNotFound):
            await talk(conversation=mine, **fields)
    await talk("elsewhere", conversation="new")
    with pytest.raises(errors.ResponseNotFound):
        await talk("x", parent=done.run)  # of another conversation


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": ()},
        {"messages": (Message(role="user", content=" "),)},
        {"messages": (Message(role="assistant", content="x"),)},
        {"messages": (Message(role="user", content="a"), Message(role="user", content="b"))},
        {"regenerate": "0" * 16, "messages": (Message(role="user", content="a"),)},
        {"regenerate": "0" * 16, "parent": "0" * 16},
        {"regenerate": "0" * 16, "conversation": "new"},
        {"messages": (Message(role="user", content="a"),), "parent": "0" * 16, "conversation": "new"},
        {"conversation": None, "messages": (Message(role="user", content="a"),), "parent": ""},
        {"conversation": None, "regenerate": "0" * 16},
        {"conversation": None, "messages": ()},
    ],
)
async def test_a_request_that_contradicts_itself_is_refused(talk: Talk, fields: dict[str, Any]):
    await talk("one")
    with pytest.raises(errors.InvalidArgument):
        await talk(**fields)


async def test_references_have_a_limit_together(talk: Talk):
    reference = Reference(kind="text", text="x" * 3_999_999)
    with pytest.raises(errors.InvalidArgument, match="4000001"):
        await talk("xx", references=(reference,))


async def test_turns_that_no_window_holds_are_not_sent(talk: Talk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dialogue, "MAX_CHARS", 60)
    for n in range(6):
        done = await talk(f"question {n}")
    assert talk.read[-1][::2] == ["question 2", "question 3", "question 4", "question 5"]
    assert done.left_out_turns == 2
    monkeypatch.setattr(dialogue, "MAX_TURNS", 2)
    done = await talk("question 6")
    assert talk.read[-1][::2] == ["question 4", "question 5", "question 6"]
    assert done.left_out_turns == 4


async def test_turns_that_are_not_kept_count_as_others_do(talk: Talk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dialogue, "MAX_TURNS", 2)
    for n in range(6):
        done = await talk(f"question {n}", private=n >= 3)
    assert talk.read[-1][::2] == ["question 3", "question 4", "question 5"]
    assert done.left_out_turns == 3


async def test_what_the_worker_left_out_is_told(talk: Talk, monkeypatch: pytest.MonkeyPatch):
    from jupyter_localcoder.contract import wire

    await talk("one")
    decode = wire.read_from_worker

    def read(source: Any) -> Any:
        frame = decode(source)
        return msgspec.structs.replace(frame, left_out_turns=1) if isinstance(frame, wire.Finished) else frame

    monkeypatch.setattr(wire, "read_from_worker", read)
    assert (await talk("two")).left_out_turns == 1


async def test_who_leaves_in_the_middle_adds_no_turn(talk: Talk):
    await talk("one")
    request = ChatRequest(messages=(Message(role="user", content="two"),), conversation=talk.conversation)
    async with contextlib.aclosing(talk.desk.service.generation.chat(request)) as frames:
        async for _ in frames:
            break
    assert await talk.turns() == ["one"]


# Titles


async def test_a_conversation_is_renamed(talk: Talk):
    first = await talk("one")
    rename = talk.desk.service.history.conversation_rename
    info = await rename(ConversationRenameRequest(id=talk.conversation, title=" My \n words "))
    assert info.title == "My words"
    await talk(regenerate=first.run)
    listed = await talk.desk.service.history.conversation_list(ConversationListRequest())
    assert [each.title for each in listed.conversations] == ["My words"]
    assert talk.desk.of("history:changed")[-1].conversation_id == talk.conversation
    with pytest.raises(errors.InvalidArgument):
        await rename(ConversationRenameRequest(id=talk.conversation, title=" "))
    with pytest.raises(errors.ConversationNotFound):
        await rename(ConversationRenameRequest(id="0" * 16, title="x"))
