"""Workers without processes, that say and do what a test wants, when it wants it.

They keep the rules of `WorkerProcess` (callbacks in the event loop, one exit each, nothing after it), and
hold what the supervisor sends against the rules of the worker.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Literal

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.process import WorkerExit
from jupyter_localcoder.errors import BackendUnavailable
from tests.support.workers import plan

HELLO = wire.Hello(
    protocol=wire.PROTOCOL, pid=1, version="0", llama_cpp="none", system_info="", gpu_offload=False,
    mlock=False,
)  # fmt: skip


MEASURED = {1: 0.01, 64: 0.1}


class HandWorker:
    """A worker in the hands of a test."""

    def __init__(
        self,
        hand: Hand,
        pid: int,
        on_frame: Callable[[wire.FromWorker], None],
        on_exit: Callable[[WorkerExit], None],
    ) -> None:
        self._hand = hand
        self.pid = pid
        self._on_frame = on_frame
        self._on_exit = on_exit
        self.alive = True
        self.stopping = False
        self._killed_because = ""
        self.load: wire.LoadFrame | None = None
        """A load that is not answered yet."""
        self.costs: dict[int, float] = {}
        """The speeds that it was told of."""
        self.costs_are_new = False
        self.loaded = ""
        """The path of the loaded model."""
        self.open: dict[int, wire.GenerateFrame] = {}
        """Requests that have no end yet."""
        self.cancels: dict[int, str] = {}
        self.hangs = False
        """Whether it gives no sign of life."""
        self.unanswered_pings: list[int] = []
        """Ids of the pings that came meanwhile."""
        self.stands = False
        """Whether it computes nothing any more; it says so when it is asked."""

    def send(self, frame: wire.ToWorker) -> None:
        wire.pack(frame)
        if not self.alive or self.stopping:
            return
        if isinstance(frame, wire.LoadFrame):
            assert self.load is None, "one load at a time"
            assert not self.loaded, "a worker holds one model in its life"
            self.load = frame
            self.costs, self.costs_are_new = frame.costs, frame.costs_are_new
        elif isinstance(frame, wire.GenerateFrame):
            self._hand.take(frame, self)
            self.open[frame.id] = frame
        elif isinstance(frame, wire.Cancel) and frame.id in self.open:
            self.cancels[frame.id] = frame.reason
        elif isinstance(frame, wire.Ping) and self.hangs:
            self.unanswered_pings.append(frame.id)
        elif isinstance(frame, wire.Ping):
            self._hand.steps += not self.stands
            pong = wire.Pong(
                id=frame.id, running=len(self.open), waiting=0, steps=self._hand.steps, rss_bytes=1
            )
            self._hand.loop.call_soon(self.say, pong)
        if self._hand.kind:
            self._hand.loop.call_soon(self.answer_everything)

    async def stop(self, grace_seconds: float) -> WorkerExit:
        self.stopping = True
        await asyncio.sleep(self._hand.stop_seconds)
        if self.alive:
            self.die(0)
        return WorkerExit(0, True, "")

    def kill(self, because: str = "") -> None:
        self._killed_because = self._killed_because or because
        self._hand.loop.call_soon(self.die, -9)

    # What a test makes it do

    def say(self, frame: wire.FromWorker) -> None:
        if self.alive:
            self._on_frame(frame)

    def die(self, code: int, last_words: str = "") -> None:
        if self.alive:
            if not self.stopping:
                self._hand.on_crash(self)
            self.alive = False
            self._on_exit(WorkerExit(code, self.stopping, last_words, killed_because=self._killed_because))

    def answer_load(self, error: str = "") -> None:
        load, self.load = self.load, None
        assert load is not None
        if error:
            self.say(wire.Error(id=load.id, code=error, message="it does not work"))
            return
        self.loaded = load.path
        self.say(
            wire.Loaded(
                id=load.id, n_ctx=4096, n_ctx_train=4096, n_vocab=256, n_layers=2, n_gpu_layers=0,
                description="", fill_in_the_middle=True, chat_template=True, weights_bytes=1, load_ms=1.0,
                costs=MEASURED,
            )
        )  # fmt: skip

    def write(self, id_: int) -> None:
        self.say(wire.Text(id=id_, text="x", tokens=1))

    def finish(self, id_: int, how: Literal["ends", "fails"] = "ends") -> None:
        """End a request, as it was asked to where it was."""
        del self.open[id_]
        if how == "fails":
            self.say(wire.Error(id=id_, code="TOKEN_LIMIT_EXCEEDED", message="too long"))
            return
        self.say(
            wire.Finished(
                id=id_, finish=self.cancels.get(id_, "stop"), prompt_tokens=3, cached_tokens=0,  # type: ignore[arg-type]
                left_out_tokens=0, completion_tokens=1, queue_ms=0.0, prefill_ms=1.0, decode_ms=1.0,
                prompt_sha256="",
            )
        )  # fmt: skip

    def answer_everything(self) -> None:
        if self.load is not None:
            self.answer_load()
        for id_ in list(self.open):
            self.finish(id_)


class Hand:
    """Spawns workers, and knows them all.

    Parameters
    ----------
    loop
        Whose clock they live by.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.workers: list[HandWorker] = []
        self.births: list[asyncio.Future[bool]] = []
        """Workers that have not said hello yet: set to whether they do."""
        self.asked: dict[int, int] = {}
        """Process id of the worker that got a request, by the request's id."""
        self.on_crash: Callable[[HandWorker], None] = lambda _: None
        """Is told of each end that nobody asked for, before the supervisor is."""
        self.kind = False
        """Whether every worker does at once what it is asked."""
        self.stop_seconds = 0.0
        self.steps = 0
        self.starts = 0
        self.most_at_once = 0
        self._pids = itertools.count(1)

    async def spawn(
        self,
        *,
        on_frame: Callable[[wire.FromWorker], None],
        on_exit: Callable[[WorkerExit], None],
        log: Any,
        timeout_seconds: float,
    ) -> tuple[HandWorker, wire.Hello]:
        """What `Supervisor(spawn=…)` takes."""
        self.starts += 1
        birth: asyncio.Future[bool] = self.loop.create_future()
        self.births.append(birth)
        self._count()
        if self.kind:
            birth.set_result(True)
        try:
            born = await asyncio.wait_for(birth, timeout_seconds)
        except asyncio.TimeoutError:
            born = False
        finally:
            self.births.remove(birth)
        if not born:
            raise BackendUnavailable("The inference worker did not start.")
        worker = HandWorker(self, next(self._pids), on_frame, on_exit)
        self.workers.append(worker)
        self._count()
        return worker, HELLO

    @property
    def alive(self) -> list[HandWorker]:
        return [worker for worker in self.workers if worker.alive]

    def take(self, frame: wire.GenerateFrame, worker: HandWorker) -> None:
        """Take note of a request that reaches a worker."""
        assert frame.id not in self.asked, "no request is sent twice"
        assert isinstance(frame.prompt, wire.ChatPrompt)
        assert worker.loaded == plan(frame.prompt.turns[-1].content).load.path, "another model is loaded"
        self.asked[frame.id] = worker.pid

    def be_kind(self) -> None:
        """From now on everything goes well."""
        self.kind = True
        for birth in self.births:
            if not birth.done():
                birth.set_result(True)
        for worker in self.alive:
            worker.hangs = False
            worker.answer_everything()

    def _count(self) -> None:
        self.most_at_once = max(self.most_at_once, len(self.births) + len(self.alive))
