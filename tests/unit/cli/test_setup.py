"""setup: the steps in a terminal, and without a person."""

from __future__ import annotations

import re

import pytest

MODEL = "qwen2.5-coder-0.5b"


def operations(ran) -> list[str]:
    return [entry[0] for entry in ran.log if isinstance(entry, tuple)]


def test_a_script_gets_it_in_one_go(cli):
    ran = cli("setup", "--yes", "--accept-license", answer=["(fahrenheit - 32) * 5 / 9"])
    assert ran.code == 0, ran.err
    assert "Tiny: 8.1 GB of memory available." in ran.err
    assert f"Downloading {MODEL}: 491 MB." in ran.err
    assert ran.out.endswith("    return (fahrenheit - 32) * 5 / 9\n")
    assert "Profile [" not in ran.err
    assert ran.asked("model:load").id == MODEL


def test_the_steps_are_asked_in_order_and_end_with_a_completion(cli):
    ran = cli("setup", stdin="\ny\n", tty=True)
    assert ran.code == 0, ran.err
    order = ["Your code, your data and your questions stay here", "PROFILE", "recommended", "Profile "
    "[Tiny]: ",
             "Accept the licence?", "Loading", "A first completion", "Setup is complete"]  # fmt: skip
    flat = " ".join(ran.err.split())
    places = [flat.index(" ".join(text.split())) for text in order]
    assert places == sorted(places)


def test_every_line_fits_80_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ran = cli("setup", "--quiet", stdin="\ny\n", tty=True)
    told = cli("setup", stdin="\ny\n", tty=True, ready=True).err
    # The person's answers end the lines of the questions, and are not in what was printed.
    shown = re.sub(r"(Profile \[Tiny\]: |to read it\] )", r"\1\n", ran.err + told)
    assert max(map(len, shown.splitlines())) <= 80


def test_another_profile_is_kept_and_the_recommended_one_needs_no_setting(cli):
    other = cli("setup", stdin="nonsense\ncompact\ny\n", tty=True)
    assert "No profile or file is named `nonsense`." in other.err
    assert other.asked("settings:update").profile == "Compact"
    assert other.asked("model:load").id == "qwen2.5-coder-1.5b"
    assert "settings:update" not in operations(cli("setup", "--yes", "--accept-license"))


@pytest.mark.parametrize(
    ("arguments", "script", "code", "said"),
    [
        ([], {}, 2, "--yes"),
        (["--yes"], {}, 4, "LICENSE_NOT_ACCEPTED"),
        (["--profile=Giant", "--yes"], {}, 2, "Choose one of: Tiny, Compact"),
        (["--yes", "--accept-license"], {"air_gap": True}, 4, "AIR_GAPPED"),
        (["surprise"], {}, 2, "takes no argument"),
    ],
)
def test_what_is_missing_ends_it_with_the_code_of_all_commands(cli, arguments, script, code, said):
    ran = cli("setup", *arguments, **script)
    assert ran.code == code
    assert said in ran.err
    assert not {"model:load", "prepare"} & set(operations(ran))


def test_a_licence_that_is_declined_fetches_nothing(cli):
    ran = cli("setup", stdin="\nn\n", tty=True)
    assert ran.code == 4
    assert "nothing was downloaded" in ran.err
    assert "model:load" not in operations(ran)


@pytest.mark.parametrize("asked", [False, True])
def test_a_file_is_as_good_as_a_download(cli, tmp_path, asked):
    file = tmp_path / "model.gguf"
    file.touch()
    ran = cli("setup", stdin=f"{file}\n", tty=True) if asked else cli("setup", f"--file={file}")
    assert ran.code == 0, ran.err
    assert ("import", file, None, False) in ran.log
    assert ran.asked("settings:update").model == MODEL
    assert "prepare" not in operations(ran)
    assert "providers add" in ran.err or not asked


def test_a_file_that_is_not_there_is_said(cli, tmp_path):
    ran = cli("setup", f"--file={tmp_path / 'nowhere.gguf'}")
    assert ran.code == 3
    assert "FILE_NOT_FOUND" in ran.err
    assert "model:load" not in operations(ran)


def test_what_is_here_is_not_fetched_again(cli):
    ran = cli("setup", "--yes", ready=True)
    assert ran.code == 0
    assert "is on this machine." in ran.err
    assert "Fetching" not in ran.err


def test_too_little_memory_is_asked_about_with_the_numbers(cli):
    ran = cli("setup", stdin="\ny\ny\n", tty=True, too_big=True)
    assert ran.code == 0, ran.err
    assert "needs 5.0 GB" in ran.err
    assert "Load it anyway?" in ran.err
    assert cli("setup", stdin="\ny\nn\n", tty=True, too_big=True).code == 1
    assert cli("setup", "--yes", "--accept-license", too_big=True).code == 1
    alone = cli("setup", "--yes", "--accept-license", stdin="y\n", tty=True, too_big=True)
    assert alone.code == 1
    assert "anyway?" not in alone.err


def test_completion_that_is_switched_off_is_said_and_is_no_failure(cli):
    ran = cli("setup", "--yes", "--accept-license", disabled=True)
    assert ran.code == 0
    assert "turned off" in ran.err


def test_json_is_one_document(cli):
    document = cli("setup", "--yes", "--accept-license", "--json", "--quiet").json
    assert (document["profile"], document["fetched"], document["completion"]) == (
        "Tiny",
        True,
        "Hello world.",
    )
    assert document["model"]["state"] == "ready"
