"""A small JSON file that several threads, processes and versions of the product read and change.

::

    {"format": 1, …}

A change holds a lock, reads the file, and replaces it as a whole: what one writer was told is kept cannot be
undone by another one that had read an older state. What this version does not know stays in the file. A file
of a newer format is left alone; one that is damaged is set aside under another name before it is replaced.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from ..errors import FileWriteError
from .atomic import patiently, replace_file, sweep, sync_folder
from .failures import write_failure
from .locks import Lock, LockBusy
from .regular import NotRegular, TooLarge, read_regular

MOST_BYTES = 4 * 1024 * 1024
MOST_DEPTH = 64
"""Lists and objects inside each other. What follows them down has a stack of its own limit."""
_BOM = b"\xef\xbb\xbf"

Document = dict[str, Any]
Migration = Callable[[Document], Document]
Report = Callable[[str], None]


class Reading(NamedTuple):
    """What was found in a file."""

    document: Document
    """The document in today's format; an empty one where there is none that can be used."""
    kind: Literal["sound", "older", "damaged", "newer", "closed"] = "sound"
    """``closed``: it cannot be read at all, so nobody knows what it says."""
    problem: str = ""
    """A sentence that says why the file is not used."""
    raw: bytes = b""
    newer: Document = {}
    """What a file of a newer format says, as it stands there."""


class JsonFile:
    """One such file. All methods may block.

    Parameters
    ----------
    what
        Begins the sentence of an error: "The settings".
    place
        The setting that names the folder, as advice: "`LocalCoderSettings.settings_dir`".
    check
        Raises `ValueError` for a document whose parts are not what they must be: it counts as damaged.
    migrations
        The n-th takes a document of format n to format n + 1.
    salvage
        What is still believed of a damaged file, from its bytes; the next change goes on from it.
    unversioned
        Takes what was written before the file had a format, or raises `ValueError`.
    lock_path
        Default: beside the file, with the suffix ``.lock``.
    mode
        Permissions of the file, less those that the umask takes away.
    report
        Is told, once each, what is wrong with the file and under which name it was set aside. Default: the
        log of the product.
    """

    def __init__(
        self,
        path: Path,
        *,
        what: str,
        place: str = "",
        format_: int = 1,
        check: Callable[[Document], None] = lambda _: None,
        migrations: tuple[Migration, ...] = (),
        salvage: Callable[[bytes], Document] = lambda _: {},
        unversioned: Callable[[Any], Document] | None = None,
        lock_path: Path | None = None,
        mode: int = 0o600,
        report: Report | None = None,
    ) -> None:
        self.path = path
        self._what = what
        self._format = format_
        self._check = check
        self._migrations = migrations
        self._salvage = salvage
        self._unversioned = unversioned
        self._mode = mode
        self._report = report or logging.getLogger("jupyter_localcoder").warning
        self._reported = ""
        self._lock = Lock(lock_path or path.with_suffix(".lock"), private=not mode & 0o077)
        self.way_out = f"Check the permissions of {path.parent}" + (f", or set {place}." if place else ".")

    def read(self) -> Reading:
        """What the file says. A problem is reported, and never raised; reading changes nothing."""
        found = self._read()
        if found.problem:
            self._report_once(found.problem)
        return found

    @contextlib.contextmanager
    def change(self) -> Iterator[Document]:
        """Change the document in a ``with`` block; an exception in it changes nothing.

        When the block has been left, the change is on the disk.

        Raises
        ------
        FileWriteError
            It cannot be written, it is of a newer version, or another process holds its lock.
        DiskFull
            It stays as it was.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._lock.held())
                sweep(self.path)
                if self.path.is_symlink():
                    sweep(self._target)
            except LockBusy as failure:
                raise FileWriteError(
                    f"{self._what} cannot be saved: {failure}",
                    recovery="Try again. If this does not help, stop your other Jupyter servers and "
                    f"kernels that do not respond; if none is left, remove {self._lock.path}.",
                    reason="locked",
                ) from None
            except OSError as failure:
                raise self._failure(failure) from failure
            found = self._read()
            if found.kind in ("newer", "closed"):
                raise FileWriteError(
                    f"Nothing was changed. {found.problem}",
                    recovery="Use the newer version, or move the file elsewhere."
                    if found.kind == "newer"
                    else self.way_out,
                    reason=found.kind,
                )
            document = found.document
            before = msgspec.json.encode(document)
            yield document
            document["format"] = self._format
            after = msgspec.json.encode(document)
            if found.kind == "sound" and after == before:
                return
            try:
                if found.kind == "damaged":
                    self._set_aside()
                elif found.kind == "older":
                    # A copy of the same form stays as it was first taken.
                    backup = self.path.with_suffix(f".backup{self.path.suffix}")
                    if not backup.exists():
                        replace_file(backup, found.raw, mode=self._mode)
                # A link that a person has put there stays one.
                replace_file(self._target, msgspec.json.format(after, indent=2), mode=self._mode)
            except OSError as failure:
                raise self._failure(failure) from failure

    @property
    def _target(self) -> Path:
        """The file itself, where its path is a link."""
        return Path(os.path.realpath(self.path))

    def _read(self) -> Reading:
        empty: Document = {"format": self._format}
        try:
            raw = patiently(lambda: read_regular(self.path, MOST_BYTES))
        except FileNotFoundError:
            if self.path.is_symlink():
                return self._damaged("it is a broken link")
            return Reading(empty)
        except (NotRegular, TooLarge) as failure:
            return self._damaged(failure.strerror)
        except OSError as failure:
            if self.path.is_symlink():
                return self._damaged(f"it is a link that cannot be followed ({failure.strerror})")
            problem = f"{self.path} cannot be read: {failure.strerror}."
            return Reading(empty, "closed", problem)
        try:
            value = msgspec.json.decode(raw.removeprefix(_BOM))
            require_flat(value)
            return self._understood(value, raw)
        except (ValueError, RecursionError) as failure:  # of msgspec and of UTF-8 too
            reason = str(failure) if isinstance(failure, ValueError) else "it is nested too deeply"
            return self._damaged(reason, raw)

    def _understood(self, value: Any, raw: bytes) -> Reading:
        format_ = value.get("format") if isinstance(value, dict) else None
        if self._unversioned is not None and format_ is None:
            return Reading({**self._unversioned(value), "format": self._format}, "sound", raw=raw)
        if not isinstance(format_, int) or isinstance(format_, bool) or format_ < 1:
            raise ValueError("it has no format version")
        if format_ > self._format:
            problem = f"{self.path} was written by a newer version and is not changed."
            return Reading({"format": self._format}, "newer", problem, raw, value)
        for migrate in self._migrations[format_ - 1 : self._format - 1]:
            value = migrate(value)
        self._check(value)
        return Reading(value, "older" if format_ < self._format else "sound", raw=raw)

    def _damaged(self, reason: str | None, raw: bytes = b"") -> Reading:
        problem = (
            f"{self.path} is damaged and is not used: {reason}. It is renamed to {self._aside().name} "
            "with the next change."
        )
        return Reading({**self._salvage(raw), "format": self._format}, "damaged", problem, raw)

    def _aside(self) -> Path:
        """A name that is free."""
        number = 1
        while True:
            counted = "" if number == 1 else f"-{number}"
            path = self.path.with_suffix(f".damaged{counted}{self.path.suffix}")
            if not path.exists() and not path.is_symlink():
                return path
            number += 1

    def _set_aside(self) -> None:
        aside = self._aside()
        self.path.replace(aside)
        sync_folder(self.path.parent)
        self._report_once(f"{self.path} was damaged. It was renamed to {aside}, and a new file was created.")

    def _report_once(self, sentence: str) -> None:
        if sentence != self._reported:
            self._reported = sentence
            self._report(sentence)

    def _failure(self, failure: OSError) -> Exception:
        return write_failure(failure, f"{self._what} cannot be saved", self.way_out)


def require_flat(value: Any) -> None:
    """Refuse lists and objects that lie too deep inside each other.

    Raises
    ------
    ValueError
    """
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ValueError("it is nested too deeply")
