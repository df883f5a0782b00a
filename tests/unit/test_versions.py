"""Files of a newer version are left alone with a sentence; what is replaced leaves a backup."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import FileWriteError, ValidationError
from jupyter_localcoder.history.title_file import TitleFile
from jupyter_localcoder.models import catalogue
from jupyter_localcoder.models.ledger import LicenseLedger
from jupyter_localcoder.models.store import ModelStore
from jupyter_localcoder.settings import LocalCoderSettings

# The history's database: unit/history/test_database.py; providers: unit/providers/test_service.py; keys:
# unit/credentials/test_credentials.py.


def test_settings_of_a_newer_version(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = LocalCoderSettings(
        settings_dir=str(tmp_path), environment={}, log=logging.getLogger("versions")
    )
    newer = json.dumps({"format": 2, "settings": {"temperature": {"chat": 0.5}}})
    settings.path.write_text(newer)
    assert settings.current.temperature == LocalCoderSettings().temperature
    assert settings.current.top_k == LocalCoderSettings().top_k
    assert settings.path.read_text() == newer
    # The settings are looked at with each request; it is said once.
    (told,) = [record.getMessage() for record in caplog.records]
    assert "was written by a newer version and is not changed" in told
    with pytest.raises(FileWriteError, match="Nothing was changed"):
        settings.update(SettingsUpdateRequest(top_k=3))
    assert settings.path.read_text() == newer


def test_how_titles_were_made_in_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "titles.json"
    newer = '{"format": 2, "titles": {"model": ["a"]}}'
    path.write_text(newer)
    titles = TitleFile(path)
    assert titles.read() == {}
    titles.remove()
    assert path.read_text() == newer


@pytest.mark.parametrize("raw", ["[1]", "\xff", '{"format": 1, "titles": {"model": ["a"]}}'])
def test_how_titles_were_made_in_a_damaged_file(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "titles.json"
    path.write_text(raw)
    titles = TitleFile(path)
    assert titles.read() == {}
    assert path.read_text() == raw
    titles.remove()
    assert (titles.read(), path.exists()) == ({}, False)
    assert path.with_suffix(".damaged.json").read_text() == raw


def test_how_titles_were_made_is_taken_over_once(tmp_path: Path) -> None:
    path = tmp_path / "titles.json"
    path.write_text(
        '{"format": 1, "titles": {"tone": "dry", "enabled": false, "provider": "lab", "model": ""}}'
    )
    titles = TitleFile(path)
    assert titles.read() == {"titles": False, "title_provider": "lab"}
    titles.remove()
    assert (titles.read(), path.exists()) == ({}, False)
    titles.remove()
    assert not path.exists()


def ledger_of(path: Path) -> LicenseLedger:
    return LicenseLedger(path, path.with_suffix(".lock"), logging.getLogger("versions").warning)


def accept(ledger: LicenseLedger) -> None:
    ledger.record(license_id="x", text_sha256="0" * 64, model="m", accepted_by="ada")


@pytest.mark.parametrize(
    "newer", ['{"format": 2, "accepted": []}', '{"format": 2, "accepted": {"by": "ada"}}']
)
def test_accepted_licences_of_a_newer_version(tmp_path: Path, newer: str) -> None:
    path = tmp_path / "licenses.json"
    path.write_text(newer)
    ledger = ledger_of(path)
    assert ledger.entries() == ()
    with pytest.raises(FileWriteError, match="Nothing was changed"):
        accept(ledger)
    assert path.read_text() == newer


@pytest.mark.parametrize("raw", ["{", "[" * 100_000, '{"format": 1, "accepted": {"by": "ada"}}'])
def test_accepted_licences_in_a_damaged_file(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "licenses.json"
    path.write_text(raw)
    ledger = ledger_of(path)
    assert ledger.entries() == ()
    assert path.read_text() == raw
    accept(ledger)
    assert [entry.accepted_by for entry in ledger.entries()] == ["ada"]
    assert path.with_suffix(".damaged.json").read_text() == raw


def test_a_catalogue_of_a_newer_version_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text('{"format": 2, "models": []}')
    with pytest.raises(ValidationError, match="format"):
        catalogue.load(path)
    assert path.read_text() == '{"format": 2, "models": []}'


def test_a_model_of_a_newer_version_is_not_used_and_not_touched(tmp_path: Path, tiny_gguf: Path) -> None:
    store = ModelStore(models_dir=str(tmp_path / "models"))
    store.import_file(tiny_gguf, model_id="tiny")
    (manifest,) = (tmp_path / "models").rglob("manifest.json")
    document = {**json.loads(manifest.read_text()), "format": 2}
    manifest.write_text(json.dumps(document))
    assert [info.id for info in store.infos(0) if info.state == "ready"] == []
    assert json.loads(manifest.read_text()) == document
