"""doctor: each area with something missing, and the report as a whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

from jupyter_localcoder.cli.doctor import engine, jupyter, models, python
from jupyter_localcoder.client.connection import ServerConnection


def ended(code: int, out: str = "", err: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, out, err)


def facts(**changed: object) -> str:
    return json.dumps(
        {"version": "0.3.36", "features": "CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 0 | ", "gpu": True} | changed
    )


def test_a_sound_engine():
    found = list(engine.findings(lambda command: ended(0, "noise\n" + facts())))
    assert [finding.verdict for finding in found] == ["ok", "ok", "ok"]
    assert found[1].found == "SSE3, AVX2"


def test_an_engine_without_gpu_is_a_note():
    assert list(engine.findings(lambda command: ended(0, facts(gpu=False))))[-1].verdict == "note"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ended(-4), "SIGILL, built for another processor"),
        (ended(1, err="Traceback\nModuleNotFoundError: No module named 'llama_cpp'"), "No module named"),
        (ended(3), "code 3"),
    ],
)
def test_an_engine_that_does_not_start_is_a_problem(end, words):
    (finding,) = engine.findings(lambda command: end)
    assert finding.verdict == "problem"
    assert words in finding.found
    assert "pip install" in finding.meaning


def test_an_engine_that_hangs_is_a_problem():
    def hang(command: list[str]) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(command, 60)

    (finding,) = engine.findings(hang)
    assert finding.verdict == "problem"


def test_a_missing_package_is_a_problem(monkeypatch):
    monkeypatch.setattr(python, "PACKAGES", ("no-such-package",))
    assert list(python.findings())[-1].verdict == "problem"


@pytest.mark.parametrize("name", ["llama-cpp-python", "httpx"])
def test_a_version_that_is_not_supported_is_a_problem(name, monkeypatch):
    installed = metadata.version
    monkeypatch.setattr(metadata, "version", lambda one: "99.0" if one == name else installed(one))
    (finding,) = [finding for finding in python.findings() if finding.verdict == "problem"]
    assert finding.found.startswith(f"{name} 99.0; supported: ")
    # The whole range: the newest version is the one that does not work.
    assert re.search(rf"pip install '{name}<[0-9.]+,>=[0-9.]+'", finding.meaning)


def test_building_the_engine_again_installs_a_version_that_is_supported():
    (finding,) = engine.findings(lambda command: ended(3))
    assert re.search(r"'llama-cpp-python<[0-9.]+,>=[0-9.]+'", finding.meaning)


def test_the_server_extension_is_read_from_the_config_files(tmp_path):
    assert jupyter.server_extension([str(tmp_path)]).found == "not registered"
    for enabled, verdict in ((True, "ok"), (False, "note")):
        folder = tmp_path / "jupyter_server_config.d"
        folder.mkdir(exist_ok=True)
        config = {"ServerApp": {"jpserver_extensions": {"jupyter_localcoder": enabled}}}
        (folder / "jupyter_localcoder.json").write_text(json.dumps(config))
        assert jupyter.server_extension([str(tmp_path)]).verdict == verdict


def test_the_lab_extension_is_read_from_its_folder(tmp_path):
    assert jupyter.lab_extension([str(tmp_path)]).found == "not installed"
    package = tmp_path / "jupyter-localcoder"
    package.mkdir()
    (package / "package.json").write_text('{"name": "jupyter-localcoder", "version": "1", "jupyterlab": {}}')
    assert jupyter.lab_extension([str(tmp_path)]).verdict == "ok"


def test_a_running_server_is_named_without_its_token(tmp_path):
    ServerConnection(url="http://localhost:8888/", token="secret", pid=os.getpid()).write(tmp_path)
    (finding,) = jupyter.servers(tmp_path)
    assert finding.found.startswith("http://localhost:8888/")
    assert "secret" not in finding.found


def test_a_folder_that_cannot_be_written_is_a_note(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert next(finding.verdict for finding in models._folder(tmp_path)) == "note"


def test_the_report_has_a_word_for_each_verdict_and_counts(cli):
    ran = cli("doctor")
    assert ran.code == 1
    assert "✗ problem  Models: no model is on this machine\n" in ran.out
    assert "models pull qwen2.5-coder-0.5b" in ran.out
    assert ran.out.endswith("1 to be solved.\n")
    assert "llama_cpp" not in sys.modules


def test_a_machine_with_a_model_is_sound(cli):
    ran = cli("doctor", "--json", ready=True)
    assert (ran.code, ran.json["ok"]) == (0, True)
    assert {"Engine", "Memory", "Model", "Settings", "Running server"} <= {
        finding["topic"] for finding in ran.json["findings"]
    }


def test_what_cannot_be_looked_at_is_a_line_and_the_next_goes_on(cli):
    ran = cli("doctor", fail="CONNECTION_ERROR")
    assert ran.code == 1
    assert "✗ problem  Models: Cannot connect to the Jupyter server. [CONNECTION_ERROR]" in ran.out
    assert "Running server" in ran.out


def test_the_report_fits_80_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli("doctor", tty=True).out.splitlines()
    plain = [line.replace("\x1b[32m", "").replace("\x1b[33m", "").replace("\x1b[31m", "") for line in lines]
    plain = [line.replace("\x1b[0m", "") for line in plain]
    # a word that is longer than a line, such as a path, is left whole
    assert [line for line in plain if len(line) > 80 and " " in line.strip()[11:]] == []
