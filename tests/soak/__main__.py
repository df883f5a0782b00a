"""The command line of the soak: ``python -m tests.soak --help``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import psutil

from tests.support.jupyter_server import JupyterServer
from tests.support.tiny_model import write_tiny_model

from . import crowd, verdict
from .crowd import Tally
from .probes import Probes
from .verdict import Row

SETTLE_SECONDS = 4.0
"""So long after the last client has left its descriptors are counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; the status is 1 where a limit is missed."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="localcoder-soak-") as name:
        rows, tally = soak(Path(name), asked.minutes, asked.clients, asked.seed)
    print(verdict.table(rows))
    for error, count in tally.errors.most_common():
        print(f"  {count} of {error}")
    return 1 if any(row.met is False for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="(default: %(default)s)")
    parser.add_argument("--clients", type=int, default=50, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what the clients do (default: %(default)s)")
    return parser


def soak(folder: Path, minutes: float, clients: int, seed: int) -> tuple[list[Row], Tally]:
    """Start a server in a folder, let the clients work, stop it; give the table and what they did."""
    server = JupyterServer(folder, folder / "models", PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    try:
        server.start()
        process = server.process
        _prepare(server, folder)
        url, token = server.url, server.token
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            # Everything has been used once before what is held is counted.
            begun = pool.submit(crowd.run, url, token, 5, 3.0, seed - 1).result()
            if begun.unforeseen:
                raise SystemExit(f"It does not even begin: {dict(begun.errors)}")
            before = _descriptors(process)
            probes, tally = asyncio.run(_measure(pool, server, clients, minutes * 60, seed))
        after = _descriptors(process)
    except BaseException:
        with contextlib.suppress(AssertionError):  # it has not been started
            server.kill()
        raise
    family = [process, *process.children(recursive=True)]
    began = time.perf_counter()
    server.stop()
    _, left = psutil.wait_procs(family, timeout=verdict.STOP_SECONDS)
    stopped = time.perf_counter() - began
    tracebacks = (
        (folder / "server.log").read_text(errors="replace").count("Traceback (most recent call last)")
    )
    rows = [
        Row("clients", f"{clients} for {minutes:g} min, {sum(tally.done.values())} operations"),
        *(Row(f"  {name}", str(count)) for name, count in tally.done.most_common()),
        verdict.at_most("errors that are not QUEUE_FULL", tally.unforeseen + probes.errors, 0),
        verdict.at_most("tracebacks in the server's log", tracebacks, 0),
        verdict.latency("backend:ping", probes.ping_ms),
        verdict.latency("contents of a notebook", probes.contents_ms),
        verdict.memory(probes.megabytes),
        verdict.at_most(f"descriptors more than before ({before})", after - before, verdict.MORE_DESCRIPTORS),
        verdict.at_most("shutdown", stopped, verdict.STOP_SECONDS, "s"),
        verdict.at_most("processes left", len(left), 0),
    ]
    return rows, tally


def _prepare(server: JupyterServer, folder: Path) -> None:
    """A loaded model, and a notebook for the contents request."""
    path = write_tiny_model(folder / "tiny.gguf")
    server.call("POST", "localcoder/models/import", {"path": str(path), "id": "tiny"})
    server.call("PATCH", "localcoder/settings", {"model": "tiny", "general_model": "tiny"})
    server.call("POST", "localcoder/models/tiny/load", {})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    (server.root / "probe.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


async def _measure(
    pool: ProcessPoolExecutor, server: JupyterServer, clients: int, seconds: float, seed: int
) -> tuple[Probes, Tally]:
    url, token = server.url, server.token
    end = asyncio.get_running_loop().run_in_executor(pool, crowd.run, url, token, clients, seconds, seed)
    probes = Probes()
    await probes.watch(url, token, server.process, end)
    return probes, await end


def _descriptors(process: psutil.Process) -> int:
    """Open descriptors, once everything is closed that was about to be: the least number of some seconds."""
    counts = []
    for _ in range(round(SETTLE_SECONDS / 0.1)):
        counts.append(process.num_fds())
        time.sleep(0.1)
    return min(counts)


if __name__ == "__main__":
    sys.exit(main())
