"""A kernel of a real server is interrupted in the middle of an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jupyter_server import JupyterServer, running_server, wait_until
from tests.support.workers import endless_in_server


@pytest.fixture
def server(real_model: Path, tmp_path: Path) -> Iterator[JupyterServer]:
    """A server whose worker writes a long answer until somebody ends that."""
    endless_in_server(tmp_path / "config")
    with running_server(tmp_path, real_model) as server:
        yield server


def test_an_interrupt_ends_the_cell_and_the_request(
    server: JupyterServer, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """Nothing is left in the server's queue, and kernel, server and worker go on."""
    at = 0.0
    with server.kernel() as kernel:

        def interrupt(message: dict[str, Any]) -> None:
            nonlocal at
            text = str(message["content"].get("data", {}).get("text/plain", ""))
            if "\n5\n" in text and not at:
                at = time.monotonic()
                kernel.interrupt()

        assert kernel.run("%load_ext jupyter_localcoder").ok
        ran = kernel.run(
            "%%coder --max-tokens 2000\nWrite the numbers from 1 to 500, one per line.", interrupt
        )
        assert at, ran.text
        record_testsuite_property("interrupt_seconds", ran.ended - at)
        assert ran.reply["ename"] == "Interrupted"
        assert "\n5\n" in ran.text
        # The server learns from the broken connection that nobody waits any more.
        wait_until(lambda: is_idle(server.call("GET", "localcoder/health")))
        again = kernel.run("%%coder --max-tokens 8 --temperature 0\nWhat is the capital of France?")
        assert again.ok
        assert "Paris" in again.text
        assert server.call("GET", "localcoder/health")["generation"] == 1


def is_idle(status: dict[str, Any]) -> bool:
    return (status["queue_length"], status["state"]) == (0, "ready")
