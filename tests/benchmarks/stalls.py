"""How long each operation holds up the event loop, by the largest request that it takes.

The service runs in this process, with a scripted worker: what is measured is what all requests of a Jupyter
server wait for. A notebook of 4 MB, a history of 100,000 answers, a catalogue of 5,000 models. Two figures an
operation: the time of the processor that the loop's thread takes at one go, and the wait by the clock, in
which the interpreter's lock and other programs are. The first one has the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.generation import ChatRequest, Done, GenerateRequest, Message
from jupyter_localcoder.contract.models import ModelImportRequest
from jupyter_localcoder.contract.registry import OPERATIONS, Operation
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import LocalCoderError
from jupyter_localcoder.models import catalogue
from jupyter_localcoder.service import Service
from tests.support.tiny_model import write_tiny_model
from tests.support.workers import spawn
from tests.support.worst_requests import WorstRequests

from .figure import Figure, Target
from .history import PROMPTS, RESPONSES, Words, fill
from .setting import Setting

CHARS = 4_000_000
MODELS = 5000
_TARGET_MS = 50.0
_EVERY_SECONDS = 0.001


def run(setting: Setting) -> Iterator[Figure]:
    """Measure all operations."""
    yield from asyncio.run(measure(CHARS, RESPONSES, PROMPTS, MODELS, setting.times(3)))


async def measure(chars: int, responses: int, prompts: int, models: int, times: int) -> list[Figure]:
    """Measure with texts, a history and a catalogue of these sizes."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="localcoder-stalls-") as name:
        folder = Path(name)
        chance = random.Random(6)
        ids = fill(folder / "history", Words(chance), chance, responses, prompts)
        service = _service(folder, models)
        try:
            worst = await _prepare(service, folder, chars, ids[0])
            for op in OPERATIONS:
                held: list[float] = []
                waited: list[float] = []
                for make in worst.by_operation()[op.name]:
                    for _ in range(times):
                        stall = await _asked(service, op, make)
                        held.append(stall.held_ms)
                        waited.append(stall.waited_ms)
                note = f"by the clock {max(waited):.0f} ms"
                figures.append(
                    Figure(bench="stalls", name=op.name, unit="ms", ours=held, of="worst",
                           target=Target(_TARGET_MS), note=note)
                )  # fmt: skip
        finally:
            await service.close()
    return figures


def _service(folder: Path, models: int) -> Service:
    builtin = json.loads((Path(catalogue.__file__).with_name("catalogue.json")).read_text())
    one = builtin["models"][0]
    one["sources"] = one["sources"][:1]  # so that all of them fit into what a catalogue may have
    many = [{**one, "id": f"model-{n}", "sha256": f"{n:064x}"} for n in range(models)]
    overlay = folder / "catalogue.json"
    overlay.write_text(json.dumps({"format": builtin["format"], "models": many}))
    config = {
        "LocalCoderSettings": {"settings_dir": str(folder / "settings")},
        "ModelStore": {"models_dir": str(folder / "models"), "catalogue_path": str(overlay)},
        "HistoryStore": {"history_dir": str(folder / "history")},
    }
    service = build_service(config=Config(config))
    service.pool.spawn = spawn(json.dumps({"says": "An answer.", "title": "A title"}))
    return service


async def _prepare(service: Service, folder: Path, chars: int, response: str) -> WorstRequests:
    model = folder / "tiny.gguf"
    write_tiny_model(model)
    await service.models.model_import(ModelImportRequest(path=str(model), id="tiny"))
    await service.settings.settings_update(SettingsUpdateRequest(model="tiny", general_model="tiny"))
    await _done(service.generation.generate(GenerateRequest(command="explain", code="x")))
    question = Message(role="user", content="hi")
    turn = await _done(service.generation.chat(ChatRequest(messages=(question,), conversation="new")))
    return WorstRequests(
        chars, model="tiny", response=response, conversation=turn.conversation, turn=turn.run,
        folder=str(folder),
    )  # fmt: skip


async def _done(frames: Any) -> Done:
    last = [frame async for frame in frames][-1]
    assert isinstance(last, Done)
    return last


class _Stall:
    """The longest time for which the loop did nothing else, while a ``with`` block lasts."""

    def __init__(self) -> None:
        self.held_ms = 0.0
        self.waited_ms = 0.0

    async def __aenter__(self) -> _Stall:
        self._task = asyncio.ensure_future(self._look())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(_EVERY_SECONDS)
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            clock, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_EVERY_SECONDS)
            self.waited_ms = max(self.waited_ms, (time.perf_counter() - clock - _EVERY_SECONDS) * 1000)
            self.held_ms = max(self.held_ms, (time.thread_time() - busy) * 1000)


async def _asked(service: Service, op: Operation[Any, Any], make: Callable[[], msgspec.Struct]) -> _Stall:
    raw = codec.encode(make())
    decode = codec.decode_body
    async with _Stall() as stall:
        with contextlib.suppress(LocalCoderError):
            # As a transport does it.
            long = len(raw) > codec.AT_ONCE_BYTES
            request = await asyncio.to_thread(decode, op.request, raw) if long else decode(op.request, raw)
            answer = await service.handle(op, request)
            if not op.streams:
                codec.encode(answer)
            else:
                async with contextlib.aclosing(answer) as frames:
                    async for frame in frames:
                        codec.encode(frame)
    return stall
