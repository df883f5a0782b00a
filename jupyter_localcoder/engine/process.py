"""One worker process: spawn, handshake, frames, and an end that always ends. Mechanism, no policy.

Both halves of the life of a worker, and the rule between them:

- *The parent* spawns ``python -m jupyter_localcoder.worker`` with three pipes and three threads. One
  reads frames and hands them to the event loop; one writes frames, so that a worker that does not read
  never blocks the loop; one copies what the worker prints to stderr into the log, so that a chatty
  library never blocks the worker.
- *The child* says `Hello` when it is ready, and leaves when its input ends. So a parent that is killed
  takes the child with it; where the child hangs, Linux ends it (`worker.limits`).
- *An end is reported once*, with how it came about, after the child is reaped. Stopping escalates: the
  input is closed, then SIGTERM, then SIGKILL, each after a time of grace.

Threads and not asyncio's own child processes: those need a particular event loop on Windows and a child
watcher on older Pythons, and the service also runs in the background thread of a terminal.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..contract import wire
from ..errors import BackendUnavailable, LocalCoderError, PackageMissing
from ..machine.child_environment import environment_for_computing
from ..machine.optional_packages import LLAMA_CPP, has_module
from ..text.plain_text import plain

_LONGEST_LINE_BYTES = 2000
"""More that is printed without an end of line is cut: native code may never end one."""
LAST_WORDS_SECONDS = 1.0
"""So long a worker that has ended is waited for until all that it printed is read."""


@dataclass(frozen=True)
class WorkerExit:
    """How a worker ended."""

    code: int
    """Exit status; negative: the signal that ended it."""
    expected: bool
    """Whether `stop` had been called."""
    last_words: str
    """End of what it printed to stderr, for the log."""
    broken_frames: str = ""
    """What was wrong with its frames, where that is why it had to go."""
    killed_because: str = ""
    """The sentence that says why `WorkerProcess.kill` was called, where it was."""

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        if self.broken_frames:
            return f"The inference worker sent unreadable data ({self.broken_frames})."
        if self.killed_because:
            return self.killed_because
        if self.code >= 0:
            return f"The inference worker exited unexpectedly (exit status {self.code})."
        try:
            name = signal.Signals(-self.code).name
        except ValueError:
            name = f"signal {-self.code}"
        return f"The inference worker was terminated by {name}."

    @property
    def unexplained_kill(self) -> bool:
        """Whether it was ended by SIGKILL, and not by this process."""
        return self.code == -9 and not (self.expected or self.killed_because or self.broken_frames)


def worker_environment(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a worker: what it needs to run, and no key of anybody."""
    kept = environment_for_computing(source)
    # OpenMP's threads wait for each other by spinning. They give up soon, and sleep: just as fast on a quiet
    # machine, and where another program computes they do not keep it, and each other, from the core.
    waits = {} if {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & kept.keys() else {"GOMP_SPINCOUNT": "1000"}
    own = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "GGML_NO_BACKTRACE": "1"}
    return {**kept, **waits, **own}


def require_engine() -> None:
    """Raise `PackageMissing` where llama-cpp-python is not installed."""
    if not has_module(LLAMA_CPP):
        raise PackageMissing.of("local")


def worker_command() -> list[str]:
    """Return the command that starts a worker."""
    return [sys.executable, "-m", "jupyter_localcoder.worker"]


class WorkerProcess:
    """A running worker. Make one with `spawn`.

    The callbacks of `spawn` are called in the event loop, never after the exit was reported.
    """

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        loop: asyncio.AbstractEventLoop,
        on_frame: Callable[[wire.FromWorker], None],
        on_exit: Callable[[WorkerExit], None],
        log: logging.Logger,
    ) -> None:
        self._child = child
        self._loop = loop
        self._on_frame = on_frame
        self._on_exit = on_exit
        self._log = log
        self._hello: asyncio.Future[wire.Hello] = loop.create_future()
        self._gone: asyncio.Future[WorkerExit] = loop.create_future()
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stopping = False
        self._broken = ""
        self._killed_because = ""
        self._tail: list[str] = []
        self._drainer = threading.Thread(target=self._drain, name="worker-drain", daemon=True)
        self._drainer.start()
        threading.Thread(target=self._write, name="worker-write", daemon=True).start()

    @classmethod
    async def spawn(
        cls,
        *,
        on_frame: Callable[[wire.FromWorker], None],
        on_exit: Callable[[WorkerExit], None],
        log: logging.Logger,
        timeout_seconds: float,
        command: Sequence[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> tuple[WorkerProcess, wire.Hello]:
        """Start a worker and wait until it says hello.

        Raises
        ------
        BackendUnavailable
            It cannot be started, ended at once, does not answer in time, or is of another version. No
            process is left behind; ``on_exit`` is not called.
        PackageMissing
            llama-cpp-python is not installed, or cannot be loaded.
        """
        if command is None:
            require_engine()
        loop = asyncio.get_running_loop()
        reported: list[WorkerExit] = []
        started = False

        def exit_(how: WorkerExit) -> None:
            if started:
                on_exit(how)
            else:
                reported.append(how)

        starting = loop.run_in_executor(None, _start, cls, loop, on_frame, exit_, log, command, environment)
        try:
            worker = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on and has a child in a moment: it must not be left alone.
            await (await starting).stop(0.0)
            raise
        try:
            hello = await asyncio.wait_for(asyncio.shield(worker._hello), timeout_seconds)
            if hello.protocol != wire.PROTOCOL:
                raise BackendUnavailable(
                    f"The inference worker uses protocol {hello.protocol}, not {wire.PROTOCOL}.",
                    recovery="Two versions are mixed: reinstall jupyter_localcoder, and restart Jupyter.",
                )
            if reported:
                raise BackendUnavailable(f"{reported[0].sentence} This happened right after it started.")
        except asyncio.TimeoutError:
            await worker.stop(0.0)
            raise BackendUnavailable(
                f"The inference worker did not start within {timeout_seconds:g} seconds."
            ) from None
        except BaseException:
            await worker.stop(0.0)
            raise
        started = True
        return worker, hello

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether its exit has not been reported yet."""
        return not self._gone.done()

    def send(self, frame: wire.ToWorker) -> None:
        """Put a frame into the pipe, in order, without waiting.

        Raises
        ------
        wire.FrameError
            It is too large; nothing was sent.
        """
        self._outbox.put(wire.pack(frame))

    async def stop(self, grace_seconds: float) -> WorkerExit:
        """End it: close its input, after the grace SIGTERM, after another one SIGKILL; reap it."""
        self._stopping = True
        self._outbox.put(None)
        for harder in (self._child.terminate, self._child.kill):
            if await self._wait_gone(grace_seconds):
                break
            with contextlib.suppress(OSError):
                harder()
        return await asyncio.shield(self._gone)

    def kill(self, because: str = "") -> None:
        """End it at once: it hangs, or what it says cannot be trusted. The exit is reported as usual.

        Parameters
        ----------
        because
            The sentence for a person that the exit is reported with.
        """
        self._killed_because = self._killed_because or because
        with contextlib.suppress(OSError):
            self._child.kill()

    async def _wait_gone(self, seconds: float) -> bool:
        done, _ = await asyncio.wait([self._gone], timeout=seconds)
        return bool(done)

    # Threads

    def _read(self) -> None:
        pipe = _pipe(self._child.stdout)
        try:
            while (frame := wire.read_from_worker(pipe.read)) is not None:
                self._to_loop(self._handle_frame, frame)
        except (wire.FrameError, OSError, ValueError) as failure:
            # Nothing that follows can be trusted: there is no way to find the next frame.
            self._broken = str(failure)
            self.kill()
        code = self._child.wait()
        with contextlib.suppress(OSError):
            pipe.close()
        self._outbox.put(None)
        # Its last words tell what it died of.
        self._drainer.join(LAST_WORDS_SECONDS)
        self._to_loop(self._report, code)

    def _write(self) -> None:
        pipe = _pipe(self._child.stdin)
        try:
            while (data := self._outbox.get()) is not None:
                pipe.write(data)
                pipe.flush()
        except (OSError, ValueError):
            pass  # It is gone; the reader sees the same.
        with contextlib.suppress(OSError, ValueError):
            pipe.close()

    def _drain(self) -> None:
        with _pipe(self._child.stderr) as pipe:
            while raw := pipe.readline(_LONGEST_LINE_BYTES):
                # It may repeat what stands in a file from anywhere: no escapes in a log.
                line = plain(raw.decode("utf-8", "replace")).rstrip()
                self._tail = [*self._tail[-19:], line]
                self._log.debug("worker %d: %s", self._child.pid, line)

    def _to_loop(self, function: Callable[..., None], argument: object) -> None:
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody listens any more.
            self._loop.call_soon_threadsafe(function, argument)

    # In the event loop

    def _handle_frame(self, frame: wire.FromWorker) -> None:
        if isinstance(frame, wire.Hello):
            if not self._hello.done():
                self._hello.set_result(frame)
            return
        self._on_frame(frame)

    def _report(self, code: int) -> None:
        how = WorkerExit(code, self._stopping, "\n".join(self._tail), self._broken, self._killed_because)
        if not self._hello.done():
            self._hello.set_exception(_not_started(how))
            self._hello.exception()  # Seen: whoever waits gets it all the same.
        if not self._gone.done():
            self._gone.set_result(how)
        self._on_exit(how)


def _not_started(how: WorkerExit) -> LocalCoderError:
    if how.code != wire.EXIT_WITHOUT_ENGINE:
        return BackendUnavailable(f"{how.sentence} It exited before it had started completely.")
    reason = how.last_words.strip().rpartition("\n")[2]
    if reason == f"ModuleNotFoundError: No module named '{LLAMA_CPP}'":
        return PackageMissing.of("local")
    return PackageMissing(
        f"llama-cpp-python is installed but cannot be loaded: {reason}.",
        recovery="Run `jupyter localcoder doctor`: it shows the command that builds it again.",
        extra="local",
    )


def _start(
    cls: type[WorkerProcess],
    loop: asyncio.AbstractEventLoop,
    on_frame: Callable[[wire.FromWorker], None],
    on_exit: Callable[[WorkerExit], None],
    log: logging.Logger,
    command: Sequence[str] | None,
    environment: dict[str, str] | None,
) -> WorkerProcess:
    """Start a worker, and the thread that stays with it."""
    born: concurrent.futures.Future[WorkerProcess] = concurrent.futures.Future()

    def accompany() -> None:
        try:
            worker = cls(_child(command, environment), loop, on_frame, on_exit, log)
        except OSError as failure:
            sentence = f"The inference worker cannot be started: {failure.strerror}."
            born.set_exception(BackendUnavailable(sentence))
            return
        except BaseException as failure:
            born.set_exception(failure)
            return
        born.set_result(worker)
        worker._read()

    # Linux ends the worker when the thread that started it ends: so it is the one that outlives the worker.
    threading.Thread(target=accompany, name="worker-read", daemon=True).start()
    return born.result()


def _child(command: Sequence[str] | None, environment: dict[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command or worker_command()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment if environment is not None else worker_environment(),
        # With -m Python looks for modules in the working directory first. That must be where this
        # package lies, and not the folder of a notebook that may hold a `llama_cpp.py`.
        cwd=Path(__file__).resolve().parents[1],
        # A group of its own: Ctrl-C in the terminal is for Jupyter, which then ends the worker.
        start_new_session=True,
    )


def _pipe(pipe: object) -> BinaryIO:
    assert pipe is not None  # noqa: S101 - all three were asked for
    return pipe  # type: ignore[return-value]
