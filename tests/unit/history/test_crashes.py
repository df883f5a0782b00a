"""Whatever is killed at whichever step: after the next sweep there is file and row, or neither."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jupyter_localcoder.history import HistoryStore, names, sweep
from tests.support.dying import run_until
from tests.support.responses import on_disk, response

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the child is a fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

steps = st.one_of(st.none(), st.integers(0, 30))
"""None: it is not killed."""


class Crashing(RuleBasedStateMachine):
    """A history whose process is killed again and again."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="localcoder-crash-"))
        self.store = self.opened()
        self.known: dict[str, str] = {}
        """The title of each answer that is there."""
        self.maybe: dict[str, set[str]] = {}
        """Answers of which nobody can say, after a crash, whether they are there: their possible titles."""

    def opened(self) -> HistoryStore:
        return HistoryStore(history_dir=str(self.root))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.root)

    def do(self, step: int | None, action: Callable[[HistoryStore], Any]) -> bool:
        """Whether it was killed."""
        if step is None:
            action(self.store)
            return False
        self.store.close()
        killed = run_until(step, str(self.root), lambda: action(self.opened()))
        self.store = self.opened()
        self.swept = self.store.sweep()
        return killed

    @rule(step=steps, prompt=st.sampled_from("ab"), chat=st.booleans(), content=st.text(max_size=20))
    def keep(self, step: int | None, prompt: str, chat: bool, content: str) -> None:
        conversation = "c" * 16 if chat else ""
        new = response(
            prompt_id=prompt, content=content, conversation_id=conversation, prompt=f"word{names.new_id()}"
        )
        if self.do(step, lambda store: store.keep(new)):
            self.maybe[new.id] = {"tiny"}
        else:
            self.known[new.id] = "tiny"
        self.settle()

    @rule(step=steps, data=st.data())
    def delete(self, step: int | None, data: st.DataObject) -> None:
        if self.known:
            id_ = data.draw(st.sampled_from(sorted(self.known)))
            title = self.known.pop(id_)
            if self.do(step, lambda store: store.delete(id_)):
                self.maybe[id_] = {title}
            self.settle()

    @rule(step=steps)
    def delete_all(self, step: int | None) -> None:
        before, self.known = self.known, {}
        if self.do(step, lambda store: store.delete_all()):
            self.maybe |= {id_: {title} for id_, title in before.items()}
        self.settle()

    @rule(step=steps, data=st.data(), title=st.text(min_size=1, max_size=5))
    def retitle(self, step: int | None, data: st.DataObject, title: str) -> None:
        if self.known:
            id_ = data.draw(st.sampled_from(sorted(self.known)))
            if self.do(step, lambda store: store.set_title(id_, title, "hand")):
                assert self.store.get(id_).title in (self.known[id_], title)
                self.known[id_] = self.store.get(id_).title
            else:
                self.known[id_] = title

    @rule(step=st.integers(0, 30))
    def sweep(self, step: int) -> None:
        self.do(step, lambda store: store.sweep())

    def settle(self) -> None:
        """Find out what became of the answers that were in the hands of the killed process."""
        for id_, titles in self.maybe.items():
            listed = {each.id: each.title for each in self.store.page(limit=1000).responses}
            if id_ in listed:
                assert listed[id_] in titles
                self.known[id_] = listed[id_]
        self.maybe.clear()

    @invariant()
    def files_and_rows_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        page = self.store.page(limit=1000)
        assert {each.id: each.title for each in page.responses} == self.known
        assert page.total == len(self.known)
        assert on_disk(self.root) == {f"{each.prompt_id}/{each.id}.md" for each in page.responses}
        for each in page.responses:
            assert self.store.get(each.id).title == each.title
            assert [found.response.id for found in self.store.search(each.preview).found] == [each.id]
        path = self.store.conversations().conversations
        assert bool(path) == any(each.conversation_id for each in page.responses)


TestCrashing = Crashing.TestCase
TestCrashing.settings = settings(max_examples=20, stateful_step_count=12, deadline=None)


@pytest.fixture(autouse=True)
def every_part_is_old(monkeypatch: pytest.MonkeyPatch):
    """What is half written is otherwise left to who may be writing it."""
    monkeypatch.setattr(sweep, "PART_SECONDS", -1.0)


@pytest.mark.parametrize("titled", [False, True])
def test_every_single_step(tmp_path: Path, titled: bool):
    """Kill a fresh history's first answer, or its title, at each of their steps in turn."""
    step = 0
    while kill_at(step, tmp_path / str(step), titled):
        step += 1
    assert step > 10, "each file operation and each statement is a step"


def kill_at(step: int, root: Path, titled: bool) -> bool:
    """Whether it was killed, and had not come to its end."""
    store = HistoryStore(history_dir=str(root))
    new = response()
    if titled:
        store.keep(new)
        store.close()

    def act() -> None:
        child = HistoryStore(history_dir=str(root))
        child.set_title(new.id, "x", "hand") if titled else child.keep(new)

    killed = run_until(step, str(root), act)
    store.sweep()
    there = store.page().total
    assert there == (1 if titled or not killed else len(on_disk(root)))
    assert on_disk(root) == ({f"p1/{new.id}.md"} if there else set())
    store.close()
    return killed
