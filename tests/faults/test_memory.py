"""Rows 19 to 24: memory that does not suffice, and a machine that is too slow."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_localcoder.contract.backend import Notice
from jupyter_localcoder.contract.common import ModelStamp, Sampling, Timings, Usage
from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest
from jupyter_localcoder.contract.models import ModelImportRequest, ModelLoadRequest, ModelUnloadRequest
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine import memory_admission
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.errors import BackendUnavailable, LocalCoderError, OutOfMemory
from jupyter_localcoder.events import EventHub
from jupyter_localcoder.generation.slow_model_hint import SlowModelHint
from jupyter_localcoder.models import memory
from jupyter_localcoder.models.store import ModelStore
from tests.faults.conftest import Serve, Served, gone
from tests.support.cgroup import Group, memory_group
from tests.support.tiny_model import write_tiny_model
from tests.support.waiting import PATIENCE_SECONDS, until
from tests.support.workers import endless, failing

MB = 1_000_000


async def ask(served: Served, **more: object) -> Done:
    request = GenerateRequest(command="explain", code="print(1)", max_tokens=4, **more)  # type: ignore[arg-type]
    async with contextlib.aclosing(served.service.generation.generate(request)) as frames:
        async for frame in frames:
            if isinstance(frame, Done):
                return frame
    raise AssertionError("a stream without an end")


async def private_bytes_of_small(served: Served) -> int:
    """What a worker takes with the small model: what is allowed is counted from there."""
    await served.service.models.model_load(ModelLoadRequest(id="small"))
    pid = served.supervisor.pid
    assert pid is not None
    taken = _data_bytes(pid)
    await served.service.models.model_unload(ModelUnloadRequest())
    return taken


def _data_bytes(pid: int) -> int:
    """What the limit counts (`VmData`)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmData")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is mapped privately")
@pytest.mark.parametrize(
    ("stage", "config", "room_bytes"),
    [
        # The weights are read into memory: 13 MB, where 7 are allowed.
        ("weights", {"Tuning": {"mmap": False}}, 7 * MB),
        # The cache takes 8 KiB for each of at least 4096 cells: 33 MB, where 15 are allowed.
        ("KV cache", {}, 15 * MB),
    ],
)
async def test_19_no_memory_in_a_load_is_one_step_down(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, stage: str, config: dict[str, object], room_bytes: int
) -> None:
    served = await serve(**config)
    allowed = await private_bytes_of_small(served) + room_bytes
    monkeypatch.setattr(memory_admission, "memory_limit", lambda _: allowed)
    served.notices.clear()
    loads = served.loads
    done = await ask(served)
    assert done.model.id == "small", stage
    assert served.loads == loads + 2
    (notice,) = served.notices
    assert notice.severity == "warning"
    assert "`big`" in notice.message
    assert "`small` is used instead" in notice.message
    assert "try the larger model again" in notice.action
    assert "`big`" in served.supervisor.reason
    # The next request does not try the big one again, and is not told again.
    assert (await ask(served)).model.id == "small"
    assert (served.loads, len(served.notices)) == (loads + 2, 1)
    # By hand it is tried again; with enough memory it answers from then on.
    monkeypatch.setattr(memory_admission, "memory_limit", lambda _: 0)
    await served.service.models.model_load(ModelLoadRequest(id="big"))
    assert (await ask(served)).model.id == "big"


@pytest.mark.parametrize("point", ["out-of-memory", "bad-alloc"])
async def test_19_no_memory_in_a_computation_is_one_step_down(serve: Serve, point: str) -> None:
    """Once as llama.cpp reports it, once as the end of the process by an allocation in C++ that failed."""
    served = await serve()
    served.pool.spawn = failing(point, "big")
    done = await ask(served)
    assert done.model.id == "small"
    (notice,) = served.notices
    assert "`small` is used instead" in notice.message


async def test_19_a_request_that_names_its_model_is_answered_by_no_other(serve: Serve) -> None:
    """It hears why, and which one would answer: now, and where the same is not tried again."""
    served = await serve()
    served.pool.spawn = failing("out-of-memory", "big")
    for first in ("There is not enough memory for this model", "it is not retried automatically."):
        with pytest.raises(OutOfMemory) as caught:
            await ask(served, model="big")
        assert first in caught.value.message
        assert (
            "The request names `big`, so no other model is used; the smaller model `small` is installed"
            in (caught.value.message)
        )
        assert "Send the request without a model, or name `small`." in caught.value.recovery
        assert caught.value.details["smaller"] == "small"
    assert served.loads == 1
    assert (await ask(served)).model.id == "small"


async def test_19_a_named_model_that_does_not_fit_says_which_one_does(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve()
    monkeypatch.setattr(memory, "available", lambda: (170 * MB, 24_000 * MB))
    with pytest.raises(OutOfMemory, match="the smaller model `small` is installed"):
        await ask(served, model="big")


@pytest.mark.parametrize("named", [{}, {"model": "big"}])
async def test_19_a_smaller_model_that_does_not_fit_either_is_told_as_that(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    served = await serve()
    monkeypatch.setattr(memory, "available", lambda: (1 * MB, 24_000 * MB))
    with pytest.raises(
        OutOfMemory, match=r"here is not enough memory for a smaller installed model either"
    ) as caught:
        await ask(served, **named)
    assert "(`small`)" in caught.value.message
    assert ("The request names" in caught.value.message) == bool(named)
    assert "or a smaller one" in caught.value.recovery


async def test_19_what_does_not_fit_before_the_load_is_one_step_down_too(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve()
    monkeypatch.setattr(memory, "available", lambda: (170 * MB, 24_000 * MB))
    done = await ask(served)
    assert done.model.id == "small"
    assert served.loads == 1
    assert len(served.notices) == 1


async def test_20_a_context_of_a_million_is_refused_before_the_load(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(alone=True)
    path = write_tiny_model(tmp_path / "long.gguf", layers=64, context_length=2**20, seed=1)
    await served.service.models.model_import(ModelImportRequest(path=str(path), id="long"))
    await served.service.settings.settings_update(
        SettingsUpdateRequest(model="long", context_window=1_000_000)
    )
    monkeypatch.setattr(memory, "available", lambda: (8_000 * MB, 16_000 * MB))
    with pytest.raises(OutOfMemory, match="1000000 tokens"):
        await ask(served, model="long")
    assert served.loads == 0


def put_first_worker_into(served: Served, group: Group) -> None:
    """Have the first worker that is started run in this group, and the later ones outside of it."""
    spawn = served.pool.spawn

    async def into_the_group(**arguments: object) -> object:
        worker, hello = await spawn(**arguments)
        if served.loads == 1:
            group.add(worker.pid)
        return worker, hello

    served.pool.spawn = into_the_group  # type: ignore[assignment]


async def killed_in_mid_stream(served: Served) -> LocalCoderError:
    """Kill the worker in the middle of an answer that it would never end by itself."""
    request = GenerateRequest(command="explain", code="print(1)", max_tokens=2000)
    served.pool.spawn = endless()

    async def killed() -> None:
        pid = None
        async with contextlib.aclosing(served.service.generation.generate(request)) as frames:
            async for frame in frames:
                if isinstance(frame, Delta) and pid is None:
                    pid = served.supervisor.pid
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)

    with pytest.raises(BackendUnavailable) as caught:
        await killed()
    return caught.value


async def test_21_an_unexplained_kill_was_probably_memory(serve: Serve) -> None:
    """On a system that does not count whom it kills for memory."""
    served = await serve(evidence=CrashEvidence(count=lambda: None))
    failure = await killed_in_mid_stream(served)
    assert "SIGKILL" in failure.message
    assert "Probably memory ran out" in failure.message
    # It is not started again by itself; what comes next is answered by the smaller one.
    assert served.supervisor.state == "stopped"
    assert (await ask(served)).model.id == "small"
    assert len(served.notices) == 1


@pytest.mark.parametrize("alone", [False, True])
async def test_21_a_kill_while_the_prompt_is_read_is_one_step_down(serve: Serve, alone: bool) -> None:
    """The request that it hits is answered: by a smaller model, else by the same one with less memory."""
    served = await serve(alone=alone, evidence=CrashEvidence(count=lambda: None))
    spawn, killed = served.pool.spawn, failing("killed", "big")

    async def killed_once(**arguments: object) -> object:
        return await (killed if served.loads == 1 else spawn)(**arguments)

    served.pool.spawn = killed_once  # type: ignore[assignment]
    done = await ask(served)
    assert done.model.id == ("big" if alone else "small")
    assert served.loads == 2
    (notice,) = served.notices
    instead = "it is loaded with a context of 2048 tokens" if alone else "`small` is used instead"
    assert instead in notice.message


async def test_21_a_kill_in_every_prefill_ends(serve: Serve) -> None:
    served = await serve(evidence=CrashEvidence(count=lambda: None))
    served.pool.spawn = failing("killed")
    with pytest.raises(LocalCoderError, match="Probably memory ran out"):
        await ask(served)
    loads = served.loads
    with pytest.raises(LocalCoderError):
        await ask(served)
    assert served.loads == loads


async def test_21_a_kill_by_the_system_while_the_prompt_is_read_is_one_step_down(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system really kills it: the computation takes more than the limit of its group."""
    served = await serve()
    if CrashEvidence().count() is None:
        pytest.skip("this system does not count whom it kills for want of memory")
    with memory_group(96 * MB) as group:
        served.pool.spawn = failing("eats-memory", "big")
        put_first_worker_into(served, group)
        monkeypatch.setattr(memory_admission, "memory_limit", lambda _: 0)
        done = await ask(served)
        assert done.model.id == "small"
        await served.pool.close()


@pytest.mark.parametrize(
    ("point", "code"), [("killed@text", "BACKEND_UNAVAILABLE"), ("bad-alloc@text", "OUT_OF_MEMORY")]
)
async def test_21_what_was_shown_is_never_begun_again(serve: Serve, point: str, code: str) -> None:
    served = await serve(evidence=CrashEvidence(count=lambda: None))
    served.pool.spawn = failing(point, "big")
    shown = []
    request = GenerateRequest(command="explain", code="print(1)", max_tokens=2000)

    async def follow() -> None:
        async with contextlib.aclosing(served.service.generation.generate(request)) as frames:
            async for frame in frames:
                shown.append(frame)

    with pytest.raises(LocalCoderError) as caught:
        await follow()
    assert caught.value.code == code
    assert "emory ran out" in caught.value.message
    assert any(isinstance(frame, Delta) for frame in shown)
    assert served.loads == 1
    assert (await ask(served)).model.id == "small"


async def test_21_with_nothing_smaller_the_same_model_gets_less(serve: Serve) -> None:
    served = await serve(alone=True, evidence=CrashEvidence(count=lambda: None))
    await killed_in_mid_stream(served)
    assert (await ask(served)).model.id == "big"
    plan = served.supervisor.plan
    assert plan is not None
    assert plan.load.n_ctx == 2048
    # Killed again, it is not tried a third time.
    await killed_in_mid_stream(served)
    loads = served.loads
    with pytest.raises(OutOfMemory, match="not retried"):
        await ask(served)
    assert served.loads == loads


async def test_21_a_kill_that_was_not_for_memory_changes_nothing(serve: Serve) -> None:
    served = await serve(evidence=CrashEvidence(count=lambda: 7, free=lambda: (20_000 * MB, 24_000 * MB)))
    failure = await killed_in_mid_stream(served)
    assert "emory" not in failure.message
    assert (await ask(served)).model.id == "big"


async def test_21_a_kill_by_the_system_is_told_as_that(serve: Serve, big_gguf: Path) -> None:
    """The system really kills it: in a group whose memory the load does not fit into."""
    served = await serve()
    if CrashEvidence().count() is None:
        pytest.skip("this system does not count whom it kills for want of memory")
    with memory_group(48 * MB) as group:
        put_first_worker_into(served, group)
        done = await ask(served)
        assert done.model.id == "small"
        told = [reason for state, reason in served.states if state == "backoff"]
        assert told == [
            "The inference worker was terminated by SIGKILL. The system killed it because memory ran "
            "out. The same load is not retried automatically."
        ]
        await served.pool.close()


def test_22_the_limit_of_a_group_wins_over_the_machine(tmp_path: Path) -> None:
    limit = 300 * MB
    code = (
        "import sys; sys.stdin.read(1)\n"
        "from jupyter_localcoder.models import memory; print(*memory.available())"
    )
    with memory_group(limit) as group:
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        group.add(child.pid)
        told, _ = child.communicate("x", timeout=PATIENCE_SECONDS)
    free, total = (int(word) for word in told.split())
    assert total <= limit < psutil.virtual_memory().total
    assert 0 < free < total


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is mapped privately")
async def test_23_with_no_smaller_model_it_is_an_error_and_no_loop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(alone=True, Tuning={"mmap": False})
    # Enough for Python, too little for the weights.
    monkeypatch.setattr(memory_admission, "memory_limit", lambda _: 1)
    with pytest.raises(OutOfMemory):
        await ask(served)
    assert served.loads == 1
    for _ in range(3):
        with pytest.raises(OutOfMemory, match="not retried automatically"):
            await ask(served)
    assert served.loads == 1
    assert served.notices == []
    assert served.supervisor.pid is None


def slow_answer(tokens_per_second: float, tokens: int = 30) -> Done:
    milliseconds = tokens / tokens_per_second * 1000
    return Done(
        run="1", text="", finish="stop",
        usage=Usage(prompt_tokens=1, cached_tokens=0, completion_tokens=tokens, left_out_tokens=0),
        timings=Timings(
            queue_ms=0.0, prefill_ms=0.0, decode_ms=milliseconds, total_ms=milliseconds,
            prefill_tokens_per_second=0.0, decode_tokens_per_second=tokens_per_second,
        ),
        model=ModelStamp(id="qwen2.5-coder-7b", digest="", quantization=""),
        sampling=Sampling(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=1),
        prompt_sha256="", confidence=None, withheld="", doubt="",
    )  # fmt: skip


def test_24_a_minute_of_slow_answers_suggests_a_lighter_profile_once() -> None:
    told: list[Notice] = []
    now = [0.0]
    events = EventHub(logging.getLogger())
    events.listen(lambda _, payload: told.append(payload))  # type: ignore[arg-type]
    pace = SlowModelHint(ModelStore(), events, clock=lambda: now[0])
    pace.observe(slow_answer(2.0))
    now[0] = 30.0
    pace.observe(slow_answer(9.0))  # It recovers: the minute begins anew.
    for second in (50.0, 70.0, 90.0):
        now[0] = second
        pace.observe(slow_answer(2.0))
    assert told == []
    for second in (110.0, 130.0, 300.0):
        now[0] = second
        pace.observe(slow_answer(2.0))
    (notice,) = told
    assert "2.0 tokens/s" in notice.message
    assert "profile" in notice.action
    assert f"The profile {notice.use_profile} " in notice.action


def test_24_what_is_slow_can_be_configured() -> None:
    told: list[Notice] = []
    now = [0.0]
    events = EventHub(logging.getLogger())
    events.listen(lambda _, payload: told.append(payload))  # type: ignore[arg-type]
    pace = SlowModelHint(
        ModelStore(), events, clock=lambda: now[0], tokens_per_second=lambda: 2.0, seconds=lambda: 5.0
    )
    for second in (0.0, 300.0):
        now[0] = second
        pace.observe(slow_answer(2.0))
    assert told == []
    for second in (400.0, 405.0):
        now[0] = second
        pace.observe(slow_answer(1.9))
    assert len(told) == 1


async def test_19_the_worker_is_the_first_to_go_and_leaves_no_core_file(serve: Serve) -> None:
    served = await serve()
    await served.service.models.model_load(ModelLoadRequest(id="small"))
    pid = served.supervisor.pid
    assert pid is not None
    if sys.platform == "linux":
        process = psutil.Process(pid)
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert 0 < process.rlimit(psutil.RLIMIT_DATA)[0] < 2**62
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "500"
    await served.service.models.model_unload(ModelUnloadRequest())
    await until(lambda: gone(pid))
