"""A kernel of a real server is interrupted in the middle of an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.support.jupyter_server import JupyterServer


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
        assert ran.ended - at < 2.0
        assert ran.reply["ename"] == "Interrupted"
        assert "\n5\n" in ran.text
        assert queue_is_empty_within(server, 2.0)
        again = kernel.run("%%coder --max-tokens 8 --temperature 0\nWhat is the capital of France?")
        assert again.ok
        assert "Paris" in again.text
        assert server.call("GET", "localcoder/health")["generation"] == 1


def queue_is_empty_within(server: JupyterServer, seconds: float) -> bool:
    """The server learns from the broken connection that nobody waits any more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = server.call("GET", "localcoder/health")
        if status["queue_length"] == 0 and status["state"] == "ready":
            return True
    return False
