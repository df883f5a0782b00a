"""Only regular files are opened: nothing blocks, nothing is read without end."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from jupyter_localcoder.storage.regular import NotRegular, TooLarge, open_regular, read_regular
from tests.support import no_files


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("kind", no_files.KINDS)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, follow: bool) -> None:
    path = tmp_path / "x"
    no_files.put(kind, path)
    with pytest.raises(OSError, match="x") as caught:
        read_regular(path, 1000, follow=follow)
    if kind in ("pipe", "folder", "socket"):
        assert isinstance(caught.value, NotRegular)
    if not follow and path.is_symlink():
        assert caught.value.errno == errno.ELOOP
    assert caught.value.strerror


def test_a_link_to_a_file_is_followed_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").symlink_to(tmp_path)
    assert read_regular(tmp_path / "link", 3) == b"abc"
    assert read_regular(tmp_path / "folder" / "file", 3, follow=False) == b"abc"
    with pytest.raises(OSError, match="link"):
        open_regular(tmp_path / "link", follow=False)


def test_a_file_may_be_as_large_as_it_is_said_and_not_larger(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert read_regular(tmp_path / "file", 3) == b"abc"
    with pytest.raises(TooLarge):
        read_regular(tmp_path / "file", 2)


@pytest.mark.skipif(not Path("/proc/kallsyms").exists(), reason="files of the system that tell no size")
def test_a_file_that_says_it_is_empty_and_is_not(tmp_path: Path) -> None:
    assert Path("/proc/kallsyms").stat().st_size == 0
    with pytest.raises(TooLarge):
        read_regular(Path("/proc/kallsyms"), 1000)


def test_what_becomes_a_pipe_between_look_and_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    before = path.stat()
    no_files.put("pipe", path)
    monkeypatch.setattr(Path, "stat", lambda _self, **_: before)
    with pytest.raises(NotRegular):
        open_regular(path)
