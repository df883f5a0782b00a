from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import words
from tests.words import Text, findings

# What a reader stumbles over, and the plain sentence.
PAIRS = [
    ("So many characters must be there.", "Minimum number of characters before the cursor."),
    ("Nobody is here to choose a profile.", "Cannot prompt for a profile; pass --profile."),
    ("A file stands beside it.", "A file is next to it."),
    ("The code is read anew.", "The code is read again."),
    ("It answers whether there is one.", "It returns whether there is one."),
    ("The source is not to be had.", "The source is not available."),
    ("Ask who looks after the server.", "Ask the server administrator."),
    ("Raise this to who iterates.", "Deliver an error to the consumer."),
    ("Whoever asks gets the text.", "Any client can get the text."),
    ("The worker runs in a process of its own.", "The worker runs in a separate process."),
    ("It is not started again by itself.", "It is not restarted automatically."),
    ("What came so far is kept.", "The partial download is kept."),
    ("The request makes no sense.", "Invalid request."),
]


@pytest.mark.parametrize(("odd", "plain"), PAIRS)
def test_a_phrase_of_the_list_is_found_and_the_plain_sentence_is_not(odd: str, plain: str) -> None:
    assert list(findings(iter([Text("page.md", 1, odd)])))
    assert not list(findings(iter([Text("page.md", 1, plain)])))


@pytest.mark.parametrize(
    "sentence",
    [
        "`%` stands for any rest.",
        "It runs on your own machine.",
        "You understand the stand-alone version.",
        "A list of users who can read the file.",
        "The beginning of the file.",
    ],
)
def test_usual_english_is_left_in_peace(sentence: str) -> None:
    assert not list(findings(iter([Text("page.md", 1, sentence)])))


Planted = tuple[str, str, Callable[[Path], Iterator[Text]], int]
PLANTED: list[Planted] = [
    ("page.md", "# A page\n\n```text\nanew\n```\n\nIt is read\nanew.\n", words.markdown, 8),
    ("module.py", '"""A module."""\n\nX = f"{1} is read anew"\n', words.strings, 3),
    ("module.py", '"""A module."""\n\n\nclass A:\n    """It is read anew."""\n', words.docstrings, 5),
    ("view.ts", "// anew\nconst x = trans.__(\n  'It is ' + 'read anew'\n);\n", words.labels, 3),
    ("plugin.json", '{\n  "title": "A title",\n  "description": "It is read anew."\n}\n', words.schema, 3),
    ("a.ipynb", '{"cells": [{"cell_type": "markdown", "source": ["It is read anew."]}]}', words.cells, 1),
]


@pytest.mark.parametrize(("name", "content", "read", "line"), PLANTED)
def test_a_planted_phrase_is_reported_with_its_line(
    tmp_path: Path, name: str, content: str, read: Callable[[Path], Iterator[Text]], line: int
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    (found,) = findings(read(path))
    assert (found.path, found.line, found.phrase, found.better) == (name, line, "anew", "“again”")


def test_private_code_and_generated_blocks_are_not_read(tmp_path: Path) -> None:
    page, module = tmp_path / "page.md", tmp_path / "module.py"
    page.write_text("<!-- made: traits -->\nanew\n<!-- end -->\n", encoding="utf-8")
    module.write_text('def _hidden():\n    """It is read anew."""\n', encoding="utf-8")
    assert not list(findings(words.markdown(page)))
    assert not list(findings(words.docstrings(module)))


def test_the_check_fails_where_an_enforced_area_has_a_phrase(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.md").write_text("It is read anew.\n", encoding="utf-8")
    monkeypatch.setattr(words, "ROOT", tmp_path)
    monkeypatch.setattr(words, "AREAS", {"docs": (("*.md",), words.markdown, True)})
    monkeypatch.setattr(sys, "argv", ["words", "--check"])
    assert words.main() == 1
    assert capsys.readouterr().out == "page.md:1: “anew”; write “again”\n"
    monkeypatch.setattr(words, "AREAS", {"docs": (("*.md",), words.markdown, False)})
    assert words.main() == 0
