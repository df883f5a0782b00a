"""What goes wrong around ghost text: the editor stays usable, and the person hears of it once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.server.channel import MAX_OPEN_REQUESTS
from tests.browser.ghost import CURRENT, STATUS, GhostLab, Writer, code, until, write_notebook
from tests.browser.patience import STEP_SECONDS, heard, leave_out_lost_server, new_context

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


def test_a_worker_that_dies_while_it_writes(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "die(", "pieces": ["a, b)\n", "x = 1\n"], "hangs": True}])
    writer.open(ghost_lab.write("dies.ipynb", ""))
    status = writer.page.locator(STATUS)
    expect(status).to_have_attribute("data-state", re.compile("ready|busy"))
    writer.page.evaluate(
        f"""() => {{
          const button = document.querySelector('{STATUS}');
          window.states = [];
          new MutationObserver(() => window.states.push(button.dataset.state)).observe(
            button, {{ attributes: true }}
          );
        }}"""
    )
    writer.type("die(")
    writer.sees("a, b)\nx = 1")
    ghost_lab.rules([{"ends": "import ", "pieces": ["numpy as np"]}])
    ghost_lab.worker().kill()
    # What it waits before it starts again is so short that the page may show the next state at once.
    writer.page.wait_for_function(
        "() => window.states.some(one => ['backoff', 'starting', 'loading'].includes(one))"
    )
    # What has come can still be taken, and the person types on.
    writer.press("Tab")
    assert writer.text == "die(a, b)\nx = 1"
    writer.type("\ny = 2")
    assert writer.text == "die(a, b)\nx = 1\ny = 2"
    expect(status).to_have_attribute("data-state", "ready")
    writer.type("\nimport ")
    writer.sees("numpy as np")


@pytest.fixture
def other(ghost_lab: GhostLab, tiny_gguf: Path) -> Iterator[str]:
    """Another model, which is not loaded."""
    ghost_lab.call("POST", "models/import", {"path": str(tiny_gguf), "id": "other"})
    yield "other"
    ghost_lab.call("PATCH", "settings", {"model": "tiny"})
    ghost_lab.call("POST", "models/tiny/load", {})
    ghost_lab.call("DELETE", "models/other?force=true")  # Where both fit, it is still loaded.


def test_a_switch_of_the_model_cuts_nothing_off(writer: Writer, ghost_lab: GhostLab, other: str) -> None:
    """What is being written comes to its end; what is asked after it is for the other model."""

    def switch() -> None:
        ghost_lab.call("PATCH", "settings", {"model": other})
        ghost_lab.call("POST", f"models/{other}/load", {})

    gate = ghost_lab.gate()
    ghost_lab.rules([{"ends": "slow(", "pieces": ["a)\n", gate.held, "x = 1\n", "y = 2"]}])
    writer.open(ghost_lab.write("switch.ipynb", ""))
    writer.type("slow(")
    writer.sees("a)")
    thread = threading.Thread(target=switch)
    thread.start()
    until(lambda: ghost_lab.call("GET", "settings")["settings"]["model"] == other)
    # Whether the other one is loaded beside it by now depends on the memory and the speed of the machine.
    assert writer.ghost == "a)"
    gate.open()
    writer.sees("a)\nx = 1\ny = 2")
    writer.press("Tab")
    thread.join(STEP_SECONDS)
    assert ghost_lab.call("GET", "health")["model"] == other
    ghost_lab.rules([{"ends": "import ", "pieces": ["numpy as np"]}])
    writer.type("\nimport ")
    writer.sees("numpy as np")
    assert writer.text == "slow(a)\nx = 1\ny = 2\nimport "
    assert ghost_lab.call("GET", "health")["model"] == other


@pytest.fixture
def apart(browser: Any, tmp_path: Path) -> Any:
    """Opens a page of another lab, and gives its writer."""
    contexts = []

    def open_page(lab: Any) -> Writer:
        context = new_context(browser)
        contexts.append(context)
        writer = Writer(context.new_page(), lab)
        writer.enter()
        return writer

    yield open_page
    for context in contexts:
        context.close()


def notebook(lab: Any, name: str = "plain.ipynb") -> str:
    """A notebook in the folder of a lab that is not ours."""
    return write_notebook(lab, name, "x = 1")


def test_no_model_is_told_once_with_the_way_to_one(lab: Any, apart: Any, tmp_path: Path) -> None:
    writer = apart(lab)
    writer.open(notebook(lab))
    writer.type("\nimport ")
    toast = writer.page.locator(".Toastify__toast").filter(has_text="Suggestions require a model")
    expect(toast).to_have_count(1)
    writer.page.screenshot(path=tmp_path / "no-model.png")
    writer.type("numpy\nimport pandas\nimport ")
    writer.settle()
    heard(writer.page)
    expect(toast).to_have_count(1)
    assert writer.complaints == []
    toast.get_by_role("button", name="Choose a model").click()
    expect(writer.page.locator("#jp-localcoder-sidebar, .jp-LocalCoder-Sidebar").first).to_be_visible()


def test_a_server_without_the_extension_is_told_once(bare_lab: Any, apart: Any) -> None:
    writer = apart(bare_lab)
    expect(writer.page.locator(STATUS)).to_have_attribute("data-state", "absent")
    writer.complaints.clear()  # What the browser says of the attempts to connect.
    writer.open(notebook(bare_lab))
    writer.type("\nimport numpy")
    toast = writer.page.locator(".Toastify__toast").filter(has_text="server extension is not running")
    expect(toast).to_have_count(1)
    writer.type("\nimport pandas")
    writer.settle()
    expect(toast).to_have_count(1)
    assert writer.text == "x = 1\nimport numpy\nimport pandas"
    assert [one for one in writer.complaints if "localcoder" not in one] == []


# A request that is under way stands for the keys that are typed ahead of it.
REFUSED = """text => window.refused.some(
  ({ code, prefix }) => code === 'QUEUE_FULL' && prefix.startsWith(text)
)"""


def test_a_full_queue_is_silent(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "import ", "pieces": ["numpy as np"]}, {"ends": "forever(", "hangs": True}])
    writer.open(ghost_lab.write("full.ipynb", "x = 1"))
    page, status = writer.page, writer.page.locator(STATUS)
    writer.type("\ny")
    until(lambda: ghost_lab.how_ended("x = 1\ny"))
    writer.is_answered()
    # All that one connection may have open, and no end to any of it.
    page.evaluate(
        """count => {
          for (let one = 0; one < count; one++) {
            const request = { id: `mine-${one}`, op: 'tab:complete', payload: { prefix: 'forever(' } };
            window.channel.send(JSON.stringify(request));
          }
        }""",
        MAX_OPEN_REQUESTS,
    )
    try:
        until(lambda: len(ghost_lab.events(event="asked", prefix="forever(")) == MAX_OPEN_REQUESTS)
        writer.type("\nimport ")
        page.wait_for_function(REFUSED, arg="x = 1\ny\n")
        writer.type("numpy\nimport ")
        assert writer.text == "x = 1\ny\nimport numpy\nimport "
        page.wait_for_function(REFUSED, arg="x = 1\ny\nimport numpy\n")
        writer.settle()
        assert writer.ghost == ""
        assert page.locator(".Toastify__toast").count() == 0
    finally:
        page.evaluate("() => { window.channel.close(); }")
    until(lambda: len(ghost_lab.events(event="ended", how="canceled")) >= MAX_OPEN_REQUESTS)
    expect(status).to_have_attribute("data-state", re.compile("ready|busy"))
    writer.press("Backspace")
    writer.type(" ")
    writer.sees("numpy as np")


def test_an_untrusted_notebook(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "x = ", "pieces": ["1"]}])
    html = "<img src=x onerror='window.hurt = true'><table class=\"dataframe\"></table>"
    outputs = [
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/html": [html], "text/plain": ["   secret_value\n0  4711"]},
        },
        {
            "output_type": "error",
            "ename": "KeyError",
            "evalue": "secret_value",
            "traceback": ["secret_value"],
        },
    ]
    writer.open(ghost_lab.write("untrusted.ipynb", code("df", 1, outputs), ""), wait_for_kernel=True)
    writer.enter_cell(1)
    writer.type("x = ")
    writer.sees("1")
    assert not any("secret_value" in text or "4711" in text for text in ghost_lab.asked[-1]["texts"])
    assert not writer.page.evaluate("() => window.hurt")
    assert writer.page.evaluate(f"() => {CURRENT}.content.widgets[0].model.trusted") is False


def test_the_server_goes_and_comes_back(lab: Any, apart: Any) -> None:
    writer = apart(lab)
    writer.open(notebook(lab, "away.ipynb"), wait_for_kernel=True)
    status = writer.page.locator(STATUS)
    expect(status).to_have_attribute("data-state", "stopped")
    leave_out_lost_server(writer.page)
    lab.stop()
    expect(status).to_have_attribute("data-state", "away")
    writer.complaints.clear()
    writer.type("\nimport numpy")
    assert writer.text == "x = 1\nimport numpy"
    writer.settle()
    assert not any("localcoder" in one.lower() and "WebSocket" not in one for one in writer.complaints)
    lab.start()
    expect(status).to_have_attribute("data-state", "stopped")
