"""The extension reads Jupyter's own configuration: files, command line, and their order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask


@pytest.fixture
def jp_argv(tmp_path: Path) -> list[str]:
    return ["--LocalCoderSettings.top_k=11", f"--ModelStore.models_dir={tmp_path / 'typed'}"]


@pytest.fixture
def config_file(jp_config_dir: Path) -> Path:
    path = jp_config_dir / "jupyter_localcoder_config.py"
    path.write_text("c.LocalCoderSettings.top_k = 22\nc.LocalCoderSettings.max_tokens = 33\n")
    return path


@pytest.fixture
def ask_configured(config_file: Path, ask: Ask) -> Ask:
    return ask


async def test_the_command_line_wins_over_the_file_and_the_file_over_the_default(ask_configured: Ask) -> None:
    view = (await ask_configured("GET", "settings")).data
    assert (view["settings"]["top_k"], view["sources"]["top_k"]) == (11, "command-line")
    assert (view["settings"]["max_tokens"], view["sources"]["max_tokens"]) == (33, "config")
    assert view["sources"]["temperature"] == "default"


async def test_the_command_line_wins_over_the_environment(ask: Ask, tmp_path: Path) -> None:
    assert (await ask("GET", "models")).data["models_dir"] == str(tmp_path / "typed")


async def test_stopping_twice_is_no_error(extension: LocalCoderApp) -> None:
    await extension.stop_extension()
    await asyncio.sleep(0)


def test_the_extension_is_known_by_its_package(jp_serverapp: Any) -> None:
    assert "jupyter_localcoder" in jp_serverapp.extension_manager.extensions
