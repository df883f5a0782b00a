"""Spawning scripted workers through the real `WorkerProcess`."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.process import WorkerProcess, worker_environment
from jupyter_localcoder.engine.worker_link import Spawn

_SCRIPT = Path(__file__).with_name("scripted_worker.py")


def command(script: str) -> list[str]:
    """The command of a worker that follows this script."""
    return [sys.executable, str(_SCRIPT), script]


HANGS = "it hangs now"
"""What `failing_worker` prints right before it hangs."""


def environment() -> dict[str, str]:
    """A worker's environment in which the package is found wherever the tests run."""
    return {**worker_environment(), "PYTHONPATH": str(Path(__file__).parents[2])}


def spawn(script: str) -> Spawn:
    """What `Supervisor(spawn=…)` takes, for a worker that follows this script."""
    return functools.partial(WorkerProcess.spawn, command=command(script), environment=environment())


class ChangingSpawn:
    """Follows one script after the other: the first worker the first, and so on; the last one stays."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = list(scripts)
        self.pids: list[int] = []

    async def __call__(self, **kwargs: Any) -> Any:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        worker, hello = await spawn(script)(**kwargs)
        self.pids.append(worker.pid)
        return worker, hello


def plan(model: str = "a") -> LoadPlan:
    """A plan that a scripted worker fulfils."""
    load = wire.LoadFrame(
        id=0, path=f"/nowhere/{model}.gguf", n_ctx=4096, n_batch=512, n_ubatch=512, n_gpu_layers=0,
        n_threads=0, n_threads_batch=0,
    )  # fmt: skip
    return LoadPlan(model=model, digest="d", quantization="Q4_K_M", profile="Tiny", load=load)


def request(max_tokens: int = 16, text: str = "hello", **changes: Any) -> wire.GenerateFrame:
    """A request for text."""
    values: dict[str, Any] = {
        "id": 0,
        "prompt": wire.ChatPrompt((wire.PromptTurn("user", text),)),
        "draw": wire.Draw(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=1),
        "max_tokens": max_tokens,
        "stop": (),
        "priority": "command",
    }
    return wire.GenerateFrame(**{**values, **changes})


def failing(point: str, part_of_path: str = "") -> Spawn:
    """What `Supervisor(spawn=…)` takes, for a real worker that fails at a point; see `failing_worker`."""
    script = Path(__file__).with_name("failing_worker.py")
    arguments = [sys.executable, str(script), point, part_of_path]
    return functools.partial(WorkerProcess.spawn, command=arguments, environment=environment())


def held(steps: int, kind: str = "", count: int = 1) -> Spawn:
    """What `Supervisor(spawn=…)` takes, for a real worker that is held in its work; see `held_worker`."""
    script = Path(__file__).with_name("held_worker.py")
    arguments = [sys.executable, str(script), str(steps), kind, str(count)]
    return functools.partial(WorkerProcess.spawn, command=arguments, environment=environment())


def endless_command() -> list[str]:
    """The command of a real worker in which what is long does not end by itself; see `endless_worker`."""
    return [sys.executable, str(Path(__file__).with_name("endless_worker.py"))]


def endless() -> Spawn:
    """What `Supervisor(spawn=…)` takes, for such a worker."""
    return functools.partial(WorkerProcess.spawn, command=endless_command(), environment=environment())


def endless_in_server(config_folder: Path) -> None:
    """Let a Jupyter server that reads this folder of configuration start such workers."""
    config_folder.mkdir(exist_ok=True)
    (config_folder / "jupyter_server_config.py").write_text(ENDLESS_FROM_HERE)


ENDLESS_FROM_HERE = (
    "from jupyter_localcoder.engine import process; from tests.support import workers; "
    "process.worker_command = workers.endless_command"
)
"""Python code after which a process starts such workers."""
