"""Files of a newer version are left alone with a sentence; what is replaced leaves a backup."""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path

import pytest

from jupyter_localcoder.contract.history import TitleConfig
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import ValidationError
from jupyter_localcoder.history import title_file
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
    assert "is left alone: it is of another version" in told
    settings.update(SettingsUpdateRequest(top_k=3))
    backup = settings.path.with_suffix(".backup.json")
    assert backup.read_text() == newer
    if os.name != "nt":
        assert {stat.S_IMODE(path.stat().st_mode) for path in (settings.path, backup)} == {0o600}


@pytest.mark.parametrize("newer", ['{"format": 2, "titles": {"model": ["a"]}}', "[1]", "\xff"])
def test_how_titles_are_made_in_a_newer_version(tmp_path: Path, newer: str) -> None:
    path = tmp_path / "titles.json"
    path.write_text(newer)
    assert title_file.read(path) == TitleConfig()
    assert path.read_text() == newer
    title_file.write(path, TitleConfig(enabled=False))
    assert title_file.read(path) == TitleConfig(enabled=False)
    assert path.with_suffix(".backup.json").read_text() == newer


@pytest.mark.parametrize(
    "newer", ['{"format": 2, "accepted": []}', '{"format": 2, "accepted": {"by": "ada"}}', "{"]
)
def test_accepted_licences_of_a_newer_version(tmp_path: Path, newer: str) -> None:
    path = tmp_path / "licenses.json"
    path.write_text(newer)
    ledger = LicenseLedger(path)
    assert ledger.entries() == ()
    assert path.read_text() == newer
    ledger.record(license_id="x", text_sha256="0" * 64, model="m", accepted_by="ada")
    assert [entry.accepted_by for entry in ledger.entries()] == ["ada"]
    assert path.with_suffix(".backup.json").read_text() == newer


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
