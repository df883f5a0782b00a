"""The magics in a real kernel: what reaches a front end, and what an interrupt does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.support.kernels import running_kernel
from tests.support.waiting import PATIENCE_SECONDS

FAKE_CLIENT = Path(__file__).parent / "fake_client.py"
SET_UP = f"""
exec(compile(open({str(FAKE_CLIENT)!r}).read(), 'fake_client', 'exec'))
from jupyter_localcoder.magics import register
client = FakeClient()
register(get_ipython(), lambda: client)
"""


class Kernel:
    """A kernel, and what its front end sees."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def run(self, code: str, interrupt_after: str = "") -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The reply and the outputs of a cell.

        Parameters
        ----------
        interrupt_after
            Interrupt the kernel when this text is shown.

        """
        outputs: list[dict[str, Any]] = []

        def note(message: dict[str, Any]) -> None:
            outputs.append(message)
            shown = str(message["content"].get("data", {}).get("text/plain", ""))
            if interrupt_after and interrupt_after in shown and not self.interrupted:
                self.interrupted = True
                self._manager.interrupt_kernel()

        self.interrupted = False
        reply = self._client.execute_interactive(
            code, output_hook=note, timeout=PATIENCE_SECONDS, store_history=True
        )
        return reply["content"], [message for message in outputs if message["msg_type"] != "status"]

    def run_as(self, cell: str, code: str) -> None:
        """Run a cell as JupyterLab does, which names it in the message's metadata."""
        content = {"code": code, "silent": False, "store_history": True}
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell})
        self._client.shell_channel.send(message)
        while (
            self._client.get_shell_msg(timeout=PATIENCE_SECONDS)["parent_header"].get("msg_id")
            != message["msg_id"]
        ):
            pass


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with running_kernel(tmp_path_factory) as (manager, client):
        kernel = Kernel(manager, client)
        reply, _ = kernel.run(SET_UP)
        assert reply["status"] == "ok", reply
        yield kernel


def test_an_answer_is_one_display_that_is_updated(kernel: Kernel) -> None:
    kernel.run("client.script = answer('**Hel', 'lo** ', 'world')")
    reply, outputs = kernel.run("%%explain\nx = 1")
    assert reply["status"] == "ok"
    kinds = [message["msg_type"] for message in outputs if message["msg_type"] != "execute_input"]
    assert kinds[0] == "display_data"
    assert kinds[-1] == "display_data"  # the line after the answer
    assert set(kinds[1:-1]) == {"update_display_data"}
    final = outputs[-2]["content"]
    assert final["data"] == {"text/markdown": "**Hello** world", "text/plain": "**Hello** world"}
    assert final["metadata"]["localcoder"]["seed"] == 7
    assert "tokens/s" in outputs[-1]["content"]["data"]["text/html"]


@pytest.mark.parametrize(("where", "replace"), [("next", False), ("replace", True)])
def test_the_new_code_goes_into_a_cell_and_is_not_run(kernel: Kernel, where: str, replace: bool) -> None:
    kernel.run("client.script = answer('```python\\nran = True\\n```')")
    reply, _ = kernel.run(f"%%improve --apply {where}\nran = False")
    assert reply["payload"] == [{"source": "set_next_input", "text": "ran = True", "replace": replace}]
    assert kernel.run("assert 'ran' not in globals()")[0]["status"] == "ok"


def test_an_interrupt_ends_the_cell_and_the_kernel_goes_on(kernel: Kernel) -> None:
    """The answer never ends by itself."""
    kernel.run("client.script = [*answer('So far')[:-1], HANG]")
    reply, outputs = kernel.run("%%explain\nx = 1", interrupt_after="So far")
    assert kernel.interrupted
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    assert reply["traceback"] == ["Cancelled. The partial answer is kept."]
    texts = [message["content"]["data"]["text/plain"] for message in outputs if "data" in message["content"]]
    assert texts[-2:] == ["So far", "cancelled"]
    assert kernel.run("assert client.streams[-1].closed")[0]["status"] == "ok"


def test_a_failure_is_one_line_that_fails_the_cell(kernel: Kernel) -> None:
    kernel.run("from jupyter_localcoder.errors import ModelNotReady; client.script = ModelNotReady()")
    reply, _ = kernel.run("%%explain\nx = 1")
    assert reply["status"] == "error"
    assert len(reply["traceback"]) == 1
    assert reply["traceback"][0].endswith("[MODEL_NOT_READY]")


def test_fix_finds_the_cell_of_the_error(kernel: Kernel) -> None:
    kernel.run("client.script = answer('```python\\n1\\n```')")
    assert kernel.run("def f():\n    return missing")[0]["status"] == "ok"
    assert kernel.run("f()")[0]["status"] == "error"
    assert kernel.run("%fix")[0]["status"] == "ok"
    reply, _ = kernel.run(
        "r = client.asked[-1]\n"
        "assert r.code == 'def f():\\n    return missing', r.code\n"
        "assert 'NameError' in r.error and 'ipykernel' not in r.error, r.error\n"
    )
    assert reply["status"] == "ok", reply.get("evalue")


def test_the_cell_that_the_front_end_names_is_told(kernel: Kernel) -> None:
    kernel.run("client.script = answer('fine')")
    kernel.run_as("c7", "%%explain\nx = 1")
    assert kernel.run("assert client.asked[-1].origin.cell == 'c7', client.asked[-1]")[0]["status"] == "ok"
    kernel.run("%%explain\nx = 1")
    assert kernel.run("assert client.asked[-1].origin.cell == ''")[0]["status"] == "ok"
