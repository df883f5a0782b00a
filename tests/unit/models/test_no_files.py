"""Something that is no file, in a models folder or a bundle: nothing hangs or is taken from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models.store import ModelStore
from tests.support import no_files


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(models_dir=str(tmp_path / "models"))


def ready(store: ModelStore) -> list[str]:
    return [info.id for info in store.infos(0) if info.state == "ready"]


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_manifest_that_is_no_file(store: ModelStore, tiny: Path, tmp_path: Path, kind: str) -> None:
    store.import_file(tiny, model_id="here")
    offered = next(iter(store.catalogue.entries))
    for model_id in ("gone", offered):
        no_files.put(kind, tmp_path / "models" / model_id / "manifest.json")
    assert ready(store) == ["here"]
    for model_id in ("gone", offered):
        with pytest.raises(errors.LocalCoderError):
            store.locate(model_id)
    assert store.locate("here").id == "here"


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_model_whose_file_is_none(store: ModelStore, tiny: Path, kind: str) -> None:
    path = store.import_file(tiny, model_id="tiny").path
    no_files.put(kind, path)
    (info,) = [info for info in store.infos(0) if info.id == "tiny"]
    assert info.state == "error"
    for use in (store.locate, store.verify, store.inspect):
        with pytest.raises(errors.LocalCoderError):
            use("tiny")


@pytest.mark.parametrize("name", ["manifest.json", "tiny.gguf", "LICENSE.txt"])
@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_bundle_with_what_is_no_file(
    store: ModelStore, tiny: Path, tmp_path: Path, kind: str, name: str
) -> None:
    store.import_file(tiny, model_id="tiny")
    bundle, _ = store.export("tiny", tmp_path)
    store.delete("tiny")
    if (bundle / name).exists():
        (bundle / name).unlink()
    no_files.put(kind, bundle / name)
    if name == "LICENSE.txt":
        store.import_file(bundle)
        assert not list((tmp_path / "models").rglob("LICENSE.txt"))
        return
    with pytest.raises((errors.InvalidModel, errors.SourceFileNotFound)):
        store.import_file(bundle)
    assert ready(store) == []


def test_a_bundle_takes_no_manifest_and_no_licence_from_elsewhere(
    store: ModelStore, tiny: Path, tmp_path: Path
) -> None:
    store.import_file(tiny, model_id="tiny")
    bundle, _ = store.export("tiny", tmp_path)
    store.delete("tiny")
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (bundle / "NOTICE.txt").symlink_to(secret)
    (bundle / "manifest.json").rename(tmp_path / "elsewhere.json")
    (bundle / "manifest.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(errors.InvalidModel, match="not a bundle"):
        store.import_file(bundle)
    (bundle / "manifest.json").unlink()
    (tmp_path / "elsewhere.json").rename(bundle / "manifest.json")
    store.import_file(bundle)
    assert not list((tmp_path / "models").rglob("NOTICE.txt"))


@pytest.mark.parametrize("kind", ["pipe", "zeros", "loop", "sparse"])
def test_licences_and_what_was_verified_in_what_is_no_file(
    store: ModelStore, tiny: Path, tmp_path: Path, kind: str
) -> None:
    no_files.put(kind, tmp_path / "models" / "licenses.json")
    assert store.import_file(tiny, model_id="tiny").id == "tiny"
    assert ready(store) == ["tiny"]


def test_links_that_a_person_has_put_there_work(tiny: Path, tmp_path: Path) -> None:
    """A home on a link, a model's folder on another disk, a hub's cache of links."""
    (tmp_path / "disk" / "models").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    blob = tmp_path / "hub" / "blobs" / "0123"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(tiny.read_bytes())
    linked = tmp_path / "hub" / "snapshots" / "a" / "tiny.gguf"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(blob)
    store = ModelStore(models_dir=str(tmp_path / "home" / "models"))
    store.import_file(linked, model_id="far", link=True)
    store.import_file(linked, model_id="near")
    (tmp_path / "disk" / "models" / "near").rename(tmp_path / "moved")
    (tmp_path / "disk" / "models" / "near").symlink_to(tmp_path / "moved")
    manifest = tmp_path / "moved" / "manifest.json"
    manifest.rename(tmp_path / "kept.json")
    manifest.symlink_to(tmp_path / "kept.json")
    again = ModelStore(models_dir=str(tmp_path / "home" / "models"))
    assert sorted(ready(again)) == ["far", "near"]
    assert {again.locate(id_).id for id_ in ("far", "near")} == {"far", "near"}


def test_a_models_folder_that_leads_round_in_a_circle(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "models").symlink_to(tmp_path / "models")
    store = ModelStore(models_dir=str(tmp_path / "models"))
    assert ready(store) == []
    with pytest.raises(errors.FileWriteError):
        store.import_file(tiny, model_id="tiny")


def test_a_model_of_a_newer_version_is_not_overwritten(store: ModelStore, tiny: Path, tmp_path: Path) -> None:
    store.import_file(tiny, model_id="tiny")
    manifest = tmp_path / "models" / "tiny" / "manifest.json"
    newer = json.dumps({**json.loads(manifest.read_text()), "format": 2, "shards": [1]})
    manifest.write_text(newer)
    with pytest.raises(errors.FileWriteError, match="newer version"):
        store.import_file(tiny, model_id="tiny")
    assert manifest.read_text() == newer


def test_what_a_manifest_says_and_this_version_does_not_know_stays(
    store: ModelStore, tiny: Path, tmp_path: Path
) -> None:
    store.import_file(tiny, model_id="tiny")
    manifest = tmp_path / "models" / "tiny" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "mood": "calm"}))
    store.pin("tiny", pinned=True)
    kept = json.loads(manifest.read_text())
    assert (kept["mood"], kept["pinned"]) == ("calm", True)


def test_what_a_killed_writer_of_a_manifest_left_is_swept(
    store: ModelStore, tiny: Path, tmp_path: Path
) -> None:
    store.import_file(tiny, model_id="tiny")
    leftover = tmp_path / "models" / "tiny" / ".manifest.json.0123abcd"
    leftover.touch()
    store.pin("tiny", pinned=True)
    assert not leftover.exists()
