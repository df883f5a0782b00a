"""What is left when a Jupyter server ends: nothing, however it ends; and kernels that outlive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from tests.support.jupyter_server import JupyterServer, ServerKernel, connected, has_ended, seconds_to_end
from tests.support.real_model import MODEL
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def server(tmp_path: Path, real_model: Path) -> Iterator[JupyterServer]:
    """A server of this test's own."""
    server = JupyterServer(tmp_path, real_model)
    server.start()
    yield server
    server.stop()


def with_worker(server: JupyterServer) -> psutil.Process:
    server.call("POST", f"localcoder/models/{MODEL}/load", {})
    return server.worker()


def test_a_killed_server_takes_its_worker_along(
    server: JupyterServer, record_testsuite_property: Callable[[str, object], None]
) -> None:
    worker = with_worker(server)
    server.kill()
    record_testsuite_property("orphan_seconds", seconds_to_end(worker))


@pytest.mark.parametrize("how", ["SIGTERM", "api/shutdown"])
def test_a_server_that_stops_leaves_no_worker_and_no_connection(server: JupyterServer, how: str) -> None:
    worker, file = with_worker(server), server.connection_file
    assert file.exists()
    if how == "SIGTERM":
        server.stop()
    else:
        process = server.process
        server.call("POST", "api/shutdown")
        process.wait(PATIENCE_SECONDS)
    # The server has waited for its end: left alone, it would go on for a while.
    assert has_ended(worker)
    assert not file.exists()


def test_a_kernel_that_outlives_a_restart_finds_the_new_server(
    server: JupyterServer, tmp_path: Path, real_model: Path
) -> None:
    """The kernel has what its server gives to kernels, and lives on as one of a gateway does."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**server.environment, **server.connection.environment()})
    try:
        with connected(Path(manager.connection_file)) as client:
            kernel = ServerKernel(client, manager.interrupt_kernel)
            assert kernel.run("%load_ext jupyter_localcoder").ok
            assert server.url in kernel.run("%localcoder status").text
            old = server.url
            server.stop()
            server.start()
            assert server.url != old
            assert server.url in kernel.run("%localcoder status").text
            assert "Paris" in kernel.run("%%coder --max-tokens 8\nWhat is the capital of France?").text
    finally:
        manager.shutdown_kernel(now=True)


def test_a_kernel_whose_server_is_gone_says_so(server: JupyterServer) -> None:
    """It does not start a second service of its own beside a server that may come back."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**server.environment, **server.connection.environment()})
    try:
        with connected(Path(manager.connection_file)) as client:
            kernel = ServerKernel(client, manager.interrupt_kernel)
            assert kernel.run("%load_ext jupyter_localcoder\n%localcoder status").ok
            server.stop()
            ran = kernel.run("%%explain\nx = 1")
            assert not ran.ok
            assert ran.reply["ename"] == "MagicFailure"
            assert len(ran.reply["traceback"]) == 1
    finally:
        manager.shutdown_kernel(now=True)
