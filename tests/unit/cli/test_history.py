"""history … and titles …, over a scripted client."""

from __future__ import annotations

import pytest

ID = "0" * 15 + "1"


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_the_list_is_a_table_with_titles_or_questions(cli):
    head, *rows = cli("history", "list", answered=3).out.splitlines()
    assert head.split() == ["ID", "AGE", "KIND", "MODEL", "TITLE"]
    assert [row.split()[0][-1] for row in rows] == ["3", "2", "1"]
    assert rows[0].endswith("What does this do?")
    assert rows[1].endswith("Reading a file")
    assert "2 min 05 s  explain" in rows[0]


def test_the_list_comes_in_pages(cli):
    ran = cli("history", "list", "--limit=2", "--offset=1", "--prompt=p", answered=5)
    asked = ran.asked("response:getHistory")
    assert (asked.limit, asked.offset, asked.prompt_id) == (2, 1, "p")
    assert "2 of 5" in ran.err
    assert cli("history", "list").out == "The history is empty.\n"
    assert cli("history", "list", "--limit=0").code == 2


def test_all_of_it_fits_a_terminal(cli):
    for command in (("list",), ("search", "word"), ("chats",)):
        assert widest(cli("history", *command, answered=4, tty=True).out.replace("\x1b[1m", "")) <= 84
    assert widest(cli("history", "list", answered=4, tty=True).out) <= 80


def test_what_is_found_is_shown_with_the_words_around_it(cli):
    ran = cli("history", "search", "two", "words", answered=1)
    assert ran.asked("response:search").query == "two words"
    line, excerpt = ran.out.splitlines()
    assert line.startswith(ID)
    assert excerpt.startswith("    before the word and after and after")
    assert "\x1b[1mthe word\x1b[0m" in cli("history", "search", "x", answered=1, tty=True).out
    assert "More results: `--offset=1`." in cli("history", "search", "x", "--limit=1", answered=2).err


def test_nothing_found_is_told_by_the_exit_code(cli):
    ran = cli("history", "search", "x")
    assert (ran.code, ran.out) == (3, "No results.\n")


def test_an_answer_is_printed_alone(cli):
    ran = cli("history", "show", "last", answered=2)
    assert ran.out == "Answer 2.\n"
    for fact in ("Title:", "Reading a file", "12 tokens", "Seed:", "an analysis.ipynb cell abc", "In [3]"):
        assert fact in ran.err
    assert "What does this do?" in ran.err
    assert cli("history", "show", ID, "--quiet", answered=1).err == ""
    assert cli("history", "show", ID, "--question", answered=1).out == "What does this do?\n"
    assert cli("history", "show", ID, "--json", answered=1).json["content"] == "Answer 1\x1b[2J."


@pytest.mark.parametrize(("id_", "code"), [("9" * 16, 3), ("../x", 2), ("last", 3)])
def test_an_answer_that_is_not_there(cli, id_, code):
    assert cli("history", "show", id_).code == code


def test_nothing_else_than_text_reaches_the_terminal(cli):
    for command in (("list",), ("show", "last"), ("chats",), ("chat", "last"), ("search", "x")):
        ran = cli("history", *command, answered=2)
        assert not {"\x1b", "\x07"} & set(ran.out + ran.err), command


def test_a_title_by_hand_and_by_the_model(cli):
    ran = cli("history", "title", ID, "My", "words", answered=1)
    assert (ran.asked("title:set").title, ran.out) == ("My words", "My words\n")
    assert cli("history", "title", "last", answered=1).out == "Made by a model\n"


def test_answers_are_deleted(cli):
    ran = cli("history", "delete", ID, ID, answered=1)
    assert (ran.asked("response:delete").id, ran.out) == (ID, "Deleted: 1.\n")
    assert cli("history", "delete", "--all", "--json", answered=3).json == {"count": 3}
    assert cli("history", "delete", "--prompt=p", answered=3).asked("response:deleteAll").prompt_id == "p"
    ran = cli("history", "delete", f"--chat={'c' * 16}")
    assert (ran.asked("conversation:delete").id, ran.out) == ("c" * 16, "Deleted: 2.\n")


@pytest.mark.parametrize("given", [(), (ID, "--all"), ("--all", "--prompt=p"), ("--chat=x",), (ID, "x")])
def test_what_is_not_clear_deletes_nothing(cli, given):
    ran = cli("history", "delete", *given, answered=1)
    assert ran.code == 2
    assert not [entry for entry in ran.log if "delete" in str(entry[0])]


def test_at_a_terminal_it_asks_first(cli):
    ran = cli("history", "delete", "--all", answered=1, tty=True, stdin="n\n")
    assert ran.code == 2
    assert "whole history? This cannot be undone." in ran.err
    assert cli("history", "delete", "--all", answered=1, tty=True, stdin="y\n").out == "Deleted: 1.\n"
    assert cli("history", "delete", "--all", "--yes", answered=1, tty=True).out == "Deleted: 1.\n"


def test_an_export_is_written_where_the_command_was_given(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = cli("history", "export", "--out=there", answered=1)
    assert ran.asked("response:export").path == str(tmp_path / "there")
    assert ran.out == f"{tmp_path / 'there'}/history.zip\n"
    assert "1 answer, 2.05 kB." in ran.err
    assert cli("history", "export", "last", answered=2).asked("response:export").id == "0" * 15 + "2"


def test_conversations_are_listed_and_printed(cli):
    assert "an analysis.ipynb" in cli("history", "chats", answered=2).out
    assert cli("history", "chats").out == "There are no conversations.\n"
    ran = cli("history", "chat", "last", answered=4)
    assert ran.out.count("## ") == 2
    assert "What does this do?\n\n(with In [3])\n\n---\n\nAnswer 2." in ran.out
    assert cli("history", "chat", "last").code == 3


def test_how_titles_are_made(cli):
    assert "model = the loaded model" in cli("titles", "show").out
    ran = cli("titles", "set", "--off", "--provider=far", "--model=m", "--timeout=20")
    assert ran.out == "enabled = no\nprovider = far\nmodel = m\ntimeout = 20 s\n"
    assert cli("titles", "set", "--model=").asked("title:config:set").model == ""
    assert cli("titles", "set", "--on", "--json").json["enabled"] is True
    assert cli("titles", "set").code == 2
    assert cli("titles", "set", "--on", "--off").code == 2
