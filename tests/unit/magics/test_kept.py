"""`%localcoder history`."""

from __future__ import annotations

import zipfile
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError, UsageError

from jupyter_localcoder.contract import registry
from jupyter_localcoder.contract.common import Empty
from jupyter_localcoder.contract.history import DeletedCount
from jupyter_localcoder.contract.notebook import Reference
from jupyter_localcoder.history import HistoryStore
from jupyter_localcoder.magics import MagicFailure
from tests.support.responses import response


@pytest.fixture
def store(client, tmp_path):
    """A real history behind the scripted client."""
    store = HistoryStore(history_dir=str(tmp_path / "history"))
    client.answers |= {
        registry.RESPONSE_GET_HISTORY.name: lambda r: store.page(r.prompt_id, r.limit, r.offset),
        registry.RESPONSE_GET.name: lambda r: store.get(r.id),
        registry.RESPONSE_SEARCH.name: lambda r: store.search(r.query, r.limit, r.offset),
        registry.RESPONSE_DELETE.name: lambda r: store.delete(r.id) or Empty(),
        registry.RESPONSE_EXPORT.name: store.export,
        registry.TITLE_SET.name: lambda r: store.set_title(r.id, r.title, "hand"),
    }
    yield store
    store.close()


@pytest.fixture
def look(notebook):
    def run(words: str = "") -> list[dict[str, str]]:
        notebook.display_pub.outputs.clear()
        notebook.run_line_magic("localcoder", f"history {words}")
        return [output["data"] for output in notebook.display_pub.outputs]

    return run


def kept(store: HistoryStore, **fields: Any) -> str:
    return store.keep(response(notebook="a.ipynb", command="explain", **fields)).id


def test_the_last_answers_are_listed(store, look, capsys):
    look()
    assert capsys.readouterr().out == "The history is empty.\n"
    one = kept(store, prompt="What | is\x1b[31m it?")
    two = kept(store, title="Reading a file", title_source="generated")
    (shown,) = look()
    first, second = shown["text/plain"].splitlines()[1:]
    assert all(word in first for word in ("explain", "a.ipynb", "Reading a file", two))
    assert all(word in second for word in ("What | is it?", one))
    assert "\x1b" not in str(shown)
    assert len(look("list 1")[0]["text/plain"].splitlines()) == 2


def test_words_are_found(store, look, capsys):
    kept(store, content="A zebra | is striped.")
    (shown,) = look("search zebra")
    assert "A zebra | is striped." in shown["text/plain"]
    look("search lion")
    assert capsys.readouterr().out == "No results.\n"


def test_an_answer_is_shown_and_asks_nobody(store, look):
    kept(
        store,
        content="![x](http://evil.example/x.png)",
        references=(Reference(kind="cell", name="In [3]", text="x"),),
    )
    (shown,) = look("show last")
    assert "![x](" not in shown["text/markdown"]
    assert "(with In [3])" in shown["text/plain"]
    with pytest.raises(MagicFailure, match="RESPONSE_NOT_FOUND"):
        look("show " + "0" * 16)
    with pytest.raises(MagicFailure, match="VALIDATION_ERROR"):
        look("show ../x")


def test_an_answer_gets_a_title_and_is_deleted(store, look, capsys):
    one = kept(store)
    look(f"title {one} My words")
    assert store.get(one).title == "My words"
    look("delete last")
    assert capsys.readouterr().out == "My words\nDeleted.\n"
    with pytest.raises(MagicFailure, match="The history is empty"):
        look("delete last")


def test_an_export_goes_where_the_kernel_is(store, look, tmp_path, monkeypatch, capsys):
    kept(store)
    monkeypatch.chdir(tmp_path)
    look("export all.zip")
    assert len(zipfile.ZipFile(tmp_path / "all.zip").namelist()) == 1
    assert capsys.readouterr().out == f"{tmp_path / 'all.zip'}: 1 answer.\n"


@pytest.mark.parametrize("words", ["nothing", "list x", "show", "search", "title", "delete", "export a b"])
def test_a_slip_tells_the_usage(store, look, words):
    with pytest.raises(UsageError, match="search WORDS"):
        look(words)


def test_a_title_is_made_where_none_is_written(store, client, look, capsys):
    one = kept(store)
    client.answers["title:generate"] = lambda r: store.set_title(r.id, "Made by a model", "generated")
    look(f"title {one}")
    assert capsys.readouterr().out == "Made by a model\n"


def test_all_of_it_goes_only_when_somebody_says_yes(store, client, look, capsys, monkeypatch):
    kept(store)
    client.answers["response:deleteAll"] = lambda r: DeletedCount(count=store.delete_all())

    def nobody(question: str) -> str:
        raise StdinNotImplementedError

    for answer in (nobody, lambda question: "", lambda question: "no"):
        monkeypatch.setattr("builtins.input", answer)
        look("delete all")
    assert store.page().total == 1
    monkeypatch.setattr("builtins.input", lambda question: "y")
    look("delete all")
    assert store.page().total == 0
    assert capsys.readouterr().out.splitlines() == 3 * ["Nothing was deleted."] + ["Deleted: 1."]
