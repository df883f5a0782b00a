"""The files of the history: where each one lies, and operations that are whole or did not happen.

::

    <history_dir>/
      history.sqlite3                       the database, with what SQLite puts beside it
      history.lock                          held while the database is made or changed in form
      history.v1.backup.sqlite3             what it was before it was changed to a newer form
      history.damaged-<time>.sqlite3        one that could not be read any more
      responses/<prompt>/<id>.md            a response
      responses/<prompt>/.<id>.<n>.part     one that is being written
      responses/<prompt>/.<id>.deleted      one that is being deleted

Prompts may be private: folders are for their owner alone (0700), and so are files (0600). A symbolic link in
the place of a prompt's folder or of a file is never followed. Knows nothing of databases.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import (
    FileDeleteError,
    FileReadError,
    FileWriteError,
    ResponseNotFound,
    SourceFileNotFound,
)
from ..storage import failures
from ..storage.regular import NotRegular, open_regular
from ..text.units import size
from . import names

MAX_FILE_BYTES = 64 * 1024 * 1024
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_TRIES = 3
_AT_ONCE = 8
"""Files that wait for the disk at the same time: it writes them together."""


class HistoryFolder:
    """The folder of the history."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.responses = root / "responses"

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.root / "history.sqlite3"

    def prompt(self, prompt_id: str) -> Path:
        """Folder of a prompt, whether it is there or not."""
        return self.responses / names.folder_name(prompt_id)

    def file(self, prompt_id: str, response_id: str) -> Path:
        """File of a response, whether it is there or not.

        Raises
        ------
        ResponseNotFound
            No response can have this id.
        """
        if not names.is_response_id(response_id):
            raise ResponseNotFound
        return self.prompt(prompt_id) / names.file_name(response_id)

    def is_there(self, prompt_id: str, response_id: str) -> bool:
        """Whether the file of a response exists, as a regular file."""
        with contextlib.suppress(OSError):
            return stat.S_ISREG(self.file(prompt_id, response_id).lstat().st_mode)
        return False

    def is_gone(self, prompt_id: str, response_id: str) -> bool:
        """Whether there is certainly no file of a response: one that cannot be looked at may be there."""
        try:
            self.file(prompt_id, response_id).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def make(self) -> None:
        """Make the folders.

        Raises
        ------
        FileWriteError, DiskFull
        """
        with write_errors():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.responses.is_symlink():
                raise FileWriteError(
                    "`responses` in the history folder is a symbolic link; it was not followed."
                )
            self.responses.mkdir(exist_ok=True, mode=0o700)

    def prepare(self, prompt_id: str, response_id: str, data: bytes) -> Path:
        """Write a response beside its place, to the disk; `publish` puts it there.

        Raises
        ------
        FileWriteError, DiskFull
            Nothing is left behind.
        """
        target = self.file(prompt_id, response_id)
        for last in (False,) * (_TRIES - 1) + (True,):
            self.make()
            with write_errors():
                try:
                    target.parent.mkdir(exist_ok=True, mode=0o700)
                    _require_folder(target.parent)
                    part = target.with_name(names.part_name(response_id))
                    _write(part, data)
                except (FileNotFoundError, FileExistsError):
                    # A sweep has just removed the folder, which was empty: `mkdir` may have seen both states.
                    if last:
                        raise
                else:
                    return part
        raise AssertionError

    def prepare_all(self, responses: Sequence[tuple[str, str, bytes]]) -> list[Path]:
        """`prepare` several: prompt's id, id and data of each. The disk is waited for once, as it were.

        Raises
        ------
        FileWriteError, DiskFull
            Nothing is left behind.
        """
        if len(responses) == 1:
            return [self.prepare(*responses[0])]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="localcoder-history-file") as pool:
            begun = [pool.submit(self.prepare, *response) for response in responses]
        failed = next((failure for each in begun if (failure := each.exception()) is not None), None)
        parts = [each.result() for each in begun if each.exception() is None]
        if failed is not None:
            for part in parts:
                self.discard(part)
                self.remove_if_empty(part.parent)
            raise failed
        return parts

    def publish(self, part: Path, prompt_id: str, response_id: str) -> None:
        """Put a prepared file into its place, over the one that may be there.

        Raises
        ------
        FileWriteError, DiskFull
            The prepared file is gone, the one that was there stays.
        """
        target = self.file(prompt_id, response_id)
        try:
            with write_errors():
                part.replace(target)
        except BaseException:
            self.discard(part)
            raise

    def discard(self, path: Path) -> None:
        """Remove a file that is of no use, if it can be removed."""
        with contextlib.suppress(OSError):
            path.unlink()

    def read(self, prompt_id: str, response_id: str) -> bytes:
        """The bytes of a response's file.

        Raises
        ------
        SourceFileNotFound
            There is none.
        FileReadError
            It cannot be read, or is not a regular file.
        """
        return read(self.file(prompt_id, response_id))

    def hide(self, prompt_id: str, response_id: str) -> bool:
        """Begin to delete a response: it counts as gone, and `unhide` brings it back.

        Returns whether there was a file.

        Raises
        ------
        FileDeleteError
            It stays as it was.
        """
        path = self.file(prompt_id, response_id)
        try:
            path.replace(path.with_name(names.deleted_name(response_id)))
        except FileNotFoundError:
            return False
        except OSError as failure:
            raise _not_deleted(failure) from failure
        return True

    def unhide(self, prompt_id: str, response_id: str) -> None:
        """Bring back what was hidden."""
        path = self.file(prompt_id, response_id)
        with contextlib.suppress(OSError):
            path.with_name(names.deleted_name(response_id)).replace(path)

    def remove_hidden(self, prompt_id: str, response_id: str) -> None:
        """End what `hide` began, and the prompt's folder with its last file."""
        folder = self.prompt(prompt_id)
        self.discard(folder / names.deleted_name(response_id))
        self.remove_if_empty(folder)

    def remove_if_empty(self, folder: Path) -> None:
        """Remove a prompt's folder that holds nothing."""
        with contextlib.suppress(OSError):
            folder.rmdir()

    def scan(self) -> Iterator[tuple[str, list[str]]]:
        """Name of each prompt's folder, and the names in it; what cannot be read is left out.

        Raises
        ------
        FileReadError
            The folder of all of them cannot be read.
        """
        try:
            with os.scandir(self.responses) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        with contextlib.suppress(OSError):
                            yield entry.name, os.listdir(entry.path)  # noqa: PTH208 - a path for each is too slow
        except FileNotFoundError:
            return
        except OSError as failure:
            raise FileReadError(f"The history folder cannot be read: {failure.strerror}.") from failure


def read(path: Path, most: int = -1) -> bytes:
    """The bytes of a file of the history, or the first of them; see `HistoryFolder.read`."""
    try:
        _require_folder(path.parent)
        with open_regular(path, follow=False) as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise FileReadError(f"The file of this answer is larger than {size(MAX_FILE_BYTES)}.")
            return file.read(most) or b""
    except NotRegular:
        raise FileReadError("The file of this answer is not a regular file.") from None
    except FileNotFoundError:
        raise SourceFileNotFound(
            "The file of this answer is missing.",
            recovery="Restore the file from a backup if you have one; otherwise the entry is removed at the "
            "next start.",
        ) from None
    except OSError as failure:
        if failure.errno == errno.ELOOP:
            raise FileReadError("The file of this answer is a symbolic link; it was not followed.") from None
        raise FileReadError(f"The file of this answer cannot be read: {failure.strerror}.") from failure


def write_errors() -> contextlib.AbstractContextManager[None]:
    """Turn what the system says of a write into `DiskFull` or `FileWriteError`."""
    return failures.write_errors(
        "The history folder cannot be written",
        "Check its permissions, or choose another one (`HistoryStore.history_dir`).",
    )


def age_seconds(path: Path) -> float:
    """How long ago a file was written; infinite where that cannot be told."""
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return float("inf")


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _require_folder(folder: Path) -> None:
    """Refuse what is not a folder of its own: a symbolic link could lead anywhere."""
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise OSError(errno.ELOOP, "a prompt's folder is a symbolic link, and was not followed")


def _not_deleted(failure: OSError) -> FileDeleteError:
    return FileDeleteError(
        f"The file of this answer cannot be deleted, so nothing was deleted: {failure.strerror}."
    )
