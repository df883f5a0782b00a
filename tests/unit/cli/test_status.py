"""status, load and unload, over a scripted client."""

from __future__ import annotations

import msgspec

from jupyter_localcoder.cli.status import facts
from jupyter_localcoder.contract import backend


def test_status_fits_a_terminal_of_80_columns(cli):
    out = cli("status", tty=True).out
    assert max(map(len, out.splitlines())) <= 80
    for word in ("ready", "qwen2.5-coder-0.5b", "Tiny", "8192 tokens", "8 GB of 16 GB", "1 h 06 min"):
        assert word in out
    for word in ("reads 812", "writes 31 ", "after 140 ms", "within 300 ms", "last 12"):
        assert word in out


def test_status_without_a_server_says_so(cli):
    ran = cli("status", server=False)
    assert ran.code == 0
    assert ran.out.startswith("No Jupyter server with the extension is running.\n")
    assert cli("status", "--json", server=False).json["server"] is False


def test_status_tells_the_air_gap(cli):
    assert "air gap   on" in cli("status", air_gap=True).out


def test_status_names_all_that_are_in_memory_and_why_two_take_turns():
    one = backend.ResidentModel(model="a", profile="", state="ready", reason="")
    status = backend.BackendStatus(
        version="1", state="ready", generation=2, reason="", model="b", profile="", uptime_seconds=1.0,
        queue_length=0, speeds=backend.Speeds(), air_gap=False, acceleration="cpu", context_window=0,
        memory=backend.Memory(worker_bytes=0, server_bytes=0, available_bytes=0, total_bytes=0),
        resident=(one, msgspec.structs.replace(one, model="b")), residency="They take turns.",
    )  # fmt: skip
    told = dict(facts(status))
    assert (told["model"], told["in memory"]) == ("a, b", "They take turns.")
    alone = dict(facts(msgspec.structs.replace(status, resident=(), residency="")))
    assert alone["model"] == "b"
    assert "in memory" not in alone


def test_a_gpu_that_is_not_used_is_told_by_load_and_status(cli):
    loaded = cli("load", no_gpu=True)
    assert loaded.code == 0
    assert "It runs on the processor. Install another build." in loaded.err
    assert cli("load", "--json", no_gpu=True).json["warning"]["code"] == "GPU_NOT_USED"
    assert "It runs on the processor. Install another build." in cli("status", no_gpu=True).out
    assert "GPU_NOT_USED" in cli("status", "--json", no_gpu=True).out


def test_load_names_the_model_of_the_profile(cli):
    ran = cli("load")
    assert ran.asked("model:load").id == "qwen2.5-coder-0.5b"
    assert ran.out == "qwen2.5-coder-0.5b is loaded: 8192 tokens of context, on cpu, after 1.2 s.\n"


def test_load_of_one_model_with_a_profile(cli):
    request = cli("load", "other", "--profile=Tiny", "--force").asked("model:load")
    assert request.force
    assert (request.id, request.profile) == ("other", "Tiny")


def test_unload(cli):
    assert cli("unload").out == "The model is unloaded.\n"


def test_without_a_server_they_are_unavailable(cli):
    for command in ("load", "unload"):
        ran = cli(command, server=False)
        assert (ran.code, ran.out) == (5, "")
        assert "[CONNECTION_ERROR]" in ran.err
        assert "stays loaded only in a running server" in ran.err
