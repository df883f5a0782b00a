"""Which files of a project apply to a notebook, and what of them a model reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_localcoder.generation.rules import MAX_RULES_CHARS, read_rules, rules_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    (folder / "course" / "week1").mkdir(parents=True)
    (tmp_path / "AGENTS.md").write_text("Above the root.")
    (folder / "AGENTS.md").write_text("Use polars.\n")
    return folder


def paths(root: Path, notebook: str) -> list[str]:
    return [rule.path for rule in read_rules(root, notebook)]


def test_those_of_the_folder_and_of_all_above_it_apply_the_nearest_last(root: Path) -> None:
    for name in ("b.md", "a.md", "notes.txt"):
        path = root / "course" / ".localcoder" / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "course" / "week1" / "AGENTS.md").write_text("No loops.")
    rules = ["AGENTS.md", "course/.localcoder/rules/a.md", "course/.localcoder/rules/b.md"]
    assert paths(root, "course/week1/one.ipynb") == [*rules, "course/week1/AGENTS.md"]
    assert paths(root, str(root / "course" / "one.ipynb")) == rules
    assert paths(root, "one.ipynb") == paths(root, "") == ["AGENTS.md"]
    assert rules_text(root, "one.ipynb").endswith("## AGENTS.md\nUse polars.")
    (root / "AGENTS.md").unlink()
    assert rules_text(root, "one.ipynb") == ""


@pytest.mark.parametrize(
    "notebook", ["../one.ipynb", "course/../../one.ipynb", "/etc/one.ipynb", "a\0b/c.ipynb", "a/" * 100 + "b"]
)
def test_no_path_leads_out_of_the_folder_that_is_served(root: Path, notebook: str) -> None:
    assert "Above the root." not in rules_text(root, notebook)


def test_no_link_leads_out_of_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / ".localcoder" / "rules").mkdir(parents=True)
    (tmp_path / ".localcoder" / "rules" / "secret.md").write_text("secret")
    (root / "AGENTS.md").unlink()
    (root / "AGENTS.md").symlink_to(tmp_path / "secret.md")
    (root / "out").symlink_to(tmp_path)
    (root / "course" / ".localcoder").symlink_to(tmp_path / ".localcoder")
    for notebook in ("one.ipynb", "out/one.ipynb", "course/one.ipynb"):
        assert read_rules(root, notebook) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_does_not_apply_and_holds_nothing_up(root: Path) -> None:
    folder = root / ".localcoder" / "rules"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()
    (folder / "unreadable.md").write_bytes(b"\xff\xfe\x00 use \x1b]52;c;x\x07 tabs \xe2\x80\xae")
    text = rules_text(root, "one.ipynb")
    assert "pipe" not in text
    assert "folder.md" not in text
    assert "use" in text
    assert not {"\x1b", "\x00", "\u202e"} & set(text)


@pytest.mark.parametrize("unit", ["A line.\n", "日本語の行\n", "x" * 5000])
def test_a_long_file_is_cut_at_a_line_and_says_so(root: Path, unit: str) -> None:
    (root / "AGENTS.md").write_text(unit * (1_000_000 // len(unit)))
    (root / "course" / "AGENTS.md").write_text("Near.")
    near, far = read_rules(root, "course/one.ipynb")[::-1]
    assert near.text == "Near."
    kept, _, said = far.text.rpartition("\n")
    assert said.startswith("[The rest of this file was left out")
    assert len(kept) <= MAX_RULES_CHARS
    assert len(kept) > MAX_RULES_CHARS - 20
    assert kept.endswith(unit.strip()[-3:])


def test_rules_that_have_no_place_any_more_are_left_out(root: Path) -> None:
    (root / "course" / "AGENTS.md").write_text("x" * 2 * MAX_RULES_CHARS)
    assert paths(root, "course/one.ipynb") == ["course/AGENTS.md"]
