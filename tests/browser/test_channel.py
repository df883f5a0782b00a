"""The channel of the extension against the real server: streams, cancelling, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.ghost import GhostLab
from tests.browser.patience import CHANNEL, connected, until

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

STREAM = """([op, payload, cancelAfter]) => {
  const frames = [];
  const stream = CHANNEL.stream(op, payload, frame => {
    frames.push(frame);
    if (frames.length === cancelAfter) {
      stream.cancel('user');
    }
  });
  const late = new Promise(resolve => setTimeout(() => resolve(null), 120000));
  return Promise.race([stream.ended, late]).then(ended => ({ frames, ended }));
}""".replace("CHANNEL", CHANNEL)

REQUEST = """([op, payload]) => {
  const late = new Promise(resolve => setTimeout(() => resolve('late'), 120000));
  return Promise.race([CHANNEL.request(op, payload).catch(reason => reason.payload), late]);
}""".replace("CHANNEL", CHANNEL)


@pytest.fixture
def loaded(page: Any, lab: Any, tiny_gguf: Path) -> Any:
    """A page of a server with a model that is ready."""
    page.goto(lab.page())
    lab.call("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})
    lab.call("POST", "models/tiny/load", {})
    expect(page.locator(".jp-LocalCoder-StatusItem button")).to_have_attribute("data-state", "ready")
    return page


COMPLETE = {"prefix": "import ", "max_tokens": 16, "model": "tiny"}
# Private: what is kept gets a title, which would hang as well.
EXPLAIN = {"command": "explain", "code": "x = 1", "model": "tiny", "private": True}


@pytest.mark.parametrize(
    ("op", "payload"),
    [("tab:complete", COMPLETE), ("generate", {**EXPLAIN, "max_tokens": 16})],
)
def test_an_answer_streams(loaded: Any, op: str, payload: dict[str, Any]) -> None:
    answer = loaded.evaluate(STREAM, [op, payload, -1])
    first, *deltas, last = answer["frames"]
    assert first["type"] == "started"
    assert last == answer["ended"]
    assert last["type"] == "done", last
    assert {frame["run"] for frame in answer["frames"]} == {first["run"]}
    assert "".join(delta["text"] for delta in deltas) == last["text"]


# By a worker that never ends: a real one could, before the cancel comes.
HANGS = {"ends": "", "pieces": ["so far"], "hangs": True}


# What is to complete waits for the checks: there is no second frame to cancel after.
@pytest.mark.parametrize(
    ("op", "payload", "after"),
    [
        ("tab:complete", {**COMPLETE, "max_tokens": 2000}, 1),
        ("generate", {**EXPLAIN, "max_tokens": 2000}, 1),
        ("generate", {**EXPLAIN, "max_tokens": 2000}, 2),
    ],
)
def test_a_cancelled_answer_ends(
    page: Any, ghost_lab: GhostLab, op: str, payload: dict[str, Any], after: int
) -> None:
    ghost_lab.rules([HANGS])
    page.goto(ghost_lab.page())
    connected(page)
    answer = page.evaluate(STREAM, [op, payload, after])
    ended = answer["ended"]
    # Before the first token there is nothing to keep: it then ends with an error.
    ending = ended.get("finish") or ended["error"]["code"]
    assert ending.upper() == "CANCELED", ended
    assert ended["type"] == "done" or after == 1
    assert len(answer["frames"]) == after + 1
    until(lambda: page.evaluate(REQUEST, ["backend:ping", {}])["queue_length"] == 0)


def test_a_refusal_carries_the_error_of_the_contract(loaded: Any) -> None:
    error = loaded.evaluate(REQUEST, ["model:load", {"id": "nowhere"}])
    assert error["code"] == "MODEL_NOT_FOUND"
    assert error["message"]
    assert error["recovery"]
    answer = loaded.evaluate(STREAM, ["tab:complete", {**COMPLETE, "prefix": ""}, -1])
    assert answer["ended"]["type"] == "error"
    assert answer["ended"]["error"]["code"] == "INVALID_ARGUMENT"
