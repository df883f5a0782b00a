"""A client and a store that follow a script, and the command line over them.

Run as a program it is the real command line with these two behind it: `python scripted.py explain FILE`.
The environment variable SCRIPT then holds the fields of `Script` as JSON.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from jupyter_localcoder import errors
from jupyter_localcoder.cli.ports import Ports
from jupyter_localcoder.cli.run import run
from jupyter_localcoder.client import Client, Stream
from jupyter_localcoder.contract import (
    backend,
    codec,
    common,
    generation,
    history,
    models,
    notebook,
    providers,
    queue,
    registry,
    settings,
    stats,
)
from jupyter_localcoder.models import catalogue
from jupyter_localcoder.providers.kinds import BUILT_IN

MODEL = "qwen2.5-coder-0.5b"
SIZE = 491_400_064


@dataclass
class Script:
    """What happens."""

    answer: list[str] = field(default_factory=lambda: ["Hello ", "world."])
    reasoning: list[str] = field(default_factory=list)
    """What the model reasons first."""
    finish: str = "stop"
    problem: str = ""
    """Why the answer must not be written."""
    endless: bool = False
    """The pieces of an answer come again and again."""
    hangs: bool = False
    """After its first piece an answer waits until it is cancelled, a download after half of its steps."""
    gate: str = ""
    """Each piece of an answer waits for the file of this name, with the number of the piece behind it."""
    fail: str = ""
    """Code of the error that every call raises."""
    server: bool = True
    air_gap: bool = False
    accepted: bool = False
    ready: bool = False
    received: int = 0
    steps: int = 40
    """Of a download."""
    broken: bool = False
    """The model's file has the wrong digest."""
    loaded: bool = False
    pinned: bool = False
    """To its version."""
    key_place: str = "keyring"
    """Where a key would be kept."""
    answered: int = 0
    """Answers in the history, of which each second one is a turn of a chat."""
    no_gpu: bool = False
    """The settings ask for a GPU, and there is none."""
    queued: int = 0
    """Requests in the queue; the first one runs."""
    conversation: str = ""
    """Of which an answer is a turn."""
    left_out: int = 0
    """Turns of it that were not read."""
    unanswered: bool = False
    """A queued prompt fails."""
    interrupted: bool = False
    """Somebody presses Ctrl-C while it is waited for."""
    too_big: bool = False
    """A load is refused unless it is forced."""
    disabled: bool = False
    """Completion is switched off."""


class FakeStream(Stream):
    """The frames of the script; closing it early is written down."""

    def __init__(self, script: Script, log: list[Any]) -> None:
        self.script = script
        self.log = log
        self.frames = self._frames()
        self.ended = False

    def __next__(self) -> Any:
        return next(self.frames)

    def close(self) -> None:
        self.log.append("closed" if self.ended else "cancelled")

    def _frames(self) -> Any:
        yield generation.Started(run="r1")
        for piece in self.script.reasoning:
            yield generation.Delta(run="r1", text="", reasoning=piece)
        pieces = itertools.cycle(self.script.answer) if self.script.endless else self.script.answer
        for number, piece in enumerate(pieces):
            if self.script.gate:
                wait_for(Path(f"{self.script.gate}{number}"))
            yield generation.Delta(run="r1", text=piece)
            while self.script.hangs:
                time.sleep(60)
        self.ended = True
        done = done_frame("".join(self.script.answer), self.script.finish)
        change = generation.Change(code="", problem=self.script.problem, recovery="Do it.")
        yield msgspec.structs.replace(
            done,
            change=change if self.script.problem else None,
            conversation=self.script.conversation,
            left_out_turns=self.script.left_out,
        )


def wait_for(file: Path) -> None:
    """What a test makes when something is to go on; a test that has failed makes nothing any more."""
    deadline = time.monotonic() + 120
    while not file.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"{file} did not come")
        time.sleep(0.01)


def done_frame(text: str, finish: Any = "stop") -> generation.Done:
    return generation.Done(
        run="r1",
        text=text,
        finish=finish,
        usage=common.Usage(prompt_tokens=20, cached_tokens=0, completion_tokens=12),
        timings=common.Timings(
            queue_ms=0.0,
            prefill_ms=100.0,
            decode_ms=400.0,
            total_ms=500.0,
            prefill_tokens_per_second=200.0,
            decode_tokens_per_second=30.0,
        ),
        model=common.ModelStamp(id=MODEL, digest="ab" * 32, quantization="Q4_K_M"),
        sampling=common.Sampling(
            temperature=0.2, top_k=40, top_p=0.95, min_p=0.05, repeat_penalty=1.0, seed=7
        ),
        prompt_sha256="cd" * 32,
    )


NO_GPU = backend.LoadWarning(
    code="GPU_NOT_USED", message="It runs on the processor.", action="Install another build."
)
RESIDENT = backend.ResidentModel(model=MODEL, profile="Tiny", state="ready", reason="", warning=NO_GPU)


def queue_item(position: int) -> queue.QueueItem:
    return queue.QueueItem(
        id=f"r{position}",
        prompt_id=f"p{position}",
        provider="embedded",
        model=MODEL,
        priority="normal",
        state="running" if position == 1 else "waiting",
        position=position,
        keep=False,
        private=False,
        path="work/an analysis\x1b[31m.ipynb",
        cell="",
        added=(datetime.now(timezone.utc) - timedelta(seconds=125)).isoformat(timespec="milliseconds"),
    )


def kept(number: int) -> history.Response:
    """An answer of the history; the largest number is the newest."""
    chat = number % 2 == 0
    added = datetime.now(timezone.utc) - timedelta(seconds=125)
    return history.Response(
        id=f"{number:016x}",
        prompt_id=f"p{number}",
        kind="chat" if chat else "generate",
        command="" if chat else "explain",
        conversation_id="c" * 16 if chat else "",
        created_at=added.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        title="Reading\x1b[31m a file" if chat else MODEL,
        title_source="generated" if chat else "model",
        preview="What does this do?",
        provider="embedded",
        model=MODEL,
        finish="stop",
        completion_tokens=12,
        milliseconds=1234.0,
        notebook="work/an analysis.ipynb",
        cell="abc",
        sampling={"seed": 7, "temperature": 0.2},
        prompt="What does\x1b]52;c;aGk=\x07 this do?",
        references=(notebook.Reference(kind="cell", name="In [3]", text="x = 1"),) if chat else (),
        content=f"Answer {number}\x1b[2J.",
    )


class FakeClient(Client):
    """Answers by the script, and writes down what was asked."""

    def __init__(self, script: Script, log: list[Any], *, local: bool = False) -> None:
        self.script = script
        self.log = log
        self.local = local
        self.settings: dict[str, Any] = {"air_gap": script.air_gap}
        self.active = "embedded"
        self.keys: dict[str, Any] = {}

    @property
    def where(self) -> str:
        return "this process" if self.local else "Jupyter server at http://localhost:8888/"

    def call(self, op: Any, request: Any) -> Any:
        self.log.append((op.name, request))
        if self.script.fail:
            raise errors.from_parts(self.script.fail, "")
        return _ANSWERS[op.name](self, request)

    def stream(self, op: Any, request: Any) -> Stream:
        self.log.append((op.name, request))
        if "LOG" in os.environ:
            Path(os.environ["LOG"]).with_name("asked").touch()
        if self.script.fail:
            raise errors.from_parts(self.script.fail, "")
        if self.script.disabled:
            raise errors.Disabled
        return FakeStream(self.script, self.log)

    def close(self) -> None:
        self.log.append("client closed")

    def view(self, request: Any) -> settings.SettingsView:
        values: dict[str, Any] = {**_DEFAULTS, **self.settings}
        sources = {name: "settings" if name in self.settings else "default" for name in values}
        return settings.SettingsView(
            settings=settings.Settings(**values),
            sources=sources,
            path="/home/you/settings.json",  # type: ignore[arg-type]
        )

    def update(self, request: Any) -> settings.SettingsView:
        for name, value in msgspec.structs.asdict(request).items():
            if value is None:
                self.settings.pop(name, None)
            elif value is not msgspec.UNSET:
                self.settings[name] = value
        return self.view(request)

    def suggestion_stats(self, request: Any) -> stats.SuggestionStats:
        counts = (
            stats.SuggestionCounts(
                model="qwen2.5-coder-1.5b-instruct-with-a-long-name", language="python", shown=12345,
                accepted=2345, accepted_line=345, accepted_word=45, dismissed=678, kept=2000,
            ),
            stats.SuggestionCounts(model="", language="r", shown=1),
        )  # fmt: skip
        return stats.SuggestionStats(
            enabled=self.settings.get("suggestion_counts", True),
            since="2026-01-01T00:00:00+00:00" if self.script.answered else "",
            counts=counts if self.script.answered else (),
            total=stats.SuggestionCounts(shown=12346, accepted=2345),
            recent_shown=50 if self.script.answered else 0,
            recent_accepted=20 if self.script.answered else 0,
            min_probability=0.45,
        )

    def models(self, request: Any) -> models.ModelList:
        store = FakeStore(self.script, [])
        return models.ModelList(
            models=tuple(store.infos(4096)),
            licenses=tuple(store.catalogue.licenses.values()),
            profiles=tuple(store.catalogue.profiles.values()),
            active_profile="Tiny",
            profile_reason="Tiny: 8.1 GB of memory available.",
            recommended_profile="Tiny",
            recommended_reason="Tiny: 8.1 GB of memory available.",
            models_dir=os.environ.get("LOCALCODER_MODELS_DIR", "/models"),
            memory=_MEMORY,
        )

    def ping(self, request: Any) -> backend.BackendStatus:
        return backend.BackendStatus(
            version="0.1.0",
            state="ready",
            generation=1,
            reason="The model is loaded.",
            model=MODEL,
            profile="Tiny",
            uptime_seconds=4000.0,
            queue_length=1,
            speeds=backend.Speeds(
                prefill_tokens_per_second=812.0,
                decode_tokens_per_second=31.4,
                first_token_ms=140.0,
                first_token_p90_ms=300.0,
                requests=12,
            ),
            memory=_MEMORY,
            air_gap=self.script.air_gap,
            acceleration="cpu",
            context_window=8192,
            resident=(RESIDENT,) if self.script.no_gpu else (),
        )

    def load(self, request: Any) -> models.LoadedModel:
        if self.script.too_big and not request.force:
            raise errors.OutOfMemory(
                f"`{request.id}` needs 5.0 GB of memory; 1.0 GB are free for it.", refused=True
            )
        return models.LoadedModel(
            id=request.id,
            digest="ab" * 32,
            context_window=8192,
            acceleration="cpu",
            load_ms=1234.0,
            fill_in_the_middle=True,
            warning=NO_GPU if self.script.no_gpu else None,
        )

    def provider(self, id_: str, **changes: Any) -> providers.ProviderInfo:
        fields = {"type": "openai_compatible", "base_url": "http://127.0.0.1:8080/v1", "model": "m\x1b[31m"}
        fields |= {"timeout_seconds": 60.0}
        request = codec.decode(providers.ProviderFields, {**fields, **changes})
        return providers.ProviderInfo(
            id=id_, **msgspec.structs.asdict(request), active=self.active == id_,
            key=self.keys.get(id_, "none"), key_needed=False, remote=True, in_use=0, price=None,
            completes=False, problem="The air gap is on." if self.script.air_gap else "",
        )  # fmt: skip

    def provider_list(self, request: Any) -> providers.ProviderList:
        embedded = self.provider("embedded", type="embedded", base_url="", model="")
        return providers.ProviderList(
            providers=(embedded, self.provider("acme")),
            kinds=tuple(kind.listed(type_) for type_, kind in BUILT_IN.items()),
            active=self.active,
            key_storage=providers.KeyStorage(place=self.script.key_place, note="Keys are kept well."),  # type: ignore[arg-type]
            path="/home/you/providers.json",
            prices_path="/home/you/prices.json",
            problem="",
        )

    def provider_save(self, request: Any) -> providers.ProviderInfo:
        if request.key:
            self.keys[request.id] = "keyring"
        names = providers.ProviderFields.__struct_fields__
        return self.provider(request.id, **{name: getattr(request, name) for name in names})

    def provider_activate(self, request: Any) -> providers.ProviderList:
        self.active = request.id
        return self.provider_list(request)

    def provider_key(self, request: Any) -> providers.ProviderInfo:
        self.keys[request.id] = "session" if getattr(request, "keep", "") == "session" else "keyring"
        return self.provider(request.id)

    def queue(self, request: Any) -> queue.QueueView:
        items = [queue_item(number) for number in range(1, self.script.queued + 1)]
        lost = errors.BackendUnavailable("The service stopped before the request was answered.")
        ended = msgspec.structs.replace(
            queue_item(0), id="lost", state="failed", error=codec.error_payload(lost), path=""
        )
        stream = queue.StreamItem(
            id="s1",
            kind="generate",
            command="fix",
            provider="acme",
            path="c.ipynb",
            cell="",
            started=queue_item(1).added,
        )
        return queue.QueueView(
            running=tuple(items[:1]),
            waiting=tuple(items[1:]),
            ended=(ended,) * (len(items) > 0),
            limit=512,
            streams=(stream,) * (len(items) > 0),
        )

    def answers(self, request: Any) -> history.ResponseList:
        infos = [
            history.ResponseInfo(
                **{name: getattr(kept(n), name) for name in history.ResponseInfo.__struct_fields__}
            )
            for n in range(self.script.answered, 0, -1)
        ]
        page = infos[request.offset : request.offset + request.limit]
        return history.ResponseList(responses=tuple(page), total=len(infos), offset=request.offset)

    def kept(self, request: Any) -> history.Response:
        if not 0 < int(request.id, 16) <= self.script.answered:
            raise errors.ResponseNotFound
        return kept(int(request.id, 16))

    def search(self, request: Any) -> history.ResponsesFound:
        excerpt = (
            history.Excerpt(text="before ", match=False),
            history.Excerpt(text="the\x1b[2J word", match=True),
            history.Excerpt(text="\nand after" * 20, match=False),
        )
        all_ = [history.Found(response=kept(n), excerpt=excerpt) for n in range(self.script.answered, 0, -1)]
        page = all_[request.offset : request.offset + request.limit]
        more = request.offset + len(page) < len(all_)
        return history.ResponsesFound(found=tuple(page), more=more, offset=request.offset)

    def title(self, request: Any) -> history.ResponseInfo:
        return msgspec.structs.replace(self.kept(request), title=getattr(request, "title", "Made by a model"))

    def chats(self, request: Any) -> history.ConversationList:
        chats = (self.chat(request).info,) if self.script.answered > 1 else ()
        return history.ConversationList(conversations=chats, total=len(chats), offset=0)

    def chat(self, request: Any) -> history.Conversation:
        turns = tuple(kept(n) for n in range(2, self.script.answered + 1, 2))
        if not turns:
            raise errors.ConversationNotFound
        info = history.ConversationInfo(
            id="c" * 16, title=turns[0].title, turns=len(turns), notebook=turns[0].notebook,
            created_at=turns[0].created_at, updated_at=turns[-1].created_at,
        )  # fmt: skip
        return history.Conversation(info=info, turns=turns)

    def title_config(self, request: Any) -> history.TitleConfig:
        given = {
            name: value
            for name, value in msgspec.structs.asdict(request).items()
            if value is not msgspec.UNSET
        }
        return history.TitleConfig(**given)

    def queued_answer(self, request: Any) -> queue.QueueAnswer:
        """The second question finds it ended."""
        if self.script.interrupted:
            raise KeyboardInterrupt
        asked = sum(entry[0] == "queue:get" for entry in self.log if isinstance(entry, tuple))
        ended = asked > 1
        failed = errors.RateLimited("Slow down.") if self.script.unanswered else None
        item = msgspec.structs.replace(
            queue_item(0 if ended else 1), id=request.id, state="done" if ended else "running",
            error=codec.error_payload(failed) if failed and ended else None, prompt_kept=True,
        )  # fmt: skip
        return queue.QueueAnswer(
            item=item, text="Hello\x1b[31m world." if ended else "Hello", finish="stop" if ended else None,
            usage=queue.TokenCounts(completion_tokens=12 if ended else None), milliseconds=500.0,
            prompt="Hello?\x1b[31m" if request.with_prompt else "",
        )  # fmt: skip

    def inspection(self, request: Any) -> generation.Inspection:
        done = done_frame("Hello")
        names = ("finish", "withheld", "usage", "timings", "model", "sampling", "prompt_sha256")
        return generation.Inspection(
            run=request.run or "newest", kind="generate", time="2026-11-21T12:00:00.000Z", scope="a.ipynb",
            prompt="<|im_start|>\x1b[31mHello", redacted="<|im_start|>xxxxx",
            parts=(generation.PromptPart(source="this cell", tokens=20, left_out_tokens=3),),
            **{name: getattr(done, name) for name in names},
        )  # fmt: skip

    def cancel_one(self, request: Any) -> common.Empty:
        if request.id != "r1":
            raise errors.RequestNotFound
        return common.Empty()

    def pin(self, request: Any) -> models.ModelInfo:
        self.script.pinned = request.pinned
        return FakeStore(self.script, self.log).info(request.id, 0)

    def delete(self, request: Any) -> models.DeletedModel:
        if self.script.loaded and not request.force:
            raise errors.ModelInUse
        return models.DeletedModel(id=request.id, freed_bytes=SIZE)


_ANSWERS: dict[str, Callable[[FakeClient, Any], Any]] = {
    registry.SETTINGS_GET.name: FakeClient.view,
    registry.SETTINGS_UPDATE.name: FakeClient.update,
    registry.MODEL_LIST.name: FakeClient.models,
    registry.PING.name: FakeClient.ping,
    registry.STATS_GET.name: FakeClient.suggestion_stats,
    registry.STATS_ERASE.name: lambda client, request: common.Empty(),
    registry.MODEL_LOAD.name: FakeClient.load,
    registry.MODEL_UNLOAD.name: lambda client, request: common.Empty(),
    registry.MODEL_PIN.name: FakeClient.pin,
    registry.MODEL_DELETE.name: FakeClient.delete,
    registry.PROVIDER_LIST.name: FakeClient.provider_list,
    registry.PROVIDER_SAVE.name: FakeClient.provider_save,
    registry.PROVIDER_SET_ACTIVE.name: FakeClient.provider_activate,
    registry.PROVIDER_DELETE.name: lambda client, request: providers.ProviderDeleted(
        note="The embedded model now completes while you type." if request.id == "lab" else ""
    ),
    registry.PROVIDER_TEST.name: lambda client, request: providers.ProviderTested(
        id=request.id, models=tuple(f"m-{n}" for n in range(25)), latency_ms=12.3, model_listed=False
    ),
    registry.PROVIDER_SET_KEY.name: FakeClient.provider_key,
    registry.PROVIDER_FORGET_KEY.name: lambda client, request: client.provider(request.id),
    registry.QUEUE_LIST.name: FakeClient.queue,
    registry.QUEUE_GET.name: FakeClient.queued_answer,
    registry.LLM_CALL.name: lambda client, request: queue.Queued(id="r1", position=1 + client.script.queued),
    registry.LLM_RETRY.name: lambda client, request: queue.Queued(id="r1", position=1 + client.script.queued),
    registry.RESPONSE_GET_HISTORY.name: FakeClient.answers,
    registry.RESPONSE_GET.name: FakeClient.kept,
    registry.RESPONSE_SEARCH.name: FakeClient.search,
    registry.RESPONSE_DELETE.name: lambda client, request: client.kept(request) and common.Empty(),
    registry.RESPONSE_DELETE_ALL.name: lambda client, request: history.DeletedCount(
        count=client.script.answered
    ),
    registry.RESPONSE_EXPORT.name: lambda client, request: history.ResponsesExported(
        count=client.script.answered, size_bytes=2048, path=f"{request.path}/history.zip"
    ),
    registry.TITLE_SET.name: FakeClient.title,
    registry.TITLE_GENERATE.name: FakeClient.title,
    registry.TITLE_CONFIG_GET.name: FakeClient.title_config,
    registry.TITLE_CONFIG_SET.name: FakeClient.title_config,
    registry.CONVERSATION_LIST.name: FakeClient.chats,
    registry.CONVERSATION_GET.name: FakeClient.chat,
    registry.CONVERSATION_DELETE.name: lambda client, request: history.DeletedCount(count=2),
    registry.CONTEXT_INSPECT.name: FakeClient.inspection,
    registry.LLM_CANCEL.name: FakeClient.cancel_one,
    registry.LLM_CANCEL_ALL.name: lambda client, request: generation.CanceledCount(
        count=client.script.queued
    ),
}

_MEMORY = backend.Memory(
    worker_bytes=700_000_000,
    server_bytes=90_000_000,
    available_bytes=8_000_000_000,
    total_bytes=16_000_000_000,
)
_DEFAULTS: dict[str, Any] = {
    "profile": "auto", "model": "", "general_model": "", "context_window": 0, "temperature": 0.2,
    "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.0, "max_tokens": 1024,
    "idle_minutes": 15.0, "keep_resident": False, "acceleration": "auto", "run_mode": "performance",
    "air_gap": False, "tab_completion": True, "completion_provider": "embedded",
    "completion_timeout_seconds": 15.0, "prewarm": False,
    "history": True,
}  # fmt: skip


class Progress(NamedTuple):
    state: str
    received_bytes: int
    total_bytes: int
    rate_bytes_per_second: float


class FakeStore:
    """The real catalogue, and a folder that exists only in the script."""

    def __init__(self, script: Script, log: list[Any]) -> None:
        self.script = script
        self.log = log
        self.catalogue = catalogue.load()

    def infos(self, context_window: int) -> list[models.ModelInfo]:
        return [self._info(entry) for entry in self.catalogue.entries.values()]

    def info(self, model: str, context_window: int) -> models.ModelInfo:
        return self._info(self.catalogue.entries[model])

    def prepare(
        self,
        model: str,
        *,
        allow_download: bool,
        accept_license: str,
        accepted_by: str,
        air_gap: bool,
        update: bool = False,
    ) -> Any:
        self.log.append(("prepare", model, accept_license, accepted_by))
        if self.script.pinned and update:
            raise errors.ModelPinned
        if self.script.ready and not update:
            return self._info(self.catalogue.entries[model])
        if air_gap:
            raise errors.AirGapped
        if not (accept_license or self.script.accepted):
            raise errors.LicenseNotAccepted
        return None

    def fetch(
        self,
        model: str,
        *,
        progress: Callable[[Progress], None],
        cancel: Any,
        air_gap: Callable[[], bool],
        update: bool = False,
    ) -> Any:
        first = self.script.received
        for step in range(self.script.steps + 1):
            received = first + (SIZE - first) * step // self.script.steps
            progress(Progress("downloading", received, SIZE, 12_000_000.0))
            if self.script.hangs and step == self.script.steps // 2:
                cancel.wait()
            if cancel.is_set():
                raise errors.Canceled
        progress(Progress("verifying", SIZE, SIZE, 0.0))
        self.script.ready = True
        return self._info(self.catalogue.entries[model])

    def import_file(self, path: Path, *, model_id: str | None, link: bool, progress: Any) -> Any:
        self.log.append(("import", path, model_id, link))
        if not path.exists():
            raise errors.SourceFileNotFound
        return self._info(self.catalogue.entries[MODEL])

    def export(self, model: str, path: Path, *, progress: Any) -> tuple[Path, int]:
        return path, SIZE

    def verify(self, model: str, *, progress: Any) -> Any:
        if self.script.broken:
            raise errors.ChecksumMismatch
        return self._info(self.catalogue.entries[model])

    def _info(self, entry: Any) -> models.ModelInfo:
        ready = self.script.ready and entry.id == MODEL
        return models.ModelInfo(
            id=entry.id,
            name=entry.name,
            size_bytes=entry.size_bytes,
            digest=entry.sha256,
            quantization=entry.quantization,
            parameters=entry.parameters,
            license=entry.license,
            license_accepted=self.script.accepted,
            context_length=entry.context_length,
            roles=entry.roles,
            fill_in_the_middle=entry.fill_in_the_middle,
            state="ready" if ready else "idle",
            received_bytes=SIZE if ready else self.script.received,
            origin="catalogue",
            revision=entry.revision,
            pinned=self.script.pinned and entry.id == MODEL,
            fit=models.MemoryFit(
                fit="fits",
                weights_bytes=SIZE,
                kv_bytes=1,
                compute_bytes=1,
                needed_bytes=600_000_000,
                available_bytes=8_000_000_000,
            ),
            loaded=False,
        )


def ports(script: Script, log: list[Any]) -> Ports:
    client = FakeClient(script, log)

    def connect(command: Any, allow_local: bool) -> Client:
        if not script.server and not allow_local:
            raise errors.ConnectionFailed("No running Jupyter server was found.", recovery="Start one.")
        client.local = not script.server
        return client

    return Ports(connect=connect, store=lambda command: FakeStore(script, log))  # type: ignore[arg-type,return-value]


def main() -> None:
    script = msgspec.json.decode(os.environ.get("SCRIPT", "{}"), type=Script)
    log: list[Any] = []
    code = run(sys.argv[1:], ports=ports(script, log))
    if "LOG" in os.environ:
        Path(os.environ["LOG"]).write_text("\n".join(map(str, log)))
    sys.exit(code)


if __name__ == "__main__":
    main()
