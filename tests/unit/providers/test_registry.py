"""The file of configured providers: whole, versioned, shared."""

from __future__ import annotations

import errno
import json
import stat
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.errors import DatabaseError, DiskFull, FileWriteError
from jupyter_localcoder.providers.registry import ProviderRegistry, RegistryEntry, RegistrySnapshot
from tests.support.waiting import PATIENCE_SECONDS

FIELDS = ProviderFields(type="ollama", name="Acme", model="qwen")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "data" / "providers.json"


def put(registry: ProviderRegistry, id_: str, *, active: bool = False) -> None:
    with registry.change() as draft:
        draft.put(id_, RegistryEntry(FIELDS, "file"))
        if active:
            draft.active = id_


def test_nothing_is_configured_and_nothing_written(path):
    assert ProviderRegistry(path).read() == RegistrySnapshot(active="embedded")
    assert not path.parent.exists()


def test_what_is_put_stays(path):
    put(ProviderRegistry(path), "acme", active=True)
    assert ProviderRegistry(path).read() == RegistrySnapshot("acme", {"acme": RegistryEntry(FIELDS, "file")})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {entry.name for entry in path.parent.iterdir()} <= {"providers.json", "providers.lock"}


def test_removing_the_active_one_makes_the_embedded_one_active(path):
    put(ProviderRegistry(path), "acme", active=True)
    put(ProviderRegistry(path), "other")
    with ProviderRegistry(path).change() as draft:
        draft.remove("acme")
    page = ProviderRegistry(path).read()
    assert (page.active, set(page.entries)) == ("embedded", {"other"})


def test_an_error_in_the_middle_changes_nothing(path):
    put(ProviderRegistry(path), "acme")
    before = path.read_bytes()

    def fail() -> None:
        with ProviderRegistry(path).change() as draft:
            draft.remove("acme")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == before


def test_two_servers_lose_nothing(path, monkeypatch):
    monkeypatch.setattr("jupyter_localcoder.storage.locks.LOCK_SECONDS", PATIENCE_SECONDS)

    def write(start: int) -> None:
        for n in range(start, start + 10):
            put(ProviderRegistry(path), f"p-{n}")

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ProviderRegistry(path).read().entries) == {f"p-{n}" for n in range(30)}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff", b'{"format": 0}', b'{"format": "1"}', b"[" * 100_000]
)
def test_a_damaged_file_is_told_and_set_aside_before_it_is_replaced(path, raw):
    path.parent.mkdir()
    path.write_bytes(raw)
    page = ProviderRegistry(path).read()
    assert (page.active, page.entries) == ("embedded", {})
    assert "is damaged" in page.problem
    assert path.read_bytes() == raw
    put(ProviderRegistry(path), "acme")
    assert ProviderRegistry(path).read().problem == ""
    assert path.with_name("providers.damaged.json").read_bytes() == raw


def test_a_newer_file_is_left_alone(path):
    path.parent.mkdir()
    raw = json.dumps({"format": 2, "active": "acme", "wonders": {}}).encode()
    path.write_bytes(raw)
    page = ProviderRegistry(path).read()
    assert (page.active, page.entries) == ("embedded", {})
    assert "was written by a newer version and is not changed" in page.problem
    with pytest.raises(DatabaseError, match="Nothing was changed"):
        put(ProviderRegistry(path), "acme")
    assert path.read_bytes() == raw


def test_an_older_file_is_taken_over_with_a_backup(path):
    """Played with a format that is to come: this version reads the one that was written by today's."""

    def rename(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "format": 2, "active": document["selected"]}

    path.parent.mkdir()
    raw = json.dumps(
        {"format": 1, "selected": "acme", "providers": {"acme": {"settings": {"type": "ollama"}}}}
    ).encode()
    path.write_bytes(raw)
    registry = ProviderRegistry(path, format_=2, migrations=(rename,))
    assert registry.read().active == "acme"
    assert path.read_bytes() == raw, "reading wrote"
    put(registry, "other")
    assert set(registry.read().entries) == {"acme", "other"}
    assert json.loads(path.read_bytes())["format"] == 2
    assert path.with_name("providers.backup.json").read_bytes() == raw


def test_an_entry_that_cannot_be_read_stays_in_the_file(path):
    put(ProviderRegistry(path), "acme")
    document = json.loads(path.read_bytes())
    future = {"settings": {"type": "mind_reader", "wish": 1}}
    document["providers"]["future"] = future
    document["active"] = "future"
    path.write_bytes(json.dumps(document).encode())
    page = ProviderRegistry(path).read()
    assert (page.active, set(page.entries)) == ("future", {"acme"})
    assert "contains entries for future that cannot be read" in page.problem
    put(ProviderRegistry(path), "other")
    assert json.loads(path.read_bytes())["providers"]["future"] == future
    assert ProviderRegistry(path).read().active == "future"
    with ProviderRegistry(path).change() as draft:
        draft.remove("future")
    assert (ProviderRegistry(path).read().problem, ProviderRegistry(path).read().active) == ("", "embedded")


@pytest.mark.parametrize("active", ["gone", "Not An Id", 7, None])
def test_who_is_active_and_nowhere_configured_is_the_embedded_one(path, active):
    document = {"format": 1, "active": active, "providers": {"Not An Id": {}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(document).encode())
    assert ProviderRegistry(path).read().active == "embedded"


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DatabaseError, match="cannot be saved"):
        put(ProviderRegistry(tmp_path / "data" / "providers.json"), "acme")


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, DiskFull), (errno.EACCES, DatabaseError)])
def test_a_file_that_cannot_be_replaced(path, monkeypatch, number, error):
    put(ProviderRegistry(path), "acme")
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr("jupyter_localcoder.storage.json_file.replace_file", fail)
    with pytest.raises(error):
        put(ProviderRegistry(path), "other")
    assert path.read_bytes() == before


def test_an_error_of_the_caller_stays_the_one_that_it_is(path):
    with pytest.raises(FileWriteError, match="of the caller"), ProviderRegistry(path).change():
        raise FileWriteError("of the caller")


def test_what_this_version_does_not_know_of_a_provider_stays(path):
    put(ProviderRegistry(path), "acme")
    document = json.loads(path.read_bytes())
    document["more"] = 1
    document["providers"]["acme"] |= {"colour": "red"}
    document["providers"]["acme"]["settings"] |= {"mood": "calm"}
    path.write_bytes(json.dumps(document).encode())
    with ProviderRegistry(path).change() as draft:
        draft.put("acme", RegistryEntry(msgspec.structs.replace(FIELDS, model="other"), "file"))
    kept = json.loads(path.read_bytes())
    assert kept["more"] == 1
    assert kept["providers"]["acme"]["colour"] == "red"
    assert (
        kept["providers"]["acme"]["settings"] | {"mood": "calm", "model": "other"}
        == kept["providers"]["acme"]["settings"]
    )
