"""config show, get, set, reset and path, over a scripted client."""

from __future__ import annotations

import pytest

from jupyter_localcoder.cli.config.fields import describe, names


def test_show_prints_each_value_and_who_decided(cli):
    lines = [line.split() for line in cli("config", "show", air_gap=True).out.splitlines()]
    assert lines[0] == ["SETTING", "VALUE", "DECIDED", "BY"]
    assert ["temperature", "0.2", "default"] in lines
    assert ["air_gap", "true", "settings"] in lines
    assert ["model", '""', "default"] in lines


def test_get_prints_the_value_alone(cli):
    assert cli("config", "get", "acceleration").out == "auto\n"
    assert cli("config", "get", "top_k", "--json").json == {"key": "top_k", "value": 40, "source": "default"}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("temperature", "0.5", 0.5),
        ("top_k", "7", 7),
        ("keep_resident", "true", True),
        ("profile", "Fast", "Fast"),
        ("acceleration", "cpu", "cpu"),
        ("model", "", ""),
        ("model", "null", "null"),
    ],
)
def test_set_sends_one_checked_value(cli, key, text, value):
    ran = cli("config", "set", key, text)
    assert ran.code == 0
    assert getattr(ran.asked("settings:update"), key) == value
    assert ran.out.startswith(f"{key} = ")
    assert ran.out.endswith("(settings)\n")


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("temperature", "9", "a number from 0 to 2 (0 is greedy)"),
        ("temperature", "-1", "a number from 0 to 2 (0 is greedy)"),
        ("temperature", "nan", "a number from 0 to 2"),
        ("temperature", "warm", "a number from 0 to 2"),
        ("top_k", "4.5", "a whole number from 0 to 1000"),
        ("top_p", "0", "a number above 0 up to 1"),
        ("air_gap", "maybe", "true or false"),
        ("run_mode", "fast", "one of performance, stability"),
        ("profile", "", "a text of 1 to 128 characters"),
    ],
)
def test_a_value_out_of_range_names_the_range(cli, key, text, told):
    ran = cli("config", "set", key, text)
    assert (ran.code, ran.out, ran.log) == (2, "", [])
    assert f"`{key}` cannot be `{text}`. [VALIDATION_ERROR]" in ran.err
    assert f"It is {told}" in ran.err


def test_an_unknown_setting_names_the_nearest(cli):
    for command in (["get", "temprature"], ["set", "temprature", "1"], ["reset", "temprature"]):
        ran = cli("config", *command)
        assert ran.code == 2
        assert "Did you mean `temperature`?" in ran.err


def test_reset_sends_null(cli):
    request = cli("config", "reset", "air_gap", "top_k", air_gap=True).asked("settings:update")
    assert (request.air_gap, request.top_k) == (None, None)


def test_reset_all_names_what_the_file_holds(cli):
    ran = cli("config", "reset", "--all", "--json", air_gap=True)
    assert ran.json["settings"] == {"air_gap": False}


@pytest.mark.parametrize(
    "argv", [["reset"], ["reset", "--all", "top_k"], ["set", "top_k"], ["get"], ["show", "x"]]
)
def test_wrong_arguments_are_usage_errors(cli, argv):
    ran = cli("config", *argv)
    assert (ran.code, ran.log) == (2, [])
    assert "Usage: jupyter localcoder config" in ran.err


def test_path(cli):
    assert cli("config", "path").out == "/home/you/settings.json\n"


def test_every_setting_has_a_description():
    assert all(describe(name) for name in names())
