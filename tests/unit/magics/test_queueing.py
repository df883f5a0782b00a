"""`%localcoder queue` in a real shell."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from IPython.core.error import UsageError

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.common import Empty
from jupyter_localcoder.contract.queue import QueueAnswer, Queued, QueueItem, QueueView, TokenCounts
from jupyter_localcoder.errors import RateLimited
from jupyter_localcoder.magics import MagicFailure


def item(state: Any, position: int, **more: Any) -> QueueItem:
    return QueueItem(
        id="r1", prompt_id="r1", provider="acme", model="", priority="normal", state=state, position=position,
        keep=True, private=False, path="", cell="", added="2026-01-01T00:00:00+00:00", **more,
    )  # fmt: skip


RUNS = QueueAnswer(item=item("running", 1), text="Hal")
DONE = QueueAnswer(
    item=item("done", 0), text="Hal<b>lo</b>\x1b[31m.", finish="length", milliseconds=1500.0,
    usage=TokenCounts(completion_tokens=7), response_id="a" * 16,
)  # fmt: skip


@pytest.fixture
def queue(notebook: Any, client: Any) -> Any:
    """Run `%localcoder queue …` against a queue whose prompt is answered at the second look."""
    looks = iter([RUNS, DONE])
    client.answers |= {
        "llm:call": Queued(id="r1", position=2),
        "llm:cancel": Empty(),
        "queue:get": lambda _: next(looks),
    }

    def run(words: str, cell: str | None = None) -> Any:
        if cell is None:
            return notebook.run_line_magic("localcoder", f"queue {words}")
        return notebook.run_cell_magic("localcoder", f"queue {words}", cell)

    return run


def test_a_prompt_is_queued_with_its_places_and_outlives_its_cell(queue, notebook, client, capsys):
    notebook.user_ns |= {"city": "Bern {{x}}", "count": 3}
    words = "add --provider acme --priority low --set city --set count --private Sum up --set:"
    queue(words, "{{count}} of\n{{city}}\n")
    (asked,) = client.asked
    assert asked.prompt == "Sum up --set:\n\n{{count}} of\n{{city}}"
    assert asked.parameters == {"city": "Bern {{x}}", "count": "3"}
    assert (asked.provider, asked.priority, asked.private, asked.keep) == ("acme", "low", True, True)
    assert capsys.readouterr().out == ("Its position is 2. `%localcoder queue wait r1` shows its answer.\n")


def test_braces_are_text_without_set_and_a_variable_must_be_there(queue, client):
    queue("add What is {{this}}?")
    assert (client.asked[0].prompt, client.asked[0].parameters) == ("What is {{this}}?", None)
    with pytest.raises(MagicFailure, match="no variable `gone`"):
        queue("add --set gone {{gone}}")


def test_an_answer_is_waited_for_and_shown_harmless(queue, notebook, client, capsys):
    queue("add Hi")
    queue("wait last")
    assert [request.wait_ms > 0 for request in client.asked[1:]] == [True, True]
    (shown,) = notebook.display_pub.outputs
    assert "<b>" not in shown["data"]["text/markdown"]
    assert shown["data"]["text/plain"] == "Hal<b>lo</b>."
    facts = f"ended by length · 7 tokens · 1.5 s · acme · kept as {'a' * 16}\n"
    assert capsys.readouterr().out.endswith(facts)


def test_what_is_not_complete_is_shown_as_far_as_it_is(queue, notebook, capsys):
    queue("show r1")
    assert notebook.display_pub.outputs[0]["data"]["text/plain"] == "Hal"
    assert capsys.readouterr().out == "running, position 1 at acme\n"


def test_how_it_failed_is_how_the_magic_fails(queue, client):
    error = codec.error_payload(RateLimited("Slow down."))
    client.answers["queue:get"] = msgspec.structs.replace(DONE, item=item("failed", 0, error=error))
    with pytest.raises(MagicFailure, match=r"Slow down\..*RATE_LIMITED"):
        queue("wait r1")


def test_what_failed_is_listed_read_and_asked_again(queue, notebook, client, capsys):
    error = codec.error_payload(RateLimited("Slow down."))
    failed, gone = (item("failed", 0, error=error, prompt_kept=kept) for kept in (True, False))
    client.answers |= {
        "queue:list": QueueView(running=(), waiting=(), ended=(gone, failed), limit=9, streams=()),
        "queue:get": QueueAnswer(item=failed, prompt="Who?\x1b[31m"),
        "llm:retry": Queued(id="r2", position=1),
    }
    queue("list")
    assert notebook.display_pub.outputs[0]["data"]["text/plain"].count("failed") == 1
    with pytest.raises(MagicFailure, match="Slow down"):
        queue("show r1")
    assert "`%localcoder queue retry r1` sends it again." in capsys.readouterr().out
    queue("prompt r1")
    assert client.asked[-1].with_prompt
    assert capsys.readouterr().out == "Who?\n"
    queue("retry r1")
    assert (client.asked[-1].id, client.asked[-1].keep) == ("r1", True)
    assert capsys.readouterr().out == "It runs. `%localcoder queue wait r2` shows its answer.\n"
    queue("cancel last")
    assert client.asked[-1].id == "r2"
    client.answers["queue:get"] = QueueAnswer(item=gone)
    with pytest.raises(MagicFailure, match="was not saved"):
        queue("prompt r1")


def test_one_is_cancelled(queue, client, capsys):
    with pytest.raises(MagicFailure, match="No prompt has been queued"):
        queue("cancel last")
    queue("cancel r7")
    assert client.asked[-1].id == "r7"
    assert capsys.readouterr().out == "Cancelled.\n"


@pytest.mark.parametrize("words", ["show", "wait a b", "fly", "add --priority urgent Hi", "add --fly Hi"])
def test_what_makes_no_sense_is_a_usage_error(queue, client, words):
    with pytest.raises(UsageError, match="queue"):
        queue(words)
    assert client.asked == []


def test_only_a_prompt_stands_below_the_line(queue, notebook, client):
    with pytest.raises(UsageError):
        queue("list", "text")
    with pytest.raises(UsageError, match="queue add"):
        notebook.run_cell_magic("localcoder", "status", "text")
    assert client.asked == []
