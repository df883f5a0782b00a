"""Where a server can be reached, and how its kernels and the command line find that out.

The server extension makes one `ServerConnection`, puts it into the environment that its kernels inherit and
into a file in Jupyter's runtime folder. The environment is exact, and goes stale when the server is
restarted under a kernel that lives on; the file is then how the kernel finds the new port and token.

This module must not import an HTTP library: the server extension reads it while it starts.
"""

from __future__ import annotations

import os
import stat
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from ..storage.atomic import replace_file, sweep
from ..storage.processes import can_be_seen, has_ended
from ..storage.regular import open_regular

_PREFIX = "JUPYTER_LOCALCODER_"
_FILE_PATTERN = "localcoder-*.json"
_MAX_FILE_BYTES = 64 * 1024
_UNFINISHED = ".localcoder-*.json.????????"
_UNFINISHED_SECONDS = 3600.0
"""No writer takes so long: it was killed."""


class ServerConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a server, and the token that lets its own kernels in."""

    url: str
    """Base URL, with the scheme and the server's base path; `http://localhost/…` for a Unix socket."""
    token: str
    pid: int = 0
    """Process of the server; 0 where it is not known."""
    birth: str = ""
    """What tells this process from others of the same number (`storage.processes`)."""
    root_dir: str = ""
    """Folder that the server serves: what stays the same when it is restarted."""
    certfile: str = ""
    """The server's certificate (PEM), for https: no other is then believed."""
    sock: str = ""
    """Path of a Unix socket, instead of a port."""
    made_sock: bool = False
    """Whether the extension created this socket, in a separate folder."""
    version: str = ""

    def __repr__(self) -> str:
        # The token stays out of tracebacks and logs.
        return f"Connection(url={self.url!r}, pid={self.pid}, token=…)"

    @property
    def where(self) -> str:
        """The address, for people."""
        return f"Jupyter server at {self.sock or self.url}"

    @property
    def runs(self) -> bool:
        """Whether the server's process is known, and is there."""
        return self.pid > 0 and not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether the server's process is known, and is there no more."""
        return self.pid > 0 and has_ended(self.pid, self.birth)

    @property
    def address(self) -> tuple[str, str, str]:
        """What tells two connections apart: two with the same address succeed or fail together."""
        return (self.url, self.sock, self.token)

    def environment(self) -> dict[str, str]:
        """The variables that a kernel inherits.

        All of them, empty ones too: a server that was started in a terminal of another one has inherited
        the other one's.
        """
        values = {
            "URL": self.url,
            "TOKEN": self.token,
            "ROOT": self.root_dir,
            "CERTFILE": self.certfile,
            "SOCK": self.sock,
            "PID": str(self.pid or ""),
            "BIRTH": self.birth,
        }
        return {_PREFIX + name: value for name, value in values.items()}

    def path(self, runtime_dir: Path) -> Path:
        """The file that `write` writes."""
        return runtime_dir / f"localcoder-{self.pid}.json"

    def write(self, runtime_dir: Path) -> Path:
        """Write the file atomically, readable only by the owner.

        Raises
        ------
        OSError
            The folder cannot be written.

        """
        runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.path(runtime_dir)
        # Nobody else writes the file of this process.
        sweep(path)
        replace_file(path, msgspec.json.encode(self))
        return path

    def remove(self, runtime_dir: Path) -> None:
        """Take the file away; nothing happens if it is gone already."""
        with suppress(OSError):
            self.path(runtime_dir).unlink(missing_ok=True)


def from_environment(environ: Mapping[str, str]) -> ServerConnection | None:
    """The connection that this kernel inherited, or None where no server started it."""
    url = environ.get(_PREFIX + "URL", "")
    if not url:
        return None
    return ServerConnection(
        url=url,
        token=environ.get(_PREFIX + "TOKEN", ""),
        root_dir=environ.get(_PREFIX + "ROOT", ""),
        certfile=environ.get(_PREFIX + "CERTFILE", ""),
        sock=environ.get(_PREFIX + "SOCK", ""),
        pid=int(pid) if (pid := environ.get(_PREFIX + "PID", "")).isdecimal() else 0,
        birth=environ.get(_PREFIX + "BIRTH", ""),
    )


def running(runtime_dir: Path) -> list[ServerConnection]:
    """The servers of this user whose process is alive, newest first.

    What those have left whose process was killed is removed.
    """
    found: list[tuple[float, ServerConnection]] = []
    for path in runtime_dir.glob(_FILE_PATTERN):
        entry = _read(path)
        if entry is None:
            continue
        status, connection = entry
        if connection.runs:
            found.append((status.st_mtime, connection))
        elif connection.pid > 0 and path == connection.path(runtime_dir) and can_be_seen(connection.birth):
            _remove(path, status, connection)
    _sweep_unfinished(runtime_dir)
    found.sort(key=lambda entry: entry[0], reverse=True)
    return [connection for _, connection in found]


def candidates(
    environ: Mapping[str, str] | None = None,
    runtime_dir: Path | None = None,
    *,
    any_server: bool = False,
) -> list[ServerConnection]:
    """Servers to try, best first: the inherited one, then the running ones of the same folder.

    Parameters
    ----------
    environ
        Default: the environment of this process.
    runtime_dir
        Default: Jupyter's.
    any_server
        Also the running servers of other folders. Without it a process that no server has started
        finds none.

    """
    environ = os.environ if environ is None else environ
    inherited = from_environment(environ)
    if inherited is None and not any_server:
        return []
    if runtime_dir is None:
        from jupyter_core.paths import jupyter_runtime_dir

        runtime_dir = Path(jupyter_runtime_dir())
    alive = running(runtime_dir)
    root = environ.get(_PREFIX + "ROOT", "")
    same = [connection for connection in alive if root and connection.root_dir == root]
    others = [connection for connection in alive if connection not in same] if any_server else []
    unique: dict[tuple[str, str, str], ServerConnection] = {}
    for connection in [*([inherited] if inherited else []), *same, *others]:
        unique.setdefault(connection.address, connection)
    return list(unique.values())


def _read(path: Path) -> tuple[os.stat_result, ServerConnection] | None:
    """State of the file, and content; None for a file that is broken or not to be trusted."""
    try:
        with open_regular(path, follow=False) as file:
            status = os.fstat(file.fileno())
            if not _private(status):
                warnings.warn(
                    f"{path} is ignored: the file must belong to you and be readable only by you.",
                    stacklevel=4,
                )
                return None
            return status, msgspec.json.decode(file.read(_MAX_FILE_BYTES), type=ServerConnection)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None


def _remove(path: Path, read: os.stat_result, connection: ServerConnection) -> None:
    """Remove what a killed server left, unless another one has its number and its file by now."""
    with suppress(OSError):
        now = path.lstat()
        if (now.st_ino, now.st_mtime_ns) != (read.st_ino, read.st_mtime_ns):
            return
        if connection.made_sock:
            _remove_socket(Path(connection.sock))
        path.unlink()


def _remove_socket(path: Path) -> None:
    with suppress(OSError):
        status = path.lstat()
        if stat.S_ISSOCK(status.st_mode) and status.st_uid == os.getuid():
            path.unlink()
            path.parent.rmdir()


def _sweep_unfinished(runtime_dir: Path) -> None:
    for path in runtime_dir.glob(_UNFINISHED):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > _UNFINISHED_SECONDS:
                path.unlink()


def _private(status: os.stat_result) -> bool:
    if sys.platform == "win32":  # the user's profile folder is private by its access list
        return True
    ours = status.st_uid == os.getuid() and stat.S_ISREG(status.st_mode)
    return ours and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
