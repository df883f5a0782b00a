"""A provider and a clock that do what a test says, and nothing by themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from jupyter_localcoder.errors import LocalCoderError, ProviderNotFound
from jupyter_localcoder.providers.base import (
    AnswerDelta,
    Check,
    End,
    Messages,
    ProviderRequest,
    ReportedUsage,
)
from jupyter_localcoder.providers.choice import ChosenProvider

Step = str | End | Exception


class Stream:
    """One answer, whose frames a test gives."""

    def __init__(self, request: ProviderRequest) -> None:
        self.request = request
        self.steps: asyncio.Queue[Step] = asyncio.Queue()
        self.open = True

    @property
    def prompt(self) -> str:
        assert isinstance(self.request.input, Messages)
        return self.request.input.turns[-1].content

    def give(self, *steps: Step) -> None:
        for step in steps:
            self.steps.put_nowait(step)

    def finish(self, text: str = "answer", reason: str = "stop") -> None:
        usage = ReportedUsage(prompt_tokens=3, completion_tokens=2)
        self.give(text, End(reason, usage=usage, model="scripted-1"))  # type: ignore[arg-type]


class ScriptedProvider:
    """Hands its streams to the test; `auto` answers by itself."""

    def __init__(self, *, auto: bool = False, lets_go: bool = True) -> None:
        self.auto = auto
        self.lets_go = lets_go
        self.streams: list[Stream] = []
        self.most_open = 0

    @property
    def open(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.open]

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        stream = Stream(request)
        self.streams.append(stream)
        self.most_open = max(self.most_open, len(self.open))
        if self.auto:
            stream.finish(f"answer to {stream.prompt}")
        try:
            while True:
                step = await stream.steps.get()
                if isinstance(step, Exception):
                    raise step
                yield step if isinstance(step, End) else AnswerDelta(step)
                if isinstance(step, End):
                    return
        finally:
            while not self.lets_go:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)
            stream.open = False

    async def check(self) -> Check:
        return Check(models=("scripted-1",), latency_ms=0.0)

    async def close(self) -> None:
        pass


class ScriptedChoice:
    """Providers by their ids; the first one is active."""

    def __init__(self, **providers: ScriptedProvider) -> None:
        self.providers = providers
        self.active = next(iter(providers))
        self.refusal: LocalCoderError | None = None

    async def choose(self, id_: str) -> ChosenProvider:
        if self.refusal is not None:
            raise self.refusal
        name = id_ or self.active
        if name not in self.providers:
            raise ProviderNotFound
        return ChosenProvider(name, self.providers[name], timeout_seconds=100.0)


class Alarm:
    """Something that will happen at a time of the scripted clock."""

    def __init__(self, at: float, do: Callable[[], None]) -> None:
        self.at = at
        self.do: Callable[[], None] | None = do

    def cancel(self) -> None:
        self.do = None


class ScriptedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.alarms: list[Alarm] = []

    def later(self, seconds: float, do: Callable[[], None]) -> Alarm:
        alarm = Alarm(self.now + seconds, do)
        self.alarms.append(alarm)
        return alarm

    def forward(self, seconds: float) -> None:
        """Move on; what is due happens in the order of its time."""
        until = self.now + seconds
        while self.step(until):
            pass

    def step(self, until: float) -> bool:
        """Move on to the next thing that is due, or to ``until`` where nothing is; whether something was."""
        self.alarms = [alarm for alarm in self.alarms if alarm.do is not None]
        due = [alarm for alarm in self.alarms if alarm.at <= until]
        if not due:
            self.now = until
            return False
        alarm = min(due, key=lambda alarm: alarm.at)
        self.now = alarm.at
        do, alarm.do = alarm.do, None
        assert do is not None
        do()
        return True
