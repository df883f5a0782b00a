"""The two threads of the worker, and what passes between them.

The reader takes frames from the pipe: it answers a ping by itself, marks what is cancelled, and puts
the rest into the inbox. The main thread takes it from there to the scheduler, and computes one batch
after the other. A cancel therefore is heard in the middle of a computation: ctypes gives up the
interpreter's lock while llama.cpp runs. When the input ends, nobody is left to work for, and the worker
leaves.
"""

from __future__ import annotations

import collections
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import BinaryIO

import msgspec
import psutil

from .._version import __version__
from ..contract import wire
from ..errors import BackendUnavailable, LocalCoderError, OutOfMemory
from . import draft, keeping
from .calibration import costs_now, step_seconds
from .costs import StepCosts
from .draft import Drafter
from .engine import Engine
from .limits import limit_memory
from .lookup import DraftPolicy
from .model import ModelFacts
from .prompting import Prompter
from .scheduler import Scheduler
from .splice import SpliceLimits
from .task import CancelableRequest

LEAVE_SECONDS = 1.5
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
        self._scheduler: Scheduler | None = None
        self._plan: wire.LoadFrame | None = None
        self._wake = threading.Condition()
        self._inbox: collections.deque[wire.LoadFrame | wire.UnloadFrame | CancelableRequest] = (
            collections.deque()
        )
        self._jobs: dict[int, CancelableRequest] = {}
        """Requests that have not ended, by id; the reader marks them, the main thread takes them out."""
        self._leaving = False

    def run(self) -> None:
        """Serve until the input ends or an `Unload` comes."""
        self._greet()
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        while True:
            for work in self._arrived():
                if isinstance(work, wire.UnloadFrame):
                    self._save_prefix_cache()
                    self._send(wire.Unloaded(id=work.id))
                    return
                self._guarded(work)
            if self._leaving:
                return
            if self._scheduler is not None and not self._scheduler.idle:
                self._step(self._scheduler)

    # The main thread

    def _arrived(self) -> list[wire.LoadFrame | wire.UnloadFrame | CancelableRequest]:
        """What has come since the last step; waits for something where there is nothing to do."""
        with self._wake:
            idle = self._scheduler is None or self._scheduler.idle
            while idle and not self._inbox and not self._leaving:
                self._wake.wait()
            work = list(self._inbox)
            self._inbox.clear()
            return work

    def _guarded(self, work: wire.LoadFrame | CancelableRequest) -> None:
        id_ = work.id if isinstance(work, wire.LoadFrame) else work.request.id
        try:
            if isinstance(work, wire.LoadFrame):
                self._load(work)
            elif self._scheduler is None:
                raise BackendUnavailable("The worker has no model loaded.")
            else:
                self._scheduler.submit(work)
        except LocalCoderError as error:
            self._emit(
                wire.Error(
                    id=id_,
                    code=error.code,
                    message=error.message,
                    recovery=error.recovery,
                    details=dict(error.details),
                )
            )
        except MemoryError:
            self._emit(wire.Error(id=id_, code=OutOfMemory.code, message="Python ran out of memory."))

    def _step(self, scheduler: Scheduler) -> None:
        try:
            scheduler.step()
        except Exception:
            # Nothing that is in the engine can be trusted after this: the supervisor makes a new worker.
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
            os._exit(70)

    def _load(self, plan: wire.LoadFrame) -> None:
        start = time.monotonic()
        # A GPU's driver maps memory that is not this machine's.
        on_cpu = plan.n_gpu_layers == 0 or not self._engine.machine().gpu_offload
        limit_memory(plan.memory_bytes if on_cpu else 0)
        facts = self._engine.load(
            plan, lambda fraction: self._send(wire.LoadProgress(id=plan.id, fraction=fraction))
        )
        believed = plan.costs_are_new and 1 in plan.costs
        costs = StepCosts(plan.costs if believed else costs_now(self._engine, plan.costs))
        prompter = Prompter(self._engine, facts, builtin_chat_format=plan.builtin_chat_format)
        prompter.chat.prepare()
        limits = SpliceLimits(enabled=plan.splice, changed_share=plan.splice_changed_share)
        scheduler = Scheduler(
            self._engine,
            facts,
            prompter,
            self._emit,
            costs,
            limits,
            # A number that somebody has set is not changed.
            adapt_threads=not plan.n_threads,
            drafter=self._drafter(plan, facts, costs),
        )
        restored = 0
        if plan.state_path:
            restored = keeping.restore(scheduler.cache, self._engine, Path(plan.state_path))
        self._scheduler, self._plan = scheduler, plan
        self._send(
            wire.Loaded(
                id=plan.id,
                n_ctx=facts.n_ctx,
                n_ctx_train=facts.n_ctx_train,
                n_vocab=facts.n_vocab,
                n_layers=facts.n_layers,
                n_gpu_layers=facts.n_gpu_layers,
                description=facts.description,
                fill_in_the_middle=prompter.fill is not None,
                chat_template=prompter.chat.usable,
                weights_bytes=facts.weights_bytes,
                load_ms=(time.monotonic() - start) * 1000,
                n_cells=facts.n_cells,
                costs=costs.table,
                restored_sequences=restored,
                drafts=scheduler.drafts,
            )
        )

    def _drafter(self, plan: wire.LoadFrame, facts: ModelFacts, costs: StepCosts) -> Drafter | None:
        """Load the small model; an answer needs it for nothing but speed, so its failures are none."""
        if not plan.draft_path:
            return None
        small = Engine(beside=self._engine)
        try:
            own = small.load(
                msgspec.structs.replace(plan, path=plan.draft_path, n_cells=0, use_mlock=False),
                lambda _: None,
            )
        except LocalCoderError as failure:
            print(f"the draft model is not used: {failure.message}", file=sys.stderr)
            return None
        if not draft.fits(small, own, self._engine, facts):
            print("the draft model is not used: its vocabulary differs", file=sys.stderr)
            return None
        policy = DraftPolicy(costs, draft_seconds=step_seconds(small), shy=False)
        return Drafter(small, own.n_ctx, policy)

    def _save_prefix_cache(self) -> None:
        """Write what was computed to the disk, so that it need not be computed again after an unload."""
        if self._scheduler is None or self._plan is None or not self._plan.state_path:
            return
        try:
            keeping.save(
                self._scheduler.cache, self._engine, Path(self._plan.state_path), self._plan.state_bytes
            )
        except OSError as failure:
            print(f"the computed state is not saved: {failure}", file=sys.stderr)

    def _emit(self, frame: wire.FromWorker) -> None:
        if isinstance(frame, wire.Finished | wire.Error):
            with self._wake:
                self._jobs.pop(frame.id, None)
        self._send(frame)

    # The reader's thread

    def _read(self) -> None:
        try:
            while (frame := wire.read_to_worker(self._reader.read)) is not None:
                self._handle_frame(frame)
        except (wire.FrameError, OSError) as failure:
            print(f"the input is broken: {failure}", file=sys.stderr)
        finally:
            self._stop_all()

    def _handle_frame(self, frame: wire.ToWorker) -> None:
        if isinstance(frame, wire.Ping):
            self._send(self._pong(frame.id))
        elif isinstance(frame, wire.Cancel):
            self._cancel(frame)
        elif isinstance(frame, wire.GenerateFrame):
            self._enqueue(CancelableRequest(frame))
        else:
            self._enqueue(frame)

    def _enqueue(self, work: wire.LoadFrame | wire.UnloadFrame | CancelableRequest) -> None:
        with self._wake:
            self._inbox.append(work)
            if isinstance(work, CancelableRequest):
                self._jobs[work.request.id] = work
                scheduler = self._scheduler
                rank = scheduler.reading_rank if scheduler is not None else None
                if rank is not None and work.rank < rank:
                    # Somebody of higher rank need not wait until a prompt of lower rank is read.
                    self._engine.abort()
            self._wake.notify()

    def _cancel(self, frame: wire.Cancel) -> None:
        with self._wake:
            job = self._jobs.get(frame.id)
            if job is None:
                return
            job.ended = frame.reason
            scheduler = self._scheduler
            if scheduler is None:
                return
            batch = scheduler.batch_jobs
            # A batch in which somebody else writes goes on: it is short, and its tokens are wanted.
            if frame.id in scheduler.reading_ids or (batch and all(other.ended for other in batch)):
                self._engine.abort()

    def _pong(self, id_: int) -> wire.Pong:
        scheduler = self._scheduler
        with self._wake:
            open_ = len(self._jobs)
        running = scheduler.running if scheduler is not None else 0
        return wire.Pong(
            id=id_,
            running=running,
            waiting=max(0, open_ - running),
            steps=scheduler.steps if scheduler is not None else 0,
            rss_bytes=psutil.Process().memory_info().rss,
            reserved_cells=scheduler.cache.reserved if scheduler is not None else 0,
        )

    def _stop_all(self) -> None:
        with self._wake:
            self._leaving = True
            for job in self._jobs.values():
                job.ended = "canceled"
            self._engine.abort()
            self._wake.notify()
        time.sleep(LEAVE_SECONDS)
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
