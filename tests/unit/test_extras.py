"""Without an optional package one sentence says what to install, and the rest of the product works."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from jupyter_localcoder.engine.process import WorkerExit, WorkerProcess
from jupyter_localcoder.errors import PackageMissing, from_parts
from jupyter_localcoder.machine.optional_packages import has_module
from tests.audit.installed import EXTRAS, project_table
from tests.support.wire_server import wire_server
from tests.support.without_packages import environment_without
from tests.versions import REPOSITORY

OPTIONAL = ("llama_cpp", "ipywidgets", "keyring", "cryptography")
LOCAL = "pip install 'jupyter_localcoder[local]'"
WIDGETS = "pip install 'jupyter_localcoder[widgets]'"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a plain installation."""
    return environment_without(tmp_path, *OPTIONAL)


def python(code: str, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


def cli(
    environment: dict[str, str], cwd: Path, *arguments: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyter_localcoder.cli", *arguments]
    return subprocess.run(
        command, env=environment, cwd=cwd, input=given, capture_output=True, text=True, check=False
    )


def cell(*cells: str) -> str:
    """Code that runs cells in a plain IPython."""
    return (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(colors='nocolor')\n"
        f"for cell in {list(cells)!r}:\n"
        "    shell.run_cell(cell)\n"
    )


def test_a_plain_installation_compiles_nothing() -> None:
    table = project_table(REPOSITORY / "pyproject.toml")
    plain = {Requirement(line).name for line in table["dependencies"]}
    extras = {
        name: {Requirement(line).name for line in lines}
        for name, lines in table["optional-dependencies"].items()
    }
    assert not plain & {"llama-cpp-python", "numpy", "ipywidgets", "keyring", "cryptography"}
    assert "llama-cpp-python" in extras["local"]
    assert "ipywidgets" in extras["widgets"]
    assert "keyring" in extras["keys"]
    (everything,) = table["optional-dependencies"]["all"]
    assert Requirement(everything).extras == set(EXTRAS)


def test_the_server_extension_starts_and_says_what_is_missing(bare: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import asyncio, json, jupyter_localcoder.server.app\n"
        "from jupyter_localcoder.composition import build_service\n"
        "from jupyter_localcoder.contract import backend, models, registry\n"
        "from msgspec import to_builtins\n"
        "async def look():\n"
        "    service = build_service()\n"
        "    status = await service.handle(registry.PING, backend.PingRequest())\n"
        "    listed = await service.handle(registry.MODEL_LIST, models.ModelListRequest())\n"
        "    print(json.dumps(to_builtins([status.engine_error, listed.engine_error])))\n"
        "    await service.close()\n"
        "asyncio.run(look())\n"
    )
    ended = python(code, bare, tmp_path)
    assert ended.returncode == 0, ended.stderr
    for error in json.loads(ended.stdout.splitlines()[-1]):
        assert error["code"] == "PACKAGE_MISSING"
        assert LOCAL in error["recovery"]


@pytest.mark.parametrize("line", ["%%explain\nx = 1", "%%coder\nhello", "%%chat\nhello"])
def test_a_magic_says_it_in_a_sentence(line: str, bare: dict[str, str], tmp_path: Path) -> None:
    ended = python(cell("%load_ext jupyter_localcoder", line, "print('goes', 'on')"), bare, tmp_path)
    said = ended.stdout + ended.stderr
    assert "PACKAGE_MISSING" in said
    assert LOCAL in said
    assert "Traceback" not in said
    assert "File " not in said
    assert "goes on" in ended.stdout


def test_status_and_manager_are_shown_without_engine_and_widgets(
    bare: dict[str, str], tmp_path: Path
) -> None:
    cells = ("%load_ext jupyter_localcoder", "%localcoder status", "%localcoder manager")
    ended = python(cell(*cells), bare, tmp_path)
    said = ended.stdout + ended.stderr
    assert said.count(LOCAL) == 2
    assert WIDGETS in said
    assert "qwen2.5-coder-0.5b" in said
    assert "Traceback" not in said


def test_the_widget_says_it_without_a_traceback(bare: dict[str, str], tmp_path: Path) -> None:
    ended = python(cell("from jupyter_localcoder import ModelManager"), bare, tmp_path)
    said = ended.stdout + ended.stderr
    assert "[PACKAGE_MISSING]" in said
    assert WIDGETS in said
    assert "Traceback" not in said
    # And it is what Python expects of an import that fails.
    probe = (
        "try:\n    from jupyter_localcoder import ModelManager\n"
        "except ImportError as failure:\n    print('caught', failure)"
    )
    assert python(probe, bare, tmp_path).stdout.startswith("caught ")


def test_the_command_line_says_it(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n")
    for arguments in (
        ("explain", "code.py"),
        ("complete", "code.py", "--line=1", "--column=5"),
        ("setup", "--yes", "--accept-license"),
    ):
        ended = cli(bare, tmp_path, *arguments)
        assert ended.returncode != 0, arguments
        assert "PACKAGE_MISSING" in ended.stderr, arguments
        assert LOCAL in ended.stderr, arguments
        assert "Traceback" not in ended.stderr, arguments
    status = cli(bare, tmp_path, "status")
    assert status.returncode == 0
    assert LOCAL in status.stdout


def test_doctor_notes_it_and_finds_no_problem_in_it(bare: dict[str, str], tmp_path: Path) -> None:
    ended = cli(bare, tmp_path, "doctor", "--json")
    findings = json.loads(ended.stdout)["findings"]
    (engine,) = [finding for finding in findings if finding["topic"] == "Engine"]
    assert engine["verdict"] == "note"
    assert "[PACKAGE_MISSING]" in engine["found"]
    assert LOCAL in engine["meaning"]


async def test_a_remote_provider_answers_without_the_engine(bare: dict[str, str], tmp_path: Path) -> None:
    async def answer(line: Any) -> None:
        await line.head(200, Content_Type="text/event-stream")
        for piece in ({"delta": {"content": "It works."}}, {"delta": {}, "finish_reason": "stop"}):
            await line.send(f"data: {json.dumps({'choices': [{'index': 0, **piece}]})}\n\n")
        await line.send("data: [DONE]\n\n")

    async with wire_server() as server:
        server.say(answer)
        added = await asyncio.to_thread(
            cli, bare, tmp_path, "providers", "add", "far", "--type=openai_compatible",
            f"--url={server.url}/v1", "--model=m",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        asked = await asyncio.to_thread(cli, bare, tmp_path, "ask", "Does it work?", "--provider=far")
        assert (asked.returncode, asked.stdout.strip()) == (0, "It works."), asked.stderr


async def spawned(environment: dict[str, str]) -> WorkerProcess:
    def never(_how: WorkerExit) -> None:
        raise AssertionError("the exit of a worker that has not started is not reported")

    worker, _ = await WorkerProcess.spawn(
        on_frame=lambda _: None,
        on_exit=never,
        log=logging.getLogger("test"),
        timeout_seconds=60,
        command=[sys.executable, "-m", "jupyter_localcoder.worker"],
        environment=environment,
    )
    return worker


async def test_a_worker_without_the_package_says_so(tmp_path: Path) -> None:
    """The server's own look may be wrong: another environment, or a package that was just removed."""
    with pytest.raises(PackageMissing) as caught:
        await spawned(environment_without(tmp_path, "llama_cpp"))
    assert LOCAL in caught.value.recovery


async def test_a_package_that_cannot_be_loaded_is_told_with_its_reason(tmp_path: Path) -> None:
    reason = "libcudart.so.12: cannot open shared object file"
    with pytest.raises(PackageMissing, match=reason) as caught:
        await spawned(environment_without(tmp_path, broken={"llama_cpp": reason}))
    assert "doctor" in caught.value.recovery


def test_the_error_is_the_same_after_a_wire() -> None:
    error = PackageMissing.of("local")
    again = from_parts(error.code, error.message, error.recovery, dict(error.details))
    assert (type(again), again.message, again.recovery) == (PackageMissing, error.message, error.recovery)


def test_a_module_is_found_where_it_is() -> None:
    assert has_module("json")
    assert not has_module("no_such_module_at_all")
