"""The real program over the real service and store, without a model and without a network."""

from __future__ import annotations

import json
import os
from pathlib import Path

MODEL = "qwen2.5-coder-0.5b"


def test_settings_are_kept_and_given_back(program):
    assert program("config", "set", "top_k", "7").out == "top_k = 7  (settings)\n"
    assert program("config", "get", "top_k", "--json").json == {
        "key": "top_k",
        "value": 7,
        "source": "settings",
    }
    path = Path(program("config", "path").out.strip())
    assert json.loads(path.read_text())["settings"] == {"top_k": 7}
    assert program("config", "reset", "--all", "--json").json["sources"] == {"top_k": "default"}


def test_show_names_the_layer_that_decided(program):
    config = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_localcoder_config.py"
    config.parent.mkdir(parents=True)
    config.write_text("c.LocalCoderSettings.top_k = 9")
    environ = {"LOCALCODER_TOP_P": "0.5", "JUPYTER_NO_CONFIG": ""}
    shown = program("config", "show", "--json", **environ).json
    assert (shown["settings"]["top_k"], shown["sources"]["top_k"]) == (9, "config")
    assert (shown["settings"]["top_p"], shown["sources"]["top_p"]) == (0.5, "environment")


def test_the_catalogue_is_listed_from_an_empty_folder(program):
    listed = program("models", "list", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert listed.json["models_dir"] == os.environ["LOCALCODER_MODELS_DIR"]
    assert {model["state"] for model in listed.json["models"]} == {"idle"}


def test_without_consent_nothing_is_fetched_or_made(program):
    assert program("models", "pull", MODEL).code == 4
    assert not list(Path(os.environ["LOCALCODER_MODELS_DIR"]).rglob("*.part"))


def test_with_the_air_gap_on_nothing_is_fetched(program):
    ran = program("models", "pull", MODEL, "--accept-license", "--json", LOCALCODER_AIR_GAP="true")
    assert (ran.code, ran.json["error"]["code"]) == (4, "AIR_GAPPED")


def test_the_folder_of_the_command_line_goes_before_the_environment(program, tmp_path):
    ran = program("models", "verify", f"--ModelStore.models_dir={tmp_path / 'other'}")
    assert (ran.code, ran.err) == (0, "There is no model on this machine.\n")


def test_a_file_that_is_no_model_is_not_imported(program, tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(40))
    ran = program("models", "import", "x.gguf", "--quiet")
    assert ran.code == 1
    assert "[INVALID_MODEL]" in ran.err
    assert program("models", "verify", MODEL).code == 5
    assert program("models", "rm", "nothing-here").code == 3


def test_a_command_without_a_model_says_what_to_do(program, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    ran = program("explain", "a.py", "--model", MODEL)
    assert (ran.code, ran.out) == (5, "")
    assert f"models pull {MODEL}" in ran.err
    assert program("explain", "a.py", "--model", "nothing-here").code == 3


def test_load_needs_a_server_and_status_does_not(program):
    assert program("load").code == 5
    status = program("status", "--json").json
    assert (status["server"], status["state"]) == (False, "stopped")


def test_help_all_lists_the_traits(program):
    ran = program("--help-all")
    assert ran.code == 0
    assert "--ModelStore.models_dir" in ran.out
    assert "--Supervisor." in ran.out
