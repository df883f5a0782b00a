"""What a process that was forked from one with a client can do, and that its parent goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

_IN_A_CHILD = """
import multiprocessing, os, sys
from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.registry import PING
from jupyter_localcoder.errors import LocalCoderError

def said(ask):
    try:
        ask()
        return "answered"
    except LocalCoderError as error:
        return f"{error.code}: {error.message} {error.recovery}"

def in_a_child(ask):
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: there.send(said(ask)))
    child.start()
    answer = here.recv()
    child.join()
    return answer
"""


def ran(code: str, folder: Path) -> str:
    """What a program prints; it is ended where it hangs."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _IN_A_CHILD + code],
        env={**os.environ, "HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_service_of_this_process_says_that_it_is_the_parents(tmp_path: Path) -> None:
    out = ran(
        """
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.magics.link import Link

client = LocalClient()
link = Link(lambda: client)
ask = lambda: link.client().call(PING, PingRequest())
print(said(ask))
link._lock.acquire()  # by a thread that the child does not have
print(in_a_child(ask))
link._lock.release()
pid = os.fork()
if pid == 0:
    client.close()
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(said(ask))
client.close()
""",
        tmp_path,
    ).splitlines()
    assert out[0] == out[3] == "answered"
    assert out[1].startswith("BACKEND_UNAVAILABLE: The assistant runs in the parent process")
    assert "spawn" in out[1]
    assert out[2] == "7"


def test_a_server_answers_a_child_over_a_connection_of_its_own(
    server: Any, frames: Any, tmp_path: Path
) -> None:
    def script(exchange: Any) -> None:
        if exchange.path.endswith("unload"):
            exchange.json(200, {})
            if b"}" in exchange.body:
                unloaded.set()
            return
        exchange.begin_events()
        exchange.frame(frames.started())
        unloaded.wait(PATIENCE_SECONDS)
        exchange.frame(frames.done("whole"))
        exchange.end_events()

    unloaded = threading.Event()
    server.script(script)
    out = ran(
        f"""
from jupyter_localcoder.client.connection import ServerConnection
from jupyter_localcoder.client.http import HttpClient
from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.contract.models import ModelUnloadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_UNLOAD

client = HttpClient(ServerConnection(url={server.connection.url!r}, token={server.connection.token!r}))
stream = client.stream(GENERATE, GenerateRequest(command="explain", code="x"))
next(stream)
print(in_a_child(lambda: list(stream)))
print(in_a_child(lambda: stream.close()))
print(in_a_child(lambda: client.call(MODEL_UNLOAD, ModelUnloadRequest())))
print([frame.text for frame in stream])
""",
        tmp_path,
    ).splitlines()
    assert out[0].startswith(
        "CONNECTION_ERROR: The answer goes to the parent process from which this process was forked."
    )
    assert out[1:] == ["answered", "answered", "['whole']"]
