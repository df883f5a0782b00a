"""The extension reads Jupyter's own configuration: files, command line, and their order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
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


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--Supervisor.max_crashes=0", "`Supervisor.max_crashes` cannot be `'0'`: it must be a whole number"),
        ("--LocalCoderSettings.top_p=7", "LocalCoderSettings.top_p"),
        ("--LocalCoderApp.files_outside_root=maybe", "it must be True or False"),
        ("--LocalCoderSettings.profile=Enormous", "it must be one of `auto`"),
    ],
)
def test_a_wrong_value_stops_the_start_with_the_name_of_the_trait(
    tmp_path: Path, argument: str, words: str
) -> None:
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--port=0", "--allow-root", argument]
    command += ["--ServerApp.jpserver_extensions={'jupyter_localcoder': True}"]
    command += [f"--ServerApp.root_dir={tmp_path}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert ended.returncode == 1
    assert "Bad config encountered during initialization" in ended.stderr
    assert words in ended.stderr
