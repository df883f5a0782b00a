"""A notebook is renamed, and its conversation goes along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask
from tests.support.waiting import within

KERNEL = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


async def say(ask: Ask, notebook: str, conversation: str = "new", **origin: Any) -> dict[str, Any]:
    """A turn of a conversation; its end."""
    body = {
        "messages": [{"role": "user", "content": "What is a list?"}],
        "conversation": conversation,
        "max_tokens": 4,
        "origin": {"notebook": notebook, **origin},
    }
    answer = await ask("POST", "chat", body)
    assert answer.status == 200, answer.text
    return dict(answer.data)


async def last_of(ask: Ask, notebook: str, kernel: str = "") -> str | None:
    """The conversation that goes on in a notebook."""
    listed = (await ask("GET", f"conversations?notebook={notebook}&kernel={kernel}&limit=1")).data
    return listed["conversations"][0]["id"] if listed["conversations"] else None


@pytest.fixture
def rename(jp_fetch: Any, jp_root_dir: Path) -> Any:
    """Rename a file as a browser does."""

    async def rename_(old: str, new: str) -> None:
        await jp_fetch("api", "contents", *old.split("/"), method="PATCH", body=json.dumps({"path": new}))

    return rename_


@pytest.fixture
def notebook(jp_root_dir: Path) -> Any:
    """Write an empty notebook."""

    def write(path: str) -> str:
        file = jp_root_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        return path

    return write


async def test_a_conversation_goes_along_with_its_notebook(
    ask: Ask, tiny_model: str, rename: Any, notebook: Any
) -> None:
    one = (await say(ask, notebook("one.ipynb")))["conversation"]
    two = (await say(ask, notebook("two.ipynb")))["conversation"]
    await rename("one.ipynb", "three.ipynb")
    assert await last_of(ask, "three.ipynb") == one
    assert await last_of(ask, "one.ipynb") is None
    await rename("two.ipynb", "one.ipynb")
    await rename("three.ipynb", "two.ipynb")
    assert (await last_of(ask, "one.ipynb"), await last_of(ask, "two.ipynb")) == (two, one)


async def test_it_goes_along_with_the_folder(ask: Ask, tiny_model: str, rename: Any, notebook: Any) -> None:
    inside = (await say(ask, notebook("a/b/one.ipynb")))["conversation"]
    beside = (await say(ask, notebook("ab/one.ipynb")))["conversation"]
    await rename("a", "z")
    assert await last_of(ask, "z/b/one.ipynb") == inside
    assert await last_of(ask, "ab/one.ipynb") == beside


async def test_what_stood_there_before_is_gone(
    ask: Ask, tiny_model: str, rename: Any, notebook: Any, jp_root_dir: Path
) -> None:
    await say(ask, notebook("new.ipynb"))
    (jp_root_dir / "new.ipynb").unlink()
    notebook("old.ipynb")
    await rename("old.ipynb", "new.ipynb")
    assert await last_of(ask, "new.ipynb") is None


async def test_a_kernel_goes_by_the_name_that_it_was_started_with(
    ask: Ask, tiny_model: str, rename: Any, notebook: Any, jp_fetch: Any
) -> None:
    path = notebook("work/one.ipynb")
    body = {"path": path, "name": "one.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    session = json.loads((await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))).body)
    kernel = session["kernel"]["id"]
    try:
        first = (await say(ask, path, kernel=kernel))["conversation"]
        await rename("work/one.ipynb", "work/two.ipynb")  # by another page: nobody tells the session
        assert await last_of(ask, path, kernel) == first
        await rename("work", "done")
        assert await last_of(ask, path, kernel) == first
        # Another notebook takes the old name, and has a kernel of its own.
        notebook(path)
        assert await last_of(ask, path) is None
        again = (await say(ask, path, kernel=kernel))["conversation"]
        assert await last_of(ask, "done/two.ipynb") == again
        # The page tells the session.
        await rename("done/two.ipynb", "three.ipynb")
        address = ("api", "sessions", session["id"])
        await jp_fetch(*address, method="PATCH", body=json.dumps({"path": "three.ipynb"}))
        assert await last_of(ask, path, kernel) == again
    finally:
        await jp_fetch("api", "sessions", session["id"], method="DELETE")


async def test_a_kernel_that_the_server_does_not_know_goes_by_its_own_word(ask: Ask, tiny_model: str) -> None:
    first = (await say(ask, "one.ipynb", kernel=KERNEL))["conversation"]
    assert await last_of(ask, "one.ipynb", KERNEL) == first


async def test_an_answer_that_comes_meanwhile_is_kept_where_the_notebook_is(
    ask: Ask, extension: LocalCoderApp
) -> None:
    service = extension.service
    notebooks, recorder = service.notebooks, service.recorder
    mark = notebooks.mark
    await within(notebooks.moved("one.ipynb", "two.ipynb"))
    assert recorder._place(mark, "one.ipynb") == "two.ipynb"
    assert recorder._place(notebooks.mark, "one.ipynb") == "one.ipynb"
