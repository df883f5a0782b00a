"""queue list, cancel and cancel-all, over a scripted client."""

from __future__ import annotations


def test_the_list_shows_places_and_what_failed(cli):
    ran = cli("queue", "list", queued=3)
    head, *rows = ran.out.splitlines()
    assert head.split() == ["ID", "STATE", "PLACE", "PROVIDER", "MODEL", "PRIORITY", "AGE", "FOR"]
    assert [row.split()[:3] for row in rows] == [
        ["s1", "streaming", "-"],
        ["r1", "running", "1"],
        ["r2", "waiting", "2"],
        ["r3", "waiting", "3"],
        ["lost", "failed", "-"],
    ]
    assert rows[0].split()[3] == "acme"
    assert rows[0].endswith("fix c.ipynb")
    assert "2 min 05 s" in rows[1]
    assert "\x1b" not in ran.out
    assert "lost: The service stopped before the request was answered." in ran.err


def test_the_list_fits_a_terminal(cli):
    assert max(map(len, cli("queue", "list", queued=3, tty=True).out.splitlines())) <= 80


def test_an_empty_queue_is_a_sentence(cli):
    assert cli("queue", "list").out == "No requests are running or waiting.\n"


def test_the_document_is_the_contracts(cli):
    document = cli("queue", "list", "--json", queued=2).json
    assert [item["id"] for item in document["running"] + document["waiting"]] == ["r1", "r2"]
    assert document["ended"][0]["error"]["code"] == "BACKEND_UNAVAILABLE"


def test_a_prompt_is_queued_and_kept_when_the_command_leaves(cli):
    options = ("--priority=low", "--provider=acme", "--temperature=0", "--timeout=2", "--prompt-id=cities")
    ran = cli("queue", "add", "Where", "is", "{{city}}?", "--set=city=Bern=CH", *options, queued=2)
    asked = ran.asked("llm:call")
    assert (asked.prompt, asked.parameters) == ("Where is {{city}}?", {"city": "Bern=CH"})
    assert (asked.priority, asked.provider, asked.sampling.temperature) == ("low", "acme", 0.0)
    assert (asked.timeout_ms, asked.prompt_id, asked.keep, asked.private) == (2000, "cities", True, False)
    assert (ran.code, ran.out, ran.err) == (0, "r1\n", "Its position is 3.\n")
    assert cli("queue", "add", "Hi", "--json").json == {"id": "r1", "position": 1}


def test_a_prompt_comes_from_stdin_and_braces_are_text(cli):
    asked = cli("queue", "add", "-", "--private", stdin="a {{b}}\n").asked("llm:call")
    assert (asked.prompt, asked.parameters, asked.private) == ("a {{b}}\n", None, True)


def test_a_prompt_that_is_waited_for_is_not_kept_without_its_asker(cli):
    ran = cli("queue", "add", "Hi", "--wait")
    assert not ran.asked("llm:call").keep
    assert (ran.code, ran.out) == (0, "Hello world.\n")
    assert "12 tokens · 0.5 s · embedded" in ran.err
    failed = cli("queue", "add", "Hi", "--wait", "--json", unanswered=True)
    assert (failed.code, failed.json["error"]["code"]) == (5, "RATE_LIMITED")


def test_ctrl_c_cancels_what_is_waited_for(cli):
    ran = cli("queue", "add", "Hi", "--wait", interrupted=True)
    assert (ran.code, ran.asked("llm:cancel").id) == (130, "r1")


def test_an_answer_is_shown_as_far_as_it_is_there(cli):
    ran = cli("queue", "show", "r7")
    assert (ran.asked("queue:get").id, ran.asked("queue:get").wait_ms) == ("r7", 0)
    assert (ran.out, ran.err) == ("Hello\n", "r7 is running, position 1 at embedded.\n")
    assert cli("queue", "show", "r7", "--wait", "--json").json["text"] == "Hello\x1b[31m world."


def test_cancel_of_one(cli):
    ran = cli("queue", "cancel", "r1")
    assert ran.asked("llm:cancel").id == "r1"
    assert ran.out == "r1 is cancelled.\n"
    gone = cli("queue", "cancel", "r9", "--json")
    assert (gone.code, gone.json["error"]["code"]) == (3, "REQUEST_NOT_FOUND")


def test_cancel_of_all_says_how_many(cli):
    assert cli("queue", "cancel-all", queued=3).out == "Cancelled: 3.\n"
    assert cli("queue", "cancel-all").out == "No requests to cancel.\n"
    assert cli("queue", "cancel-all", "--json", queued=3).json == {"count": 3}


def test_without_a_server_there_is_no_queue(cli):
    ran = cli("queue", "list", server=False)
    assert (ran.code, ran.out) == (5, "")
    assert "Only a running server has a queue." in ran.err


def test_the_prompt_of_a_request_is_printed(cli):
    ran = cli("queue", "show", "r1", "--prompt")
    assert ran.asked("queue:get").with_prompt
    assert (ran.code, ran.out) == (0, "Hello?\n")
    assert cli("queue", "show", "r1", "--prompt", "--json").json["prompt"].startswith("Hello?")


def test_a_prompt_is_queued_again(cli):
    ran = cli("queue", "retry", "lost", queued=2)
    asked = ran.asked("llm:retry")
    assert (asked.id, asked.keep) == ("lost", True)
    assert (ran.code, ran.out, ran.err) == (0, "r1\n", "Its position is 3.\n")
    ran = cli("queue", "retry", "lost", "--wait")
    assert not ran.asked("llm:retry").keep
    assert (ran.code, ran.out) == (0, "Hello world.\n")


def test_who_waits_for_a_failure_hears_how_to_ask_again(cli):
    failed = cli("queue", "show", "r1", "--wait", unanswered=True)
    assert failed.code == 5
    assert "`queue show r1 --prompt` prints its prompt, `queue retry r1` sends it again." in failed.err
