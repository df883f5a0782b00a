"""Which files of the machine a request may name: those that who asks could open in Jupyter already."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.gateway.gateway_client import GatewayClient
from jupyter_server.services.contents.manager import ContentsManager

from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, Connect


class May(Authorizer):
    """Everything of this extension, and of others what is listed."""

    others: frozenset[str] = frozenset()

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource == "localcoder" or f"{action} {resource}" in self.others


Allow = Callable[..., None]


@pytest.fixture
def allow(jp_serverapp: Any) -> Allow:
    def allow_(*others: str) -> None:
        authorizer = May()
        authorizer.others = frozenset(others)
        jp_serverapp.web_app.settings["authorizer"] = authorizer

    return allow_


BROWSES = ("read contents", "write contents")


@pytest.fixture
def shown(jp_root_dir: Path, tiny_gguf: Path) -> Path:
    """A model in a folder of the file browser."""
    path = jp_root_dir / "models" / "shown.gguf"
    path.parent.mkdir()
    shutil.copy(tiny_gguf, path)
    return path


@pytest.mark.parametrize("relative", [True, False])
async def test_a_model_that_the_file_browser_shows_can_be_imported(
    ask: Ask, allow: Allow, shown: Path, relative: bool
) -> None:
    allow(*BROWSES)
    answer = await ask("POST", "models/import", {"path": "models/shown.gguf" if relative else str(shown)})
    assert (answer.status, answer.data["id"]) == (200, "shown")


async def test_who_may_not_read_contents_imports_nothing_of_them(ask: Ask, allow: Allow, shown: Path) -> None:
    allow("write contents")
    answer = await ask("POST", "models/import", {"path": str(shown)})
    assert (answer.status, answer.code) == (403, "AUTH_ERROR")


@pytest.mark.parametrize("where", ["outside", "nowhere", "hidden", "linked", "above", "home"])
async def test_what_the_file_browser_does_not_show_is_not_read(
    ask: Ask, allow: Allow, shown: Path, tiny_gguf: Path, jp_root_dir: Path, where: str
) -> None:
    """And it is not told whether there is such a file."""
    (jp_root_dir / ".hidden").mkdir()
    shutil.copy(tiny_gguf, jp_root_dir / ".hidden" / "a.gguf")
    (jp_root_dir / "link.gguf").symlink_to(tiny_gguf)
    path = {
        "outside": str(tiny_gguf),
        "nowhere": "/nowhere/a.gguf",
        "hidden": ".hidden/a.gguf",
        "linked": "link.gguf",
        "above": os.path.relpath(tiny_gguf, jp_root_dir),
        "home": "~/a.gguf",
    }[where]
    allow(*BROWSES)
    refused = await ask("POST", "models/import", {"path": path})
    assert (refused.status, refused.code) == (403, "AUTH_ERROR")
    assert refused.data["error"]["details"] == {"field": "path"}
    allow("execute kernels")
    answer = await ask("POST", "models/import", {"path": path})
    assert answer.status == (404 if where in ("nowhere", "home") else 200), answer.text


async def test_the_channel_asks_the_same(
    connect: Connect, allow: Allow, shown: Path, tiny_gguf: Path
) -> None:
    allow(*BROWSES)
    channel = await connect()
    refused = await channel.call("model:import", {"path": str(tiny_gguf)})
    assert refused["error"]["code"] == "AUTH_ERROR"
    assert (await channel.call("model:import", {"path": str(shown)}))["success"] is True


@pytest.mark.parametrize("path", ["models/tiny/export", "responses/export"])
async def test_exports_are_written_only_where_who_asks_may_write(
    ask: Ask, tiny_model: str, allow: Allow, jp_root_dir: Path, tmp_path: Path, path: str
) -> None:
    outside, inside = tmp_path / "outside", jp_root_dir / "taken"
    outside.mkdir()
    inside.mkdir()
    precious = outside / "precious.zip"
    precious.write_bytes(b"precious")
    for others, target in (
        (BROWSES, outside),
        (BROWSES, precious),
        (("read contents",), inside),
        ((), inside),
    ):
        allow(*others)
        refused = await ask("POST", path, {"path": str(target)})
        assert (refused.status, refused.code) == (403, "AUTH_ERROR")
    assert list(inside.iterdir()) == []
    assert [(file.name, file.read_bytes()) for file in outside.iterdir()] == [("precious.zip", b"precious")]
    allow(*BROWSES)
    assert (await ask("POST", path, {"path": "taken"})).status == 200
    (written,) = inside.iterdir()
    assert written.suffix in (".localcoder", ".zip")
    allow("execute kernels")
    assert (await ask("POST", path, {"path": str(outside)})).status == 200


async def test_an_export_that_the_answer_carries_needs_no_file(ask: Ask, allow: Allow) -> None:
    allow()
    assert (await ask("POST", "responses/export", {})).data["path"] == ""


async def test_an_administrator_keeps_all_to_what_the_file_browser_shows(
    ask: Ask, extension: LocalCoderApp, shown: Path, tiny_gguf: Path
) -> None:
    extension.files_outside_root = False
    assert (await ask("POST", "models/import", {"path": str(tiny_gguf)})).code == "AUTH_ERROR"
    assert (await ask("POST", "models/import", {"path": str(shown)})).status == 200


async def test_kernels_behind_a_gateway_open_no_file_of_this_machine(
    ask: Ask, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GatewayClient, "gateway_enabled", True)
    assert (await ask("POST", "models/import", {"path": str(tiny_gguf)})).code == "AUTH_ERROR"


async def test_a_contents_manager_without_a_disk_shows_no_file_of_this_machine(
    ask: Ask, jp_serverapp: Any, allow: Allow, shown: Path, tiny_gguf: Path
) -> None:
    jp_serverapp.contents_manager = ContentsManager(parent=jp_serverapp)
    assert jp_serverapp.contents_manager.root_dir == "/", "or the test proves nothing"
    allow(*BROWSES)
    assert (await ask("POST", "models/import", {"path": str(shown)})).code == "AUTH_ERROR"
    allow(*BROWSES, "execute kernels")
    relative = await ask("POST", "models/import", {"path": "models/shown.gguf"})
    assert (relative.status, relative.code) == (400, "INVALID_ARGUMENT")
    assert (await ask("POST", "models/import", {"path": str(tiny_gguf)})).status == 200


async def test_a_path_that_is_no_text_is_that_of_no_file(ask: Ask) -> None:
    answer = await ask("POST", "models/import", {"path": "\ud800"})
    assert (answer.status, answer.code) == (404, "FILE_NOT_FOUND")


@pytest.mark.parametrize("path", ["", "a\0b", "~nobody-here/x", "x" * 5000])
async def test_what_is_no_path_is_refused_as_such(ask: Ask, path: str) -> None:
    answer = await ask("POST", "models/import", {"path": path})
    assert answer.status == 400
    assert answer.code in ("INVALID_ARGUMENT", "VALIDATION_ERROR")


async def test_what_is_no_regular_file_is_not_opened(ask: Ask, jp_root_dir: Path) -> None:
    """A named pipe would wait for ever for somebody to write into it."""
    os.mkfifo(jp_root_dir / "pipe.gguf")
    for path in ("pipe.gguf", "/dev/zero"):
        answer = await ask("POST", "models/import", {"path": path})
        assert (answer.status, answer.code) == (400, "INVALID_MODEL")


class Opened:
    """The paths that this process opens from now on (an audit hook cannot be taken away: it is silenced)."""

    def __init__(self) -> None:
        self.paths: list[str] | None = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.paths is not None and event in ("open", "os.listdir", "os.scandir"):
            self.paths.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")


@pytest.fixture
def opened() -> Iterator[Opened]:
    made = Opened()
    yield made
    made.paths = None


async def test_no_label_and_no_name_is_ever_opened(
    ask: Ask, tiny_model: str, jp_root_dir: Path, opened: Opened
) -> None:
    secret = jp_root_dir / "canary-81c2" / "notebook.ipynb"
    secret.parent.mkdir()
    secret.write_text('{"cells": []}')
    assert opened.paths == [str(secret)], "the ear must hear, or the test proves nothing"
    opened.paths.clear()
    name = str(secret)
    short: Any = {"max_tokens": 2, "origin": {"notebook": name, "cell": name}}
    reference = {"kind": "file", "name": name, "text": "what the browser read"}
    turn = {"messages": [{"role": "user", "content": "@file " + name}], "references": [reference]}
    ran = [
        await ask("POST", "generate", {"command": "explain", "code": name, **short}),
        await ask("POST", "chat", {**turn, "conversation": "new", **short}),
        await ask("POST", "complete", {"prefix": "x = ", "scope": name, "notebook": {"path": name}}),
        await ask("POST", "queue", {"prompt": "hello", "path": name, "cell": name, "prompt_id": name[:128]}),
        await ask("GET", "conversations?notebook=" + name),
    ]
    assert [answer.status for answer in ran] == [200] * 5, [answer.text for answer in ran]
    for wrong in (
        await ask("POST", "generate", {"command": "explain", "code": "x", "model": name}),
        await ask("POST", "generate", {"command": "explain", "code": "x", "profile": name}),
        await ask("POST", "generate", {"command": "explain", "code": "x", "provider": name[:64]}),
        await ask("POST", "models/tiny/load", {"profile": name}),
        await ask("PATCH", "settings", {"model": name[-128:]}),
    ):
        assert wrong.status >= 400
    assert any("history" in path for path in opened.paths)
    rules = {f"{secret.parent}/AGENTS.md", f"{secret.parent}/.localcoder/rules"}
    assert {path for path in opened.paths if "canary-81c2" in path} <= rules


@pytest.mark.parametrize("is_shown", [True, False])
async def test_rules_of_a_project_are_for_those_who_may_read_contents(
    ask: Ask, allow: Allow, tiny_model: str, jp_root_dir: Path, is_shown: bool
) -> None:
    allow(*(BROWSES if is_shown else ()))
    (jp_root_dir / "course").mkdir()
    (jp_root_dir / "course" / "AGENTS.md").write_text("Use polars.")
    origin = {"notebook": "course/one.ipynb"}
    turn = {"messages": [{"role": "user", "content": "Why?"}]}
    for operation, request in (
        ("generate", {"command": "explain", "code": "x = 1"}),
        ("chat", {**turn, "conversation": "new"}),
        ("chat", turn),
    ):
        answer = await ask("POST", operation, {**request, "max_tokens": 2, "origin": origin})
        assert answer.status == 200, answer.text
        inspected = await ask("POST", "context/inspect", {})
        assert ("Use polars." in inspected.text) is is_shown, inspected.text
