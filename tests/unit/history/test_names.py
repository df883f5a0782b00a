"""Ids from outside never become a path as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder import errors
from jupyter_localcoder.history import names
from jupyter_localcoder.history.folder import HistoryFolder

EVIL = [
    "../x",
    "..",
    ".",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "con",
    "NUL",
    "x\0y",
    "",
    " ",
    "x" * 500,
    "é",
    "A",
    "-",
    "a.",
]


@given(st.one_of(st.sampled_from(EVIL), st.text()))
def test_a_folder_name_is_safe_on_every_system(prompt_id: str):
    name = names.folder_name(prompt_id)
    assert name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-.")
    assert not name.startswith((".", "-", "_"))
    assert not name.endswith(".")
    assert len(name) <= 64
    assert name.partition(".")[0] not in ("con", "nul", "aux", "prn")


@given(st.lists(st.one_of(st.sampled_from([*EVIL, "a", "prompt"]), st.text(max_size=5)), unique=True))
def test_two_prompts_never_share_a_folder(ids: list[str]):
    assert len({names.folder_name(each).casefold() for each in ids}) == len(ids)


def test_a_plain_id_is_its_own_folder():
    assert names.folder_name("p-0123abcd") == "p-0123abcd"


@pytest.mark.parametrize(
    "id_", [*EVIL, "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef\n", "../89abcdef012345"]
)
def test_a_response_id_is_checked_before_it_touches_a_path(tmp_path, store, id_: str):
    with pytest.raises(errors.ResponseNotFound):
        HistoryFolder(tmp_path).file("p", id_)
    for refuse in (store.get, store.delete, lambda id_: store.set_title(id_, "x", "hand")):
        with pytest.raises(errors.ResponseNotFound):
            refuse(id_)


def test_ids_are_read_out_of_names_of_files():
    id_ = names.new_id()
    assert names.response_of(names.file_name(id_)) == id_
    assert names.response_of(names.deleted_name(id_), names.DELETED_SUFFIX) == id_
    for other in ("notes.md", f"{id_}.md.orig", f".{id_}.md", f"{id_}.txt", names.part_name(id_)):
        assert names.response_of(other) is None
