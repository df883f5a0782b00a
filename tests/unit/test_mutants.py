"""What `make mutants` changes, and what it makes of the list of what is accepted."""

from __future__ import annotations

import pytest

from tests.mutants import document
from tests.mutants.__main__ import ACCEPTED, REPOSITORY, read_accepted
from tests.mutants.changes import changes
from tests.mutants.rooms import ROOMS


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a = 1", {"a = 2"}),
        ("a = 'x'", {"a = ''"}),
        ("a = x < 3", {"a = x <= 3", "a = x < 4"}),
        ("a = b and c", {"a = b", "a = c"}),
        ("a = not b", {"a = b"}),
        ("a = b if c else d", {"a = b", "a = d"}),
        ("f(True)", {"None", "f(False)"}),
        ("def f(a):\n    return a", {"def f(a):\n    return None"}),
        ("if a:\n    b()", {"if False:\n    b()", "if True:\n    b()", "if a:\n    None"}),
        ("try:\n    pass\nexcept E:\n    a = 1", {"try:\n    pass\nexcept E:\n    a = 2"}),
        # Neither types, nor what is told to a person.
        ('"""Says it."""', set()),
        ("def f(a: Literal['x']) -> None:\n    pass", set()),
        ("raise E('x', 3)", set()),
        ("self.log.info('x', 3)", set()),
        ("a = 'A sentence.'", set()),
    ],
)
def test_each_place_is_changed_and_no_other(source: str, changed: set[str]) -> None:
    assert {change.source.strip() for change in changes(source)} == changed


def test_no_two_changes_have_the_same_name() -> None:
    names = [change.name for change in changes("def f():\n    a(1, 1)\n    a(1, 1)")]
    assert len(set(names)) == len(names) == 6


def test_every_room_has_modules_and_tests() -> None:
    for room in ROOMS.values():
        for module in room.modules:
            assert (REPOSITORY / "jupyter_localcoder" / module).is_file()
        for tests in room.tests:
            assert (REPOSITORY / tests).exists()


def test_what_is_accepted_has_a_reason_and_is_a_change_that_there_is() -> None:
    for key, reason in read_accepted(ACCEPTED.read_text()).items():
        module, _, name = key.partition(": ")
        assert reason
        assert name in {c.name for c in changes((REPOSITORY / "jupyter_localcoder" / module).read_text())}


def test_the_document_has_the_rooms_and_keeps_what_was_measured() -> None:
    text = document.DOCUMENT.read_text()
    assert document.render(text, document.rows(text)) == text
