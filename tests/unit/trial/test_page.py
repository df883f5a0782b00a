"""A trial that a page asks a real kernel for, as one silent expression."""

from __future__ import annotations

import ast
import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.support.kernels import running_kernel
from tests.support.waiting import PATIENCE_SECONDS

EXPRESSION = "__import__('jupyter_localcoder.trial.page', fromlist=['answer']).answer({!r})"


class Kernel:
    """A kernel whose temporary files are in a folder of the test."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient, folder: Path) -> None:
        self.manager = manager
        self.client = client
        self.folder = folder

    def ask(self, old: str, new: str) -> str:
        """Send the request; the id of the message."""
        asked = base64.b64encode(json.dumps({"old": old, "new": new}).encode()).decode()
        sent: str = self.client.execute(
            "pass", silent=True, store_history=False, user_expressions={"trial": EXPRESSION.format(asked)}
        )
        return sent

    def result(self, sent: str) -> dict[str, Any]:
        """What the expression gave."""
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE_SECONDS)
            if reply["parent_header"].get("msg_id") == sent:
                found: dict[str, Any] = reply["content"]["user_expressions"]["trial"]
                return found

    def verdict(self, old: str, new: str) -> dict[str, Any]:
        """The verdict that a page shows."""
        result = self.result(self.ask(old, new))
        assert result["status"] == "ok", result
        printed = ast.literal_eval(result["data"]["text/plain"])
        shown: dict[str, Any] = json.loads(base64.b64decode(printed))
        return shown


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("temporary")
    environment = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with running_kernel(tmp_path_factory, environment) as (manager, client):
        yield Kernel(manager, client, folder)


def test_the_verdict_is_that_of_the_kernels_variables(kernel: Kernel) -> None:
    setup = "class Point:\n    x = 3\n    def twice(self): return 2 * self.x\np = Point()"
    kernel.client.execute_interactive(setup, timeout=PATIENCE_SECONDS)
    shown = kernel.verdict("y = p.twice()", "y = 2 * p.x + 1  # é")
    assert (shown["kind"], shown["sentence"]) == ("differs", "Differs in `y`: 7 instead of 6.")
    assert shown["notes"]
    assert kernel.verdict("y = p.twice()", "y = 6")["kind"] == "same"
    # The kernel has no `y`.
    reply = kernel.client.execute_interactive("y", timeout=PATIENCE_SECONDS, store_history=False)
    assert reply["content"]["ename"] == "NameError"
    assert list(kernel.folder.glob("localcoder-trial-*")) == []


def test_an_interrupt_of_the_kernel_stops_it(kernel: Kernel) -> None:
    sent = kernel.ask("while True: pass", "x = 1")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list(kernel.folder.glob("localcoder-trial-*/old/started")):
        assert time.monotonic() < deadline
    kernel.manager.interrupt_kernel()
    result = kernel.result(sent)
    assert (result["status"], result["ename"]) == ("error", "KeyboardInterrupt")
    assert list(kernel.folder.glob("localcoder-trial-*")) == []
    assert kernel.verdict("x = 1", "x = 1")["kind"] == "same"


def test_a_folder_that_is_gone_is_no_obstacle(kernel: Kernel, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    kernel.client.execute_interactive(f"import os\nos.chdir({str(gone)!r})", timeout=PATIENCE_SECONDS)
    gone.rmdir()
    try:
        assert kernel.verdict("x = 1", "x = 1")["kind"] == "same"
    finally:
        kernel.client.execute_interactive(f"os.chdir({str(tmp_path)!r})", timeout=PATIENCE_SECONDS)
