"""Settings: five layers, one file, nothing lost."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import msgspec
import pytest
from traitlets.config import Config

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import FileWriteError, ValidationError
from jupyter_localcoder.settings import LocalCoderSettings


def update(**changes: object) -> SettingsUpdateRequest:
    return codec.decode(SettingsUpdateRequest, changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "settings"


def make(
    folder: Path, config: dict | None = None, line: dict | None = None, **env: str
) -> LocalCoderSettings:
    merged = Config({"LocalCoderSettings": {**(config or {}), **(line or {}), "settings_dir": str(folder)}})
    command_line = Config({"LocalCoderSettings": line or {}})
    return LocalCoderSettings(config=merged, command_line=command_line, environment=env)


def test_each_layer_wins_over_the_one_below(folder: Path) -> None:
    assert make(folder).current.max_tokens == 1024
    assert make(folder, {"max_tokens": 2}).current.max_tokens == 2
    make(folder).update(update(max_tokens=3))
    assert make(folder, {"max_tokens": 2}).current.max_tokens == 3
    assert make(folder, {"max_tokens": 2}, LOCALCODER_MAX_TOKENS="4").current.max_tokens == 4
    top = make(folder, {"max_tokens": 2}, {"max_tokens": 5}, LOCALCODER_MAX_TOKENS="4")
    assert top.current.max_tokens == 5


def test_the_view_says_which_layer_decided(folder: Path) -> None:
    make(folder).update(update(top_k=7))
    view = make(folder, {"profile": "Tiny"}, {"air_gap": True}, LOCALCODER_MODEL="m").view()
    assert {view.sources[n] for n in ("temperature",)} == {"default"}
    assert view.sources["profile"] == "config"
    assert view.sources["top_k"] == "settings"
    assert view.sources["model"] == "environment"
    assert view.sources["air_gap"] == "command-line"


def test_null_gives_a_setting_back(folder: Path) -> None:
    settings = make(folder, {"top_k": 9})
    settings.update(update(top_k=1, max_tokens=2))
    view = settings.update(update(top_k=None))
    assert (view.settings.top_k, view.settings.max_tokens) == (9, 2)


@pytest.mark.parametrize(("name", "value"), [("temperature", 3.0), ("top_p", 0.0), ("context_window", -1)])
def test_a_configured_value_out_of_range_is_refused_at_once(folder: Path, name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        make(folder, {name: value})


def test_a_wrong_environment_variable_is_named(folder: Path) -> None:
    with pytest.raises(ValidationError, match="LOCALCODER_TEMPERATURE"):
        make(folder, LOCALCODER_TEMPERATURE="hot").view()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 1, "settings": 3}', b"[" * 100_000])
def test_a_damaged_file_is_left_alone_until_a_change_sets_it_aside(folder: Path, content: bytes) -> None:
    settings = make(folder)
    folder.mkdir()
    settings.path.write_bytes(content)
    assert settings.current.top_k == 40
    assert settings.path.read_bytes() == content
    settings.update(update(top_k=3))
    assert settings.current.top_k == 3
    assert settings.path.with_suffix(".damaged.json").read_bytes() == content


def test_a_value_that_cannot_be_takes_no_other_with_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make(folder)
    folder.mkdir()
    wrong = {"top_k": "x", "temperature": {"chat": 1}, "model": [[]] * 3}
    document = {"format": 1, "settings": {"air_gap": True, **wrong, "from_the_future": 7}, "more": 1}
    settings.path.write_bytes(msgspec.json.encode(document))
    assert (settings.current.air_gap, settings.current.top_k) == (True, 40)
    settings.update(update(max_tokens=3))
    document["settings"]["max_tokens"] = 3
    assert msgspec.json.decode(settings.path.read_bytes()) == document


@pytest.mark.parametrize("air_gap", [True, False])
def test_a_newer_file_is_not_overwritten_and_its_air_gap_holds(folder: Path, air_gap: bool) -> None:
    settings = make(folder)
    folder.mkdir()
    newer = msgspec.json.encode({"format": 2, "settings": {"air_gap": air_gap, "top_k": 3}})
    settings.path.write_bytes(newer)
    assert (settings.current.air_gap, settings.current.top_k) == (air_gap, 40)
    with pytest.raises(FileWriteError, match="newer version"):
        settings.update(update(top_k=4))
    assert settings.path.read_bytes() == newer


@pytest.mark.parametrize(
    "content", [b"", b'{"format": 1, "sett', b'{"format": 1, "settings": {"air_gap": true, "top']
)
def test_a_file_that_is_half_written_opens_no_connection(folder: Path, content: bytes) -> None:
    settings = make(folder)
    settings.update(update(air_gap=True, top_k=3))
    sound = settings.path.read_bytes()
    settings.path.write_bytes(content)
    assert (settings.current.air_gap, settings.current.top_k) == (True, 40)
    assert make(folder).current.air_gap is (b"air_gap" in content)
    settings.update(update(top_k=4))
    assert (settings.current.air_gap, make(folder).current.air_gap) == (True, True)
    settings.path.write_bytes(sound)
    assert (settings.current.air_gap, settings.current.top_k) == (True, 3)


def test_settings_that_cannot_be_read_for_a_while_stay_in_force(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make(folder)
    settings.update(update(air_gap=True, top_k=3))

    def broken(*_: object, **__: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("jupyter_localcoder.storage.json_file.read_regular", broken)
    os.utime(settings.path, ns=(1, 1))
    assert (settings.current.air_gap, settings.current.top_k) == (True, 3)


def test_two_changes_of_one_moment_are_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system whose clock stands still, and that gives the same inode again."""
    ours, others = make(folder), make(folder)
    ours.update(update(max_tokens=3))
    mark = (time.time_ns(), 1, 1)
    monkeypatch.setattr(LocalCoderSettings, "_mark", lambda _: mark)
    monkeypatch.setattr(time, "time_ns", lambda: mark[0])
    for tokens in (4, 5, 6):
        others.update(update(max_tokens=tokens))
        assert ours.current.max_tokens == tokens


def test_a_folder_that_cannot_be_written_is_a_clear_error(folder: Path) -> None:
    folder.write_text("a file in the way")
    with pytest.raises(FileWriteError, match="cannot be saved"):
        make(folder).update(update(top_k=3))


def test_the_file_is_for_people_too(folder: Path) -> None:
    settings = make(folder)
    settings.update(update(profile="Tiny"))
    assert msgspec.json.decode(settings.path.read_bytes()) == {"format": 1, "settings": {"profile": "Tiny"}}
    assert settings.path.read_text().count("\n") >= 3


def test_the_file_is_read_again_only_when_somebody_has_changed_it(folder: Path) -> None:
    ours, others = make(folder), make(folder)
    before = ours.view()
    assert ours.view() is before
    others.update(update(max_tokens=3))
    assert ours.current.max_tokens == 3
    os.utime(ours.path, ns=(1, 1))
    assert ours.view() is ours.view()
    ours.update(update(max_tokens=4))
    assert (ours.current.max_tokens, others.current.max_tokens) == (4, 4)
    ours.path.unlink()
    assert ours.current == before.settings


def test_a_trait_that_changes_is_in_force_at_once(folder: Path) -> None:
    ours = make(folder, {"max_tokens": 2})
    assert ours.current.max_tokens == 2
    ours.max_tokens = 6
    assert ours.current.max_tokens == 6
