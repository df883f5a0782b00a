"""The walls around a copy, made by the process that is to be inside of them. Two kinds.

*Namespaces* (Linux, where the user may make them) hold for native code and for programs that the code starts:
there is no network device, all file systems are read-only except for the folder of the copy, no process
outside can be seen or signalled, and the process has no capabilities.

The *guard* is an audit hook of the interpreter, on every system. Python code that opens a connection, writes
or deletes outside of the copy, starts a program or sends a signal gets an error, which also says by name what
was refused. Alone, it does not stop native code, so it refuses programs. It is no defence against code that
is written to break out of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ..machine import namespaces
from .report import DeniedAccess, RefusalKind, TrialLimits, Wall

_MAX_REFUSALS = 20
_FLAGS = namespaces.USER | namespaces.MOUNTS | namespaces.IPC | namespaces.PROCESSES | namespaces.NETWORK
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_CAPABILITIES_VERSION = 0x20080522
_SHARED_MEMORY = "/dev/shm"  # noqa: S108
_HIDDEN = "/run"
"""Sockets of system services: a network namespace does not close them."""


class AccessDenied(PermissionError):
    """The copy does not permit it."""


def leave_system(own: Path) -> bool:
    """Move this process into namespaces in which only one folder can be written.

    To be called with one thread. The next child is the process to isolate; it calls `drop_privileges`.
    """
    if not namespaces.leave(_FLAGS):
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)
        _mount(libc, str(own), str(own), None, _MS_BIND)
        _set_read_only(libc, "/", recursive=True)
        _set_read_only(libc, str(own), clear=True)
        if Path(_SHARED_MEMORY).is_dir():
            _mount(libc, "tmpfs", _SHARED_MEMORY, "tmpfs", 0, "size=64m,mode=1777")
        if Path(_HIDDEN).is_dir() and not any(
            path.startswith(f"{_HIDDEN}/") for path in (sys.prefix, sys.base_prefix, __file__, str(own))
        ):
            _mount(libc, "tmpfs", _HIDDEN, "tmpfs", 0, "size=64k")
            _set_read_only(libc, _HIDDEN)
    except (OSError, AttributeError):
        return False
    return True


def drop_privileges() -> None:
    """Give up all rights over the namespaces, and end with the parent process."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError):  # a container may forbid it; its own one shows no more than names
        _mount(libc, "proc", "/proc", "proc", 0)
    for capability in range(64):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0 or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


def limit_resources(limits: TrialLimits) -> None:
    """Set the limits that the system enforces; some systems enforce none."""
    try:
        import resource
    except ImportError:  # Windows
        return
    cores = os.cpu_count() or 1
    wanted = {
        "RLIMIT_CPU": int(limits.seconds * cores) + 5,
        "RLIMIT_AS": _address_space() + 2 * limits.memory_bytes,
        "RLIMIT_FSIZE": limits.disk_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    if sys.platform == "linux" and _release() >= (5, 14):
        wanted["RLIMIT_NPROC"] = 1024  # counted for each user namespace; older kernels count the whole user's
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(kind)
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError):  # Linux: if memory runs out, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000")


class AuditHook:
    """The audit hook. It cannot be removed.

    Parameters
    ----------
    own
        The folder that may be written.
    wall
        With `namespace`, programs may be started.
    """

    def __init__(self, own: Path, wall: Wall) -> None:
        self.refusals: list[DeniedAccess] = []
        self._own = os.path.realpath(own)
        self._wall = wall
        self._process = os.getpid()
        # What this package itself writes there: the peak of memory, and who goes first if memory runs out.
        own_files = (f"/proc/{self._process}/{name}" for name in ("clear_refs", "oom_score_adj"))
        self._permitted = _DEVICES | frozenset(own_files)
        sys.addaudithook(self._hook)

    def refusals_of(self, error: BaseException | None) -> tuple[DeniedAccess, ...]:
        """What was refused, with what the error came from; an error of the system itself counts too."""
        fatal: set[str] = set()
        more: list[DeniedAccess] = []
        for one in _chain(error):
            if isinstance(one, AccessDenied):
                fatal.add(str(one.filename or ""))
            elif isinstance(one, OSError) and one.errno == errno.EROFS:
                more.append(DeniedAccess(kind="write", what=str(one.filename or "")[:300], fatal=True))
            elif isinstance(one, OSError) and one.errno in (errno.ENETUNREACH, errno.ENETDOWN):
                more.append(DeniedAccess(kind="network", fatal=True))
        refusals = [
            DeniedAccess(kind=one.kind, what=one.what, fatal=one.what in fatal) for one in self.refusals
        ]
        return (*more, *refusals)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        check = _CHECKS.get(event)
        if check is not None:
            check(self, event, arguments)

    def _refuse(self, kind: RefusalKind, what: str, sentence: str) -> None:
        if len(self.refusals) < _MAX_REFUSALS:
            self.refusals.append(DeniedAccess(kind=kind, what=what[:300]))
        raise AccessDenied(errno.EACCES, sentence, what[:300])

    def _network(self, event: str, arguments: tuple[Any, ...]) -> None:
        what = next((str(one) for one in arguments if isinstance(one, str | tuple)), "")
        self._refuse("network", what, "The copy has no network")

    def _program(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._wall != "namespace":
            self._refuse("process", "", "The copy cannot start processes on this system")

    def _signal(self, event: str, arguments: tuple[Any, ...]) -> None:
        target = arguments[0]
        if target != self._process and (self._wall != "namespace" or target <= 0):
            self._refuse("signal", "", "The copy cannot send signals to other processes")

    def _open(self, event: str, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITING:
            return
        self._written(path)

    def _change(self, event: str, arguments: tuple[Any, ...]) -> None:
        for path, folder in _PATHS[event](arguments):
            self._written(path, folder, entry=event in _ENTRIES)

    def _database(self, event: str, arguments: tuple[Any, ...]) -> None:
        # In namespaces a database outside can be read, and not be changed.
        name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
        if self._wall != "namespace" and name not in ("", ":memory:"):
            self._written(name)

    def _written(self, path: Any, folder: Any = None, *, entry: bool = False) -> None:
        """Refuse a path outside of the copy; of an ``entry`` of a folder, what it links to stays as it is."""
        if isinstance(path, int):
            return  # An open file: it was checked when it was opened.
        name = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):  # noqa: PTH117
            name = f"/proc/self/fd/{folder}/{name}" if sys.platform == "linux" else f"/{name}"
        above, last = os.path.split(name.rstrip("/") or "/")
        real = f"{os.path.realpath(above or '.')}{os.sep}{last}" if entry else os.path.realpath(name)
        if real in self._permitted or (self._wall == "namespace" and real.startswith(f"{_SHARED_MEMORY}/")):
            return
        if real != self._own and not real.startswith(self._own + os.sep):
            self._refuse("write", name, "The copy cannot write outside of its folder")


def _last_folder(arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return [(arguments[0], arguments[-1])]


def _alone(arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return [(arguments[0], None)]


def _two(arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return [(arguments[0], arguments[2]), (arguments[1], arguments[3])]


def _new_link(arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return [(arguments[1], arguments[-1])]


_PATHS = {
    "os.remove": _last_folder, "os.rmdir": _last_folder, "os.mkdir": _last_folder, "os.truncate": _alone,
    "os.chmod": _last_folder, "os.chown": _last_folder, "os.utime": _last_folder, "os.chflags": _alone,
    "os.setxattr": _alone, "os.removexattr": _alone, "os.rename": _two, "os.link": _two,
    "os.symlink": _new_link, "shutil.rmtree": _alone,
}  # fmt: skip
_ENTRIES = frozenset({"os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.symlink"})
_CHECKS: dict[str, Any] = {
    **dict.fromkeys(_PATHS, AuditHook._change),
    **dict.fromkeys(
        ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
         "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"),
        AuditHook._network,
    ),
    **dict.fromkeys(
        ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn",
         "os.startfile", "pty.spawn"),
        AuditHook._program,
    ),
    **dict.fromkeys(("os.kill", "os.killpg"), AuditHook._signal),
    "open": AuditHook._open,
    "sqlite3.connect": AuditHook._database,
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES = frozenset({"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "nul", "NUL"})


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error, what it was raised from, and while what."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < 50:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
            reason = getattr(one, "reason", None)
            waiting += [reason] if isinstance(reason, BaseException) else []
    return found


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 1_000_000_000


def _release() -> tuple[int, ...]:
    parts = os.uname().release.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def _mount(
    libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, options: str = ""
) -> None:
    answer = libc.mount(
        source.encode(), os.fsencode(target), kind.encode() if kind else None, ctypes.c_ulong(flags),
        options.encode() or None,
    )  # fmt: skip
    if answer != 0:
        raise OSError(ctypes.get_errno(), "mount", target)


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    ]


def _set_read_only(libc: ctypes.CDLL, path: str, *, recursive: bool = False, clear: bool = False) -> None:
    attributes = _MountAttributes(0 if clear else _READ_ONLY, _READ_ONLY if clear else 0, 0, 0)
    answer = libc.syscall(
        _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), _AT_RECURSIVE if recursive else 0,
        ctypes.byref(attributes), ctypes.c_size_t(ctypes.sizeof(attributes)),
    )  # fmt: skip
    if answer != 0:
        raise OSError(ctypes.get_errno(), "mount_setattr", path)
