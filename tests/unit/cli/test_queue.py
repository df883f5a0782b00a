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
    assert "lost: The service ended before the request was answered." in ran.err


def test_the_list_fits_a_terminal(cli):
    assert max(map(len, cli("queue", "list", queued=3, tty=True).out.splitlines())) <= 80


def test_an_empty_queue_is_a_sentence(cli):
    assert cli("queue", "list").out == "Nothing runs and nothing waits.\n"


def test_the_document_is_the_contracts(cli):
    document = cli("queue", "list", "--json", queued=2).json
    assert [item["id"] for item in document["running"] + document["waiting"]] == ["r1", "r2"]
    assert document["ended"][0]["error"]["code"] == "BACKEND_UNAVAILABLE"


def test_cancel_of_one(cli):
    ran = cli("queue", "cancel", "r1")
    assert ran.asked("llm:cancel").id == "r1"
    assert ran.out == "r1 is cancelled.\n"
    gone = cli("queue", "cancel", "r9", "--json")
    assert (gone.code, gone.json["error"]["code"]) == (3, "REQUEST_NOT_FOUND")


def test_cancel_of_all_says_how_many(cli):
    assert cli("queue", "cancel-all", queued=3).out == "Cancelled: 3.\n"
    assert cli("queue", "cancel-all").out == "There was nothing to cancel.\n"
    assert cli("queue", "cancel-all", "--json", queued=3).json == {"count": 3}


def test_without_a_server_there_is_no_queue(cli):
    ran = cli("queue", "list", server=False)
    assert (ran.code, ran.out) == (5, "")
    assert "Only a running server has a queue." in ran.err
