"""fix, document, test, generate, ask and chat, over a scripted client."""

from __future__ import annotations

import pytest

CODE = "def f(x):\n    return x+1\n"
CHANGED = ["Here:\n```python\ndef f(x):\n", "    return x + 1\n```\n"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "analysis.py"
    path.write_text(CODE)
    return path


def test_fix_sends_the_error_and_prints_a_diff(cli, file):
    ran = cli("fix", str(file), "--error=KeyError: 'a'", "--instruction=why", answer=CHANGED)
    request = ran.asked("generate")
    assert (request.command, request.code, request.error) == ("fix", CODE, "KeyError: 'a'")
    assert request.instruction == "why"
    assert "-    return x+1\n+    return x + 1\n" in ran.out
    assert file.read_text() == CODE


def test_document_writes_where_that_is_wanted(cli, file):
    ran = cli("document", str(file), "--write", answer=CHANGED)
    assert ran.asked("generate").command == "document"
    assert file.read_text() == "def f(x):\n    return x + 1\n"


def test_the_code_of_an_answer_is_all_that_is_printed(cli, file):
    ran = cli("test", str(file), answer=CHANGED)
    assert (ran.asked("generate").command, ran.asked("generate").code) == ("test", CODE)
    assert ran.out == "def f(x):\n    return x + 1\n"
    ran = cli("generate", "adds", "one", "--language=r", "--json", answer=["x"])
    request = ran.asked("generate")
    assert (request.command, request.instruction, request.language) == ("generate", "adds one", "r")
    assert (ran.json["code"], ran.json["text"]) == ("x", "x")


def test_ask_streams_the_answer(cli):
    ran = cli("ask", "-", "--provider=acme", stdin="Why?\n")
    request = ran.asked("generate")
    assert (request.command, request.instruction, request.provider) == ("prompt", "Why?\n", "acme")
    assert ran.out == "Hello world.\n"


def test_chat_begins_a_conversation_and_goes_on_with_one(cli):
    ran = cli("chat", "Why", "so?")
    request = ran.asked("chat")
    assert [(m.role, m.content) for m in request.messages] == [("user", "Why so?")]
    assert (request.conversation, request.parent) == ("new", None)
    assert ran.out == "Hello world.\n"
    on = cli("chat", "And?", "--conversation=last", "--after=" + "a" * 16, answered=2)
    assert (on.asked("chat").conversation, on.asked("chat").parent) == ("c" * 16, "a" * 16)
    assert cli("chat", "And?", "--conversation=last").asked("chat").conversation == "new"
    wrong = cli("chat", "And?", "--conversation=nonsense")
    assert (wrong.code, "chat" in [entry[0] for entry in wrong.log]) == (2, False)


def test_chat_says_where_it_stands_and_what_was_not_read(cli):
    ran = cli("chat", "Why?", conversation="c" * 16, left_out=3)
    assert "3 of the earlier turns did not fit" in ran.err
    assert f"Conversation {'c' * 16}, turn r1." in ran.err


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize("command", ["generate", "test"])
def test_code_that_cannot_be_used_is_no_output(cli, tmp_path, command, finish):
    file = tmp_path / "analysis.py"
    file.write_text("def f(): pass")
    words = str(file) if command == "test" else "a function"
    ran = cli(command, words, answer=["```python\nx = (\n```"], problem="It is broken.", finish=finish)
    if finish == "stop":
        assert (ran.code, ran.out) == (1, "")
        assert "It is broken. Do it. The whole answer is in the history" in ran.err
    else:
        # What was truncated is printed as far as it came, as before.
        assert (ran.code, ran.out) == (0, "x = (\n")
