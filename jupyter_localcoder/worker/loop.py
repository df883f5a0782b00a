"""The two threads of the worker, and what passes between them.

The reader takes frames from the pipe: it answers a ping by itself, marks what is cancelled, and puts
the rest into the queue. The main thread does the work, one request after the other, completions first.
A cancel therefore is heard in the middle of a computation: ctypes gives up the interpreter's lock while
llama.cpp runs. When the input ends, nobody is left to work for, and the worker leaves.
"""

from __future__ import annotations

import heapq
import itertools
import os
import sys
import threading
import time
import traceback
from typing import BinaryIO

import psutil

from .._version import __version__
from ..contract import wire
from ..errors import LocalCoderError, UnknownError
from .engine import Engine
from .session import Job, Session

_RANK: dict[wire.Priority, int] = {"completion": 0, "command": 1, "background": 2}
_LEAVE_SECONDS = 2.0
"""After the input ended, the work has so long to notice; then the process ends by force."""


class Loop:
    """Reads requests, serves them, writes answers.

    Parameters
    ----------
    reader, writer
        The private pipes; nothing else may write into the latter.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO, engine: Engine) -> None:
        self._reader = reader
        self._writer = writer
        self._write_lock = threading.Lock()
        self._engine = engine
        self._session: Session | None = None
        self._wake = threading.Condition()
        self._queue: list[tuple[int, int, wire.Load | wire.Unload | Job]] = []
        self._order = itertools.count()
        self._running: Job | wire.Load | None = None
        self._leaving = False

    def run(self) -> None:
        """Serve until the input ends or an `Unload` comes."""
        self._greet()
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        while (work := self._next()) is not None:
            if isinstance(work, wire.Unload):
                self._send(wire.Unloaded(id=work.id))
                return
            self._guarded(work)

    # The main thread

    def _next(self) -> wire.Load | wire.Unload | Job | None:
        with self._wake:
            self._running = None
            while not self._queue and not self._leaving:
                self._wake.wait()
            if self._leaving:
                return None
            work = heapq.heappop(self._queue)[2]
            self._running = work if not isinstance(work, wire.Unload) else None
            return work

    def _guarded(self, work: wire.Load | Job) -> None:
        id_ = work.id if isinstance(work, wire.Load) else work.request.id
        try:
            self._send(self._load(work) if isinstance(work, wire.Load) else self._generate(work))
        except LocalCoderError as error:
            self._send(
                wire.Error(id=id_, code=error.code, message=error.message, details=dict(error.details))
            )
        except MemoryError:
            self._send(wire.Error(id=id_, code="OUT_OF_MEMORY", message="Python ran out of memory."))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._send(wire.Error(id=id_, code=UnknownError.code, message=UnknownError.sentence))

    def _load(self, plan: wire.Load) -> wire.FromWorker:
        self._session, loaded = Session.load(
            self._engine,
            plan,
            lambda fraction: self._send(wire.LoadProgress(id=plan.id, fraction=fraction)),
        )
        return loaded

    def _generate(self, job: Job) -> wire.FromWorker:
        self._engine.require()
        assert self._session is not None  # noqa: S101 - `require` has just said so
        if job.ended:
            return _never_begun(job)
        return self._session.generate(job, self._send)

    # The reader's thread

    def _read(self) -> None:
        try:
            while (frame := wire.read_to_worker(self._reader.read)) is not None:
                self._take(frame)
        except (wire.FrameError, OSError) as failure:
            print(f"the input is broken: {failure}", file=sys.stderr)
        finally:
            self._leave()

    def _take(self, frame: wire.ToWorker) -> None:
        if isinstance(frame, wire.Ping):
            self._send(self._pong(frame.id))
        elif isinstance(frame, wire.Cancel):
            self._cancel(frame)
        elif isinstance(frame, wire.Generate):
            self._put(_RANK[frame.priority], Job(frame))
        else:
            self._put(1, frame)

    def _put(self, rank: int, work: wire.Load | wire.Unload | Job) -> None:
        with self._wake:
            heapq.heappush(self._queue, (rank, next(self._order), work))
            self._wake.notify()

    def _cancel(self, frame: wire.Cancel) -> None:
        with self._wake:
            running = self._running
            if isinstance(running, Job) and running.request.id == frame.id:
                running.ended = frame.reason
                self._engine.abort()
            elif isinstance(running, wire.Load) and running.id == frame.id:
                self._engine.abort()
            for _, _, work in self._queue:
                if isinstance(work, Job) and work.request.id == frame.id:
                    work.ended = frame.reason

    def _pong(self, id_: int) -> wire.Pong:
        with self._wake:
            running, waiting = int(self._running is not None), len(self._queue)
        return wire.Pong(
            id=id_,
            running=running,
            waiting=waiting,
            steps=self._session.steps if self._session else 0,
            rss_bytes=psutil.Process().memory_info().rss,
        )

    def _leave(self) -> None:
        with self._wake:
            self._leaving = True
            if isinstance(self._running, Job):
                self._running.ended = "canceled"
            self._engine.abort()
            self._wake.notify()
        time.sleep(_LEAVE_SECONDS)
        # The main thread is inside a native call that does not listen; nobody waits for its answer.
        os._exit(0)

    # Both

    def _greet(self) -> None:
        machine = self._engine.machine()
        self._send(
            wire.Hello(
                protocol=wire.PROTOCOL,
                pid=os.getpid(),
                version=__version__,
                llama_cpp=machine.llama_cpp,
                system_info=machine.system_info,
                gpu_offload=machine.gpu_offload,
                mlock=machine.mlock,
            )
        )

    def _send(self, frame: wire.FromWorker) -> None:
        data = wire.pack(frame)
        try:
            with self._write_lock:
                self._writer.write(data)
                self._writer.flush()
        except OSError:
            # The other side is gone; the reader will see the same and end the process.
            pass


def _never_begun(job: Job) -> wire.Finished:
    waited = (time.monotonic() - job.arrived) * 1000
    return wire.Finished(
        id=job.request.id,
        finish="timeout" if job.ended == "timeout" else "canceled",
        prompt_tokens=0,
        cached_tokens=0,
        left_out_tokens=0,
        completion_tokens=0,
        queue_ms=waited,
        prefill_ms=0.0,
        decode_ms=0.0,
        prompt_sha256="",
    )
