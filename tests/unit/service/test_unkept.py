"""Turns that the history does not have."""

from __future__ import annotations

from jupyter_localcoder.history.unsaved_turns import Unkept
from tests.support.responses import response


def turn(conversation: str = "c", **fields):
    return response(conversation_id=conversation, **fields)


def test_the_oldest_go_when_there_are_too_many():
    unkept = Unkept(max_turns=2)
    one, two, three = turn("a"), turn("b"), turn("b")
    for each in (one, two, three):
        unkept.add(each)
    assert [unkept.get(each.id) for each in (one, two, three)] == [None, two, three]
    assert (unkept.last("a"), unkept.last("b")) == ("", three.id)


def test_the_oldest_go_when_they_are_too_long_and_the_newest_stays():
    unkept = Unkept(max_chars=100)
    one, two = turn(content="x" * 60), turn(content="x" * 1000)
    unkept.add(one)
    unkept.add(two)
    assert (unkept.get(one.id), unkept.get(two.id)) == (None, two)
    unkept.forget(two.id)
    three, four = turn(content="x" * 30, prompt=""), turn(content="x" * 60, prompt="")
    unkept.add(three)
    unkept.add(four)
    assert len(unkept) == 2


def test_forgetting():
    unkept = Unkept()
    one, two, three = turn("a"), turn("a"), turn("b")
    for each in (one, two, three):
        unkept.add(each)
    unkept.forget("nothing")
    unkept.forget(one.id)
    assert unkept.last("a") == two.id
    assert unkept.forget_conversation("a") == 1
    assert unkept.last("a") == ""
    unkept.clear()
    assert (len(unkept), unkept.last("b")) == (0, "")
