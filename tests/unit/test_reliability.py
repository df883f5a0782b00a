"""The table of what the product survives names tests that exist, and its results are of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import table
from tests.faults.rows import Row

CONFTEST = """
import pytest

@pytest.fixture
def server(port):
    return port

@pytest.fixture
def port():
    return 1

@pytest.fixture
def other():
    return 2
"""
TESTS = """
LIMIT: int = 3

def helper(x):
    return x < LIMIT

@pytest.mark.parametrize("n", [1, 2])
def test_01_it_holds(n, server):
    # Why so.
    assert helper(
        n,
    ), 'no'

def test_02_another():
    assert True
"""


def test_every_row_has_tests_and_they_exist() -> None:
    assert list(table.problems()) == []


def test_the_document_has_the_rows_as_they_are() -> None:
    assert table.render(table.results_in_document()) == table.DOCUMENT.read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with two tests, beside which stands a `conftest`."""
    monkeypatch.setattr(table, "REPOSITORY", tmp_path)
    monkeypatch.setattr(table, "_OWN", tmp_path)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def fingerprint() -> str:
    table.definitions.cache_clear()
    table.functions.cache_clear()
    return table.fingerprint(Row(1, "area", "fault", "promise"))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("test_it.py", "'no'", "'yes'"),
        ("test_it.py", "[1, 2]", "[1]"),
        ("test_it.py", "x < LIMIT", "True"),
        ("test_it.py", "LIMIT: int = 3", "LIMIT: int = 300"),
        ("test_it.py", "test_02_another", "test_01_another"),
        ("conftest.py", "return 1", "return 11"),
    ],
)
def test_a_changed_test_is_another_and_so_is_what_it_uses(
    folder: Path, file: str, old: str, new: str
) -> None:
    before = fingerprint()
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    assert fingerprint() != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("test_it.py", "# Why so.", "# Because."),
        ("test_it.py", "helper(\n        n,\n    ), 'no'", 'helper(n), "no"'),
        ("test_it.py", "assert True", "assert 1 == 1"),
        ("conftest.py", "return 2", "return 22"),
    ],
)
def test_comments_layout_and_other_tests_change_nothing(folder: Path, file: str, old: str, new: str) -> None:
    before = fingerprint()
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    assert fingerprint() == before


def test_the_fingerprint_is_the_same_on_every_machine(folder: Path) -> None:
    assert fingerprint() == "3bf22af9"


def test_a_result_of_other_tests_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = table.ROWS[:2]
    results = {row.number: "passes (1)" + table.mark(row) for row in table.ROWS}
    results[second.number] = "passes (1)" + table.mark(first)
    monkeypatch.setattr(table, "results_in_document", lambda: results)
    assert table.stale() == [second]


def test_a_test_that_did_not_run_is_not_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row(1, "area", "fault", "promise", ("test_it.py::test_02_another",))
    junit = folder / "junit.xml"
    junit.write_text('<testsuite><testcase classname="test_it" name="test_01_it_holds[1]"/></testsuite>')
    monkeypatch.setattr(table, "ROWS", (row,))
    fingerprint()  # Forgets the files of the project.
    assert table.results_of(junit)[1].startswith("fails (1 of 2)")
