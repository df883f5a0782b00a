"""explain, improve and complete, over a scripted client."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.support.hostile_answers import HOSTILE
from tests.support.waiting import PATIENCE_SECONDS
from tests.unit.magics.test_safe_text import HOSTILE as ESCAPES

CODE = "import os\n\n\ndef f(x):\n    return x+1\n"
BETTER = 'Here:\n```python\nimport os\n\n\ndef f(x):\n    """Add one."""\n    return x + 1\n```\nDone.'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "analysis.py"
    path.write_text(CODE)
    return path


def test_explain_prints_the_answer_and_nothing_else(cli, file):
    ran = cli("explain", str(file))
    assert ran.code == 0
    assert ran.out == "Hello world.\n"
    assert ran.err == "12 tokens · 30 tokens/s · 0.5 s · qwen2.5-coder-0.5b\n"
    request = ran.asked("generate")
    assert (request.command, request.code, request.language) == ("explain", CODE, "python")
    assert ran.log[-2:] == ["closed", "client closed"]


def test_quiet_leaves_the_metrics_out(cli, file):
    assert cli("explain", str(file), "--quiet").err == ""


def test_options_reach_the_request(cli, file):
    ran = cli(
        "explain", str(file), "--model=m", "--profile=Tiny", "--max-tokens=9", "--temperature=0", "--seed=3",
        "--timeout=1.5", "--instruction=why?", "--language=julia",
    )  # fmt: skip
    request = ran.asked("generate")
    assert (request.model, request.profile, request.max_tokens) == ("m", "Tiny", 9)
    assert (request.timeout_ms, request.instruction, request.language) == (1500, "why?", "julia")
    assert (request.sampling.temperature, request.sampling.seed) == (0.0, 3)


def test_escapes_of_the_model_do_not_reach_the_terminal(cli, file):
    ran = cli("explain", str(file), answer=["a\x1b]52;c;ZXZ", "pbA==\x07b\x1b[", "31mc\r\n"], tty=True)
    assert ran.out == "abc\n\n"


@pytest.mark.parametrize("command", ["explain", "improve"])
def test_no_hostile_answer_acts_in_the_terminal(cli, file, command):
    answer = [f"{each}\n" for each in (*HOSTILE, ESCAPES)]
    ran = cli(command, str(file), "--language=text", answer=answer, tty=True)  # which is not held to be valid
    assert "window.harmed=1" in ran.out
    assert not re.search("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ran.out)
    # The colours of a diff are ours.
    assert set(re.findall("\x1b.{0,3}", ran.out)) <= {"\x1b[1m", "\x1b[31", "\x1b[32", "\x1b[36", "\x1b[0m"}


def test_stdin_is_read_for_a_dash(cli):
    assert cli("explain", "-", stdin="x = 1\n").asked("generate").code == "x = 1\n"


def test_a_notebook_gives_its_code_cells(cli, tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "b"]},'
        ' {"cell_type": "markdown", "source": "no"}, {"cell_type": "code", "source": "c"}]}'
    )
    assert cli("explain", str(path)).asked("generate").code == "# %% cell 1\na = 1\nb\n\n# %% cell 2\nc"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 3, "There is no file"),
        (b"", 2, "There is no code"),
        (b"  \n", 2, "There is no code"),
        (b"\xff\xfe\x00", 2, "is not UTF-8 text"),
        (b"a\x00b", 2, "null bytes"),
    ],
)
def test_a_file_that_cannot_be_used(cli, tmp_path, content, code, words):
    path = tmp_path / "x.py"
    if content is not None:
        path.write_bytes(content)
    ran = cli("explain", str(path))
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert ran.log == []


def test_a_folder_is_no_file(cli, tmp_path):
    ran = cli("explain", str(tmp_path))
    assert ran.code == 2
    assert "cannot be read" in ran.err


@pytest.mark.parametrize("option", ["--temperature=9", "--seed=-1", "--max-tokens=0", "--temperature=abc"])
def test_a_value_out_of_range_is_a_usage_error(cli, file, option):
    ran = cli("explain", str(file), option)
    assert ran.code == 2
    assert option.removeprefix("--").split("=")[0].replace("-", "_") in ran.err
    assert "closed" not in ran.log


@pytest.mark.parametrize(
    ("fail", "code"),
    [("TOKEN_LIMIT_EXCEEDED", 1), ("MODEL_NOT_FOUND", 3), ("AIR_GAPPED", 4), ("MODEL_NOT_READY", 5),
     ("OUT_OF_MEMORY", 1), ("CANCELED", 130), ("UNKNOWN_ERROR", 1)],
)  # fmt: skip
def test_errors_have_a_code_an_advice_and_an_exit_code(cli, file, fail, code):
    ran = cli("explain", str(file), fail=fail)
    assert (ran.code, ran.out) == (code, "")
    first, advice = ran.err.splitlines()
    assert first.startswith("error: ")
    assert first.endswith(f"[{fail}]")
    assert advice


def test_an_error_is_a_document_with_json(cli, file):
    ran = cli("explain", str(file), "--json", fail="MODEL_NOT_READY")
    assert (ran.code, ran.err) == (5, "")
    assert ran.json["error"]["code"] == "MODEL_NOT_READY"
    assert ran.json["error"]["recovery"]


def test_json_holds_the_whole_answer(cli, file):
    ran = cli("explain", str(file), "--json")
    assert ran.json["text"] == "Hello world."
    assert ran.json["model"]["digest"] == "ab" * 32


def test_a_cut_answer_says_so(cli, file):
    assert "--max-tokens" in cli("explain", str(file), finish="length").err
    assert "--timeout" in cli("explain", str(file), finish="timeout").err
    assert cli("explain", str(file), finish="canceled").code == 130


def test_improve_prints_a_diff_that_patch_takes(cli, file):
    ran = cli("improve", str(file), answer=[BETTER])
    assert ran.out == (
        f"--- {file}\n+++ {file}\n@@ -2,4 +2,5 @@\n \n \n def f(x):\n"
        '-    return x+1\n+    """Add one."""\n+    return x + 1\n'
    )
    assert file.read_text() == CODE


def test_improve_colours_the_diff_for_a_person(cli, file):
    assert "\x1b[31m-    return x+1\x1b[0m" in cli("improve", str(file), answer=[BETTER], tty=True).out


def test_write_replaces_the_file_and_keeps_the_old(cli, file):
    file.chmod(0o640)
    ran = cli("improve", str(file), "--write", "--json", answer=[BETTER])
    assert ran.code == 0
    assert ran.json["written"] is True
    assert (
        file.read_text()
        == ran.json["code"]
        == CODE.replace("    return x+1", '    """Add one."""\n    return x + 1')
    )
    assert file.with_name("analysis.py~").read_text() == CODE
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in file.parent.iterdir()) == ["analysis.py", "analysis.py~"]


def test_write_keeps_windows_line_ends(cli, file):
    file.write_bytes(CODE.replace("\n", "\r\n").encode())
    cli("improve", str(file), "--write", answer=[BETTER])
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n") == 6


def test_write_follows_a_link(cli, file, tmp_path):
    link = tmp_path / "link.py"
    link.symlink_to(file)
    cli("improve", str(link), "--write", answer=[BETTER])
    assert link.is_symlink()
    assert "Add one" in file.read_text()


@pytest.mark.parametrize("finish", ["length", "timeout", "canceled"])
def test_a_cut_answer_is_never_written(cli, file, finish):
    ran = cli("improve", str(file), "--write", answer=[BETTER], finish=finish)
    assert ran.code in (1, 130)
    assert file.read_text() == CODE


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "There is no code in the answer."),
        (" \n\t\n", "There is no code in the answer."),
        ("```python\n```", "There is no code in the answer."),
        ("```python\ndef f(x:\n```", "The answer is not valid Python, but the original code was."),
        ("I cannot help with that.", "The answer is not valid Python, but the original code was."),
        ("```bash\nls\n```", "The answer is not in the language of the code, which is python."),
    ],
)
@pytest.mark.parametrize("command", ["improve", "fix", "document"])
@pytest.mark.parametrize("options", [[], ["--write"]])
def test_an_answer_that_cannot_be_used_is_an_error(cli, file, command, options, answer, why):
    ran = cli(command, str(file), *options, answer=[answer])
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert [path.name for path in file.parent.iterdir()] == ["analysis.py"]
    assert file.read_text() == CODE


def test_without_write_a_cut_answer_is_no_patch(cli, file):
    ran = cli("improve", str(file), answer=[BETTER], finish="length")
    assert (ran.code, ran.out) == (1, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbfx=1\n", b"\xef\xbb\xbfx = 'e\xc3\xa9'\n"),
        (b"x=1", b"x = 'e\xc3\xa9'"),
        (b"x=1\r\ny=2\r\n", b"x = 'e\xc3\xa9'\r\n"),
        (b"\xef\xbb\xbfx=1\r\ny=2", b"\xef\xbb\xbfx = 'e\xc3\xa9'"),
        (b"x=1\ry=2\r", b"x = 'e\xc3\xa9'\r"),
        (b"\n\nx=1\n\n\n", b"\n\nx = 'e\xc3\xa9'\n\n\n"),
        (b"# coding: latin-1\nx='\xe9'\n", b"# coding: latin-1\nx = 'e\xe9'\n"),
        (b"#!/usr/bin/env python\nx=1\n", b"#!/usr/bin/env python\nx = 'e\xc3\xa9'\n"),
    ],
)
def test_write_keeps_the_form_of_the_file(cli, file, before, after):
    file.write_bytes(before)
    ran = cli("improve", str(file), "--write", answer=["```python\nx = 'e\u00e9'\n```"])
    assert ran.code == 0, ran.err
    assert file.read_bytes() == after
    assert file.with_name("analysis.py~").read_bytes() == before


def test_what_the_encoding_of_a_file_cannot_hold_is_not_written(cli, file):
    file.write_bytes(b"# coding: ascii\nx=1\n")
    ran = cli("improve", str(file), "--write", answer=["```python\nx = '\u2192'\n```"])
    assert ran.code == 1
    assert "ascii" in ran.err
    assert file.read_bytes() == b"# coding: ascii\nx=1\n"


def test_a_read_only_file_is_refused_before_the_model_works(cli, file):
    file.chmod(0o444)
    ran = cli("improve", str(file), "--write", answer=[BETTER])
    assert (ran.code, ran.log) == (1, [])
    assert "read-only" in ran.err
    assert (file.read_text(), file.stat().st_mode & 0o777) == (CODE, 0o444)


def test_what_is_no_ordinary_file_is_refused_before_the_model_works(cli, tmp_path):
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(CODE))
    writer.start()
    ran = cli("improve", str(pipe), "--write", answer=[BETTER])
    writer.join()
    assert (ran.code, ran.log) == (2, [])
    assert "not a regular file" in ran.err


@pytest.mark.parametrize("command", ["explain", "improve"])
def test_a_file_name_that_is_no_text_is_no_obstacle(start, tmp_path, command):
    path = os.fsencode(tmp_path) + b"/a\xff.py"
    try:
        Path(os.fsdecode(path)).write_text(CODE)
    except OSError:
        pytest.skip("this file system has no such names")
    child = start(command, os.fsdecode(path), answer=[BETTER])
    out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 0, err
    assert "Add one" in out
    missing = start(command, os.fsdecode(path) + "b")
    _, err = missing.communicate(timeout=PATIENCE_SECONDS)
    assert missing.returncode == 3
    assert "There is no file" in err


def test_a_device_without_an_end_is_not_read_to_its_end(cli):
    ran = cli("explain", "/dev/zero")
    assert ran.code == 2
    assert "larger than" in ran.err


def test_a_backup_does_not_follow_a_link_or_go_into_a_folder(cli, file, tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    backup = file.with_name("analysis.py~")
    backup.symlink_to(other)
    assert cli("improve", str(file), "--write", answer=[BETTER]).code == 0
    assert (other.read_text(), backup.read_text()) == ("mine", CODE)
    assert not backup.is_symlink()
    backup.unlink()
    backup.mkdir()
    now = file.read_text()
    ran = cli("improve", str(file), "--write", answer=[CODE.replace("f", "g")])
    assert ran.code == 1
    assert file.read_text() == now
    assert list(backup.iterdir()) == []


def test_a_shell_script_is_not_replaced_by_python(cli, tmp_path):
    path = tmp_path / "run.sh"
    path.write_text("#!/bin/sh\nls | wc -l\n")
    ran = cli("improve", str(path), "--write", answer=["```python\nimport os\n```"])
    assert ran.code == 1
    ran = cli("improve", str(path), "--write", answer=["```sh\nls | wc --lines\n```"])
    assert ran.code == 0
    assert path.read_text() == "#!/bin/sh\nls | wc --lines\n"


def test_no_change_writes_nothing(cli, file):
    ran = cli("improve", str(file), "--write", answer=[CODE])
    assert (ran.code, ran.out) == (0, "")
    assert "made no changes" in ran.err
    assert not file.with_name("analysis.py~").exists()


def test_write_to_stdin_is_refused_before_the_model_works(cli):
    ran = cli("improve", "-", "--write", stdin="x = 1\n")
    assert (ran.code, ran.log) == (2, [])


def test_an_instruction_may_begin_with_a_dash(cli, file):
    ran = cli("improve", str(file), "--instruction=- use numpy", answer=[BETTER])
    assert ran.asked("generate").instruction == "- use numpy"


def test_complete_prints_the_completion_only(cli, file):
    ran = cli("complete", str(file), "--line=5", "--column", "11", answer=["x", " + 1"])
    assert (ran.code, ran.out) == (0, "x + 1")
    request = ran.asked("tab:complete")
    assert request.prefix == "import os\n\n\ndef f(x):\n    return "
    assert request.suffix == "x+1\n"
    assert (request.multiline, request.provider) == (True, "")


def test_complete_can_be_asked_of_a_provider(cli, file):
    assert cli("complete", str(file), "--provider=lab").asked("tab:complete").provider == "lab"


@pytest.mark.parametrize(
    ("options", "prefix"),
    [
        ([], CODE),
        (["--line=1"], "import os"),
        (["--line=1", "--column=0"], ""),
        (["--line=6"], CODE),
        (["--line=2", "--column=0"], "import os\n"),
    ],
)
def test_places(cli, file, options, prefix):
    request = cli("complete", str(file), *options).asked("tab:complete")
    assert (request.prefix, request.prefix + request.suffix) == (prefix, CODE)


@pytest.mark.parametrize("options", [["--line=0"], ["--line=7"], ["--line=-1"], ["--line=1", "--column=10"]])
def test_a_place_that_is_not_there_names_those_that_are(cli, file, options):
    ran = cli("complete", str(file), *options)
    assert (ran.code, ran.log) == (2, [])
    assert "go from" in ran.err


def test_ctrl_c_cancels_and_keeps_what_came(start, tmp_path, file):
    child = start("explain", str(file), answer=["word "], hangs=True)
    assert child.stdout is not None
    assert child.stdout.read(5) == "word "
    child.send_signal(signal.SIGINT)
    _out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert (tmp_path / "log").read_text().splitlines()[-2:] == ["cancelled", "client closed"]


def test_a_reader_that_leaves_is_no_error(start, tmp_path, file):
    child = start("explain", str(file), answer=["many words\n"], endless=True)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=PATIENCE_SECONDS) == 141
    assert child.stderr.read() == ""
    child.stderr.close()
    assert "cancelled" in (tmp_path / "log").read_text()


def test_pieces_are_printed_as_they_come(start, tmp_path, file):
    """The second one comes when the first one was read."""
    child = start("explain", str(file), answer=["one\n", "two\n"], gate=str(tmp_path / "piece"))
    assert child.stdout is not None
    (tmp_path / "piece0").touch()
    assert child.stdout.readline() == "one\n"
    (tmp_path / "piece1").touch()
    assert child.stdout.readline() == "two\n"
    child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 0


def test_a_file_that_changed_meanwhile_is_not_overwritten(start, tmp_path, file):
    child = start("improve", str(file), "--write", answer=[BETTER], gate=str(tmp_path / "piece"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (tmp_path / "asked").exists():  # it has read the file, and waits for the answer
        assert time.monotonic() < deadline
        time.sleep(0.01)
    file.write_text("mine = 1\n")
    (tmp_path / "piece0").touch()
    _out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 1
    assert "was modified in the meantime" in err
    assert file.read_text() == "mine = 1\n"


def test_an_answer_that_the_provider_cut_off_is_no_success(cli, file):
    ran = cli("explain", str(file), finish="filter")
    assert (ran.code, ran.out) == (1, "Hello world.\n")
    assert "the provider truncated the answer" in ran.err


def test_reasoning_is_no_part_of_what_is_printed(cli, file):
    ran = cli("explain", str(file), reasoning=["Hm.\n", "\x1b[31mWell."])
    assert ran.out == "Hello world.\n"
    assert ran.err.startswith("The model is reasoning.\n12 tokens")
    ran = cli("explain", str(file), "--reasoning", reasoning=["Hm.\n", "\x1b[31mWell."])
    assert ran.out == "Hello world.\n"
    assert ran.err.startswith("Hm.\nWell.\n12 tokens")
