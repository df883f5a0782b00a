"""The table of what the product survives names tests that exist."""

from __future__ import annotations

from tests.faults import table


def test_every_row_has_tests_and_they_exist() -> None:
    assert list(table.problems()) == []


def test_the_document_has_the_rows_as_they_are() -> None:
    assert table.render(table.results_in_document()) == table.DOCUMENT.read_text()
