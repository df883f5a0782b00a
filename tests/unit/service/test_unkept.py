"""Turns that the history does not have."""

from __future__ import annotations

from jupyter_localcoder.history.unsaved_turns import UnsavedTurns
from tests.support.responses import response


def turn(conversation: str = "c", **fields):
    return response(conversation_id=conversation, **fields)


def test_the_oldest_go_when_there_are_too_many():
    unsaved = UnsavedTurns(max_turns=2)
    one, two, three = turn("a"), turn("b"), turn("b")
    for each in (one, two, three):
        unsaved.add(each)
    assert [unsaved.get(each.id) for each in (one, two, three)] == [None, two, three]
    assert (unsaved.last("a"), unsaved.last("b")) == ("", three.id)


def test_the_oldest_go_when_they_are_too_long_and_the_newest_stays():
    unsaved = UnsavedTurns(max_chars=100)
    one, two = turn(content="x" * 60), turn(content="x" * 1000)
    unsaved.add(one)
    unsaved.add(two)
    assert (unsaved.get(one.id), unsaved.get(two.id)) == (None, two)
    unsaved.forget(two.id)
    three, four = turn(content="x" * 30, prompt=""), turn(content="x" * 60, prompt="")
    unsaved.add(three)
    unsaved.add(four)
    assert len(unsaved) == 2


def test_forgetting():
    unsaved = UnsavedTurns()
    one, two, three = turn("a"), turn("a"), turn("b")
    for each in (one, two, three):
        unsaved.add(each)
    unsaved.forget("nothing")
    unsaved.forget(one.id)
    assert unsaved.last("a") == two.id
    assert unsaved.forget_conversation("a") == 1
    assert unsaved.last("a") == ""
    unsaved.clear()
    assert (len(unsaved), unsaved.last("b")) == (0, "")
