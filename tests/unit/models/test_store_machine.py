"""Downloads, imports, damage and removals in any order, killed at any step: whole and right, or not there."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyter_localcoder import errors
from jupyter_localcoder.models.progress import TransferProgress
from jupyter_localcoder.models.store import ModelStore
from tests.support.dying import run_until
from tests.unit.models.conftest import entry_for, write_gguf

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the child is a fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

CATALOGUE = ("one", "two")
OWN = "mine"
"""The id of what is imported and is in no catalogue."""
_HOW = {"ready": "whole", "error": "damaged", "idle": ""}
steps = st.one_of(st.none(), st.integers(0, 30))
"""None: it is not killed."""


@functools.cache
def bodies() -> dict[str, bytes]:
    """The files of all models; none is equal to another."""
    with tempfile.TemporaryDirectory() as name:
        made = {}
        for layers, id_ in enumerate((*CATALOGUE, OWN), 1):
            made[id_] = write_gguf(Path(name) / f"{id_}.gguf", layers=layers, weights=4096).read_bytes()
    return made


class StoreMachine(RuleBasedStateMachine):
    """A model folder in which everything happens, and this machine's account of it."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="localcoder-store-"))
        self.folder = self.root / "models"
        self.outside = self.root / "stick"
        self.outside.mkdir()
        for id_, body in bodies().items():
            (self.outside / f"{id_}.gguf").write_bytes(body)
        entries = [
            {**entry_for(bodies()[id_], [{"type": "file", "path": str(self.outside / f"{id_}.gguf")}], id_)}
            for id_ in CATALOGUE
        ]
        (self.root / "catalogue.json").write_text(json.dumps({"models": entries}))
        self.there: dict[str, str] = {}
        """``whole`` or ``damaged``, of the models that are here."""
        self.store = self.opened()

    def opened(self) -> ModelStore:
        return ModelStore(
            models_dir=str(self.folder), catalogue_path=str(self.root / "catalogue.json"), reserve_bytes=0
        )

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        for id_ in CATALOGUE:
            # Whatever has happened before: in two attempts it is here, since the first may find a damage.
            try:
                model = self.fetched(self.store, id_)
            except errors.ChecksumMismatch:
                assert self.there[id_] == "damaged"
                model = self.fetched(self.store, id_)
            assert model.path.read_bytes() == bodies()[id_]
        for id_, body in bodies().items():
            assert (self.outside / f"{id_}.gguf").read_bytes() == body
        shutil.rmtree(self.root)

    def fetched(self, store: ModelStore, id_: str, stop_after: int | None = None) -> Any:
        stop = threading.Event()

        def report(progress: TransferProgress) -> None:
            if stop_after is not None and progress.received_bytes >= stop_after:
                stop.set()

        return store.fetch(id_, progress=report, cancel=stop)

    def do(self, step: int | None, action: Callable[[ModelStore], Any]) -> bool:
        """Whether it was killed; what the store refuses is raised where it was not."""
        if step is None:
            action(self.store)
            return False

        def in_child() -> None:
            try:
                action(self.opened())
            except errors.LocalCoderError:
                return

        killed = run_until(step, str(self.root), in_child)
        self.store = self.opened()
        return killed

    def how(self, id_: str) -> str:
        """How a model is here, by what the store says of it."""
        try:
            return _HOW[self.store.info(id_, 0).state]
        except errors.ModelNotFound:
            assert id_ == OWN
            return ""

    def attempt(self, step: int | None, id_: str, action: Callable[[ModelStore], Any], after: str) -> None:
        """Do something with a model after which it is `after`; a damage that is found takes it away."""
        before = self.there.get(id_, "")
        expected = "" if before == "damaged" else after
        killed = False
        try:
            killed = self.do(step, action)
        except errors.ChecksumMismatch:
            assert before == "damaged"
        now = self.how(id_)
        # Nothing between what it was and what it was to be.
        assert now in ({before, expected} if killed else {expected})
        self.note(id_, now)

    def note(self, id_: str, how: str) -> None:
        self.there.pop(id_, None)
        if how:
            self.there[id_] = how

    @rule(step=steps, id_=st.sampled_from(CATALOGUE))
    def fetch(self, step: int | None, id_: str) -> None:
        self.attempt(step, id_, lambda store: self.fetched(store, id_), "whole")

    @rule(id_=st.sampled_from(CATALOGUE), share=st.floats(0.0, 1.0))
    def fetch_and_cancel(self, id_: str, share: float) -> None:
        before = self.there.get(id_, "")
        try:
            self.fetched(self.store, id_, round(share * len(bodies()[id_])))
            self.note(id_, "whole")
        except errors.Canceled:
            assert self.how(id_) == before
        except errors.ChecksumMismatch:
            assert before == "damaged"
            self.note(id_, "")

    @rule(step=steps, id_=st.sampled_from((*CATALOGUE, OWN)), link=st.booleans())
    def import_file(self, step: int | None, id_: str, link: bool) -> None:
        path = self.outside / f"{id_}.gguf"

        def take(store: ModelStore) -> None:
            model = store.import_file(path, model_id=id_, link=link and id_ == OWN)
            assert model.digest == hashlib.sha256(bodies()[id_]).hexdigest()

        self.attempt(step, id_, take, "whole")

    @precondition(lambda self: self.there)
    @rule(step=steps, data=st.data())
    def delete(self, step: int | None, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.there)))
        self.attempt(step, id_, lambda store: store.delete(id_), "")

    @rule(step=steps, id_=st.sampled_from(CATALOGUE))
    def discard(self, step: int | None, id_: str) -> None:
        try:
            self.do(step, lambda store: store.discard_part(id_))
        except errors.DownloadNotFound:
            assert self.store.received_bytes(id_) in (0, len(bodies()[id_]))

    @precondition(lambda self: self.there)
    @rule(step=steps, data=st.data(), closely=st.booleans())
    def use(self, step: int | None, data: st.DataObject, closely: bool) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.there)))

        def look(store: ModelStore) -> None:
            model = store.verify(id_) if closely else store.locate(id_)
            assert model.path.read_bytes() == bodies()[id_]

        self.attempt(step, id_, look, "whole")

    @precondition(lambda self: self.lying_here())
    @rule(data=st.data(), how=st.sampled_from(["flip", "truncate"]))
    def damage(self, data: st.DataObject, how: str) -> None:
        """Somebody else writes into the file of a model that lies in the folder."""
        id_ = data.draw(st.sampled_from(self.lying_here()))
        path = self.folder / id_ / self.file(id_)
        changed = bytearray(path.read_bytes())
        if how == "flip":
            changed[-1] ^= 1
        else:
            del changed[-100:]
        path.write_bytes(bytes(changed))
        os.utime(path, ns=(1, 1))
        self.there[id_] = "damaged"

    def lying_here(self) -> list[str]:
        """Whole models whose own files lie in the folder: not linked to, and not left of what was before."""
        return [
            id_
            for id_ in sorted(self.there)
            if self.there[id_] == "whole"
            and self.store.locate(id_).path == self.folder / id_ / self.file(id_)
        ]

    @staticmethod
    def file(id_: str) -> str:
        return "mine.gguf" if id_ == OWN else "tiny.gguf"

    @invariant()
    def what_is_ready_is_what_is_here(self) -> None:
        if not hasattr(self, "store"):
            return
        for id_, body in bodies().items():
            assert self.how(id_) == self.there.get(id_, "")
            if self.how(id_) == "whole":
                assert self.store.locate(id_).path.read_bytes() == body


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=12, stateful_step_count=10, deadline=None)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed here, not machines: what was written is there."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
