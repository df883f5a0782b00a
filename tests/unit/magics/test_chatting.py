"""`%chat`: a conversation that the notebook keeps."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from jupyter_localcoder import errors
from jupyter_localcoder.contract.generation import Origin
from jupyter_localcoder.contract.history import ConversationInfo, ConversationList
from jupyter_localcoder.magics import MagicFailure

CHAT = "c" * 16


def turn(fake: Any, text: str = "fine", **changed: Any) -> list[Any]:
    started, *deltas, done = fake.answer(text, conversation=CHAT, run="1" * 16, **changed)
    return [type(started)(run="1" * 16, conversation=CHAT), *deltas, done]


@pytest.fixture
def chat(fake, client, shell):
    """Run `%chat`, and give back what was asked."""
    client.script = turn(fake)

    def run(line: str = "", cell: str | None = None) -> Any:
        if cell is None:
            shell.run_line_magic("chat", line)
        else:
            shell.run_cell_magic("chat", line, cell)
        return client.asked[-1]

    return run


def said(request: Any) -> list[str]:
    return [message.content for message in request.messages]


def test_a_conversation_begins_and_goes_on(chat, client, capsys):
    first = chat("", "What is a list?\n")
    second = chat("And a tuple?")
    assert (first.conversation, said(first)) == ("new", ["What is a list?"])
    assert (second.conversation, said(second)) == (CHAT, ["And a tuple?"])
    assert len(client.asked) == 2
    assert "fine" in capsys.readouterr().out


def test_line_and_cell_are_one_question(chat):
    assert said(chat("In short:", "What is a list?\n")) == ["In short:\n\nWhat is a list?"]


def test_another_conversation_is_begun(chat):
    chat("one")
    assert chat("--new two").conversation == "new"


def test_the_last_question_is_answered_again(chat):
    chat("one")
    again = chat("--again --temperature 0.9")
    assert (again.conversation, again.regenerate, again.messages) == (CHAT, "1" * 16, ())
    assert again.sampling.temperature == 0.9


@pytest.mark.parametrize("line", ["--again more", "--again --new", "--again --context 2"])
def test_answering_again_takes_no_question(chat, line):
    chat("one")
    with pytest.raises(UsageError):
        chat(line)


@pytest.mark.parametrize("line", ["", "--again", "--new"])
def test_without_a_question_nothing_is_asked(chat, client, line):
    with pytest.raises(MagicFailure):
        chat(line)
    assert client.asked == []


def test_a_notebooks_conversation_goes_on_in_another_kernel(chat, client, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/srv/work/a.ipynb")
    monkeypatch.setenv("JUPYTER_LOCALCODER_ROOT", "/srv")
    info = ConversationInfo(id="d" * 16, title="", turns=2, notebook="", created_at="", updated_at="")
    client.answers["conversation:list"] = ConversationList(conversations=(info,), total=1, offset=0)
    request = chat("And now?")
    assert (request.conversation, request.origin) == ("d" * 16, Origin(notebook="work/a.ipynb"))
    listed = client.asked[0]
    assert (listed.notebook, listed.limit) == ("work/a.ipynb", 1)


@pytest.mark.parametrize(
    "answer", [errors.DatabaseError(), ConversationList(conversations=(), total=0, offset=0)]
)
def test_a_notebook_without_a_conversation_begins_one(chat, client, monkeypatch, answer):
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    client.answers["conversation:list"] = answer
    assert chat("one").conversation == "new"


def test_a_notebook_without_a_conversation_is_told_so(chat, client, monkeypatch, capsys):
    """As after a rename, when the kernel is a new one too."""
    monkeypatch.setenv("JPY_SESSION_NAME", "new-name.ipynb")
    client.answers["conversation:list"] = ConversationList(conversations=(), total=0, offset=0)
    chat("one")
    assert "No earlier conversation of new-name.ipynb was found" in capsys.readouterr().out
    chat("two")
    assert "No earlier conversation" not in capsys.readouterr().out
    chat("--new three")
    assert "No earlier conversation" not in capsys.readouterr().out


def test_a_first_question_may_be_quiet(chat, client, monkeypatch, capsys):
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    client.answers["conversation:list"] = ConversationList(conversations=(), total=0, offset=0)
    chat("--quiet one")
    assert "No earlier conversation" not in capsys.readouterr().out


def test_a_conversation_that_was_deleted_begins_anew_and_says_so(chat, client, fake, capsys):
    chat("one")
    stream = client.stream
    refused = []

    def stream_(op, request):
        if request.conversation == CHAT:
            refused.append(request)
            raise errors.ConversationNotFound
        return stream(op, request)

    client.stream = stream_
    request = chat("two")
    assert len(refused) == 1
    assert (request.conversation, said(request)) == ("new", ["two"])
    assert "The conversation was deleted" in capsys.readouterr().out


def test_cells_above_stand_beside_the_question(shell, client, fake):
    client.script = turn(fake)
    shell.run_cell("x = 1", store_history=True)
    shell.run_cell("%%bash\ntrue", store_history=True)
    shell.run_cell("%chat --context 2 what is x", store_history=True)
    references = client.asked[-1].references
    assert [(r.kind, r.text, r.language) for r in references] == [
        ("cell", "x = 1", "python"),
        ("cell", "%%bash\ntrue", "bash"),
    ]
    assert references[0].name == "In [1]"
    shell.run_cell("%chat --context 5 and now", store_history=True)
    assert len(client.asked[-1].references) == 2


def test_what_was_not_read_is_told(chat, client, fake, capsys):
    client.script = turn(fake, left_out_turns=3)
    chat("one")
    assert "the first 3 turns were not read" in capsys.readouterr().out
    chat("--quiet two")
    assert "turns" not in capsys.readouterr().out


def test_the_answer_goes_into_a_variable_without_control_characters(chat, client, fake, shell):
    client.script = turn(fake, "a\x1b[2Jb")
    chat("-o reply one")
    assert shell.user_ns["reply"] == "ab"


def test_private_is_handed_on(chat):
    assert chat("--private one").private
    assert not chat("two").private


def test_how_it_was_answered_stands_in_the_metadata_and_the_words_do_not(chat, notebook, client, fake):
    chat("a secret question")
    record = notebook.display_pub.outputs[-2]["metadata"]["localcoder"]
    assert (record["command"], record["conversation"], record["id"]) == ("chat", CHAT, "1" * 16)
    assert {
        "provider",
        "model",
        "digest",
        "quantization",
        "seed",
        "sampling",
        "prompt_sha256",
        "time",
    } <= set(record)
    assert "secret" not in str(record)


def test_an_interrupted_question_is_no_turn(chat, client, fake):
    def interrupted(words: str) -> None:
        client.script = [*turn(fake)[:2], KeyboardInterrupt()]
        with pytest.raises(KeyboardInterrupt):
            chat(words)
        assert client.streams[-1].closed
        client.script = turn(fake)

    interrupted("one")
    assert chat("two").conversation == "new"
    interrupted("three")
    assert chat("four").conversation == CHAT


def test_an_empty_answer_is_no_turn(chat, client, fake):
    client.script = turn(fake, " ")
    chat("one")
    client.script = turn(fake)
    assert chat("two").conversation == "new"


def test_a_failure_is_one_sentence(chat, client, fake):
    client.script = [*turn(fake)[:2], errors.BackendUnavailable()]
    with pytest.raises(MagicFailure, match="BACKEND_UNAVAILABLE"):
        chat("one")


def test_a_cell_of_a_chat_is_no_context(shell, client, fake):
    client.script = turn(fake)
    shell.run_cell("%%chat\nwhat is x", store_history=True)
    shell.run_cell("%chat --context 3 more", store_history=True)
    assert client.asked[-1].references == ()
