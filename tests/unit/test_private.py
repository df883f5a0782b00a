"""The count of private names that tests use: what counts, and that it only shrinks."""

from __future__ import annotations

from tests import private

PRODUCT = """
_LIMIT = 1
class Pool:
    def __init__(self):
        self._spawn = None
    def _grow(self): ...
    def _repr_html_(self): ...
"""
TEST = """
from product import Pool, _LIMIT
class Own:
    def run(self):
        self._spawn()
def test(pool, monkeypatch):
    pool._spawn = None
    pool._grow()
    monkeypatch.setattr(pool, "_grow", None)
    monkeypatch.setattr("product.pool._LIMIT", 2)
    pool._of_the_test()
    pool.__dict__
    print("_grow")
"""


def test_private_names_of_the_product_are_counted_where_a_test_reaches_for_them():
    names = frozenset(private.names_of(PRODUCT))
    assert names == {"_LIMIT", "_spawn", "_grow"}
    assert sorted(private.uses_in(TEST, names)) == ["_LIMIT", "_LIMIT", "_grow", "_grow", "_spawn"]


def test_more_uses_are_a_fault_and_fewer_lower_the_count():
    assert private.faults({"a.py": 2, "b.py": 1}, {"a.py": 2, "b.py": 1}) == []
    (fault,) = private.faults({"a.py": 3}, {"a.py": 2})
    assert "3 uses" in fault
    assert "2 are allowed" in fault
    assert private.faults({"new.py": 1}, {}) != []
    assert private.lowered({"a.py": 1, "c.py": 5}, {"a.py": 2, "b.py": 1}) == {"a.py": 1}
