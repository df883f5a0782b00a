"""The real program: usage, help, exit codes, start-up; and what every command has in common."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_localcoder.cli.exits import ExitCode, exit_of
from jupyter_localcoder.cli.table import shorten, table
from jupyter_localcoder.errors import by_code


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "A subcommand is missing."),
        (["mdels"], "There is no subcommand `mdels`."),
        (["models", "pul"], "There is no subcommand `pul`."),
        (["--json-ish"], "Unknown option `--json-ish`."),
        (["status", "extra"], "`status` takes no argument, and 1 were given."),
        (["explain"], "`explain FILE` takes one argument, and 0 were given."),
        (["--quiet", "status"], "Put options after `status`, not before it."),
        (["status", "--Nothing.here=1"], "There is no configurable `Nothing`."),
        (["status", "--LocalCoderCommand.quite=1"], "Did you mean `quiet`?"),
    ],
)
def test_a_slip_is_a_usage_error(cli, argv, words):
    ran = cli(*argv)
    assert (ran.code, ran.out, ran.log) == (2, "", [])
    assert words in ran.err


def test_the_program_leaves_with_the_exit_code(program):
    ran = program("mdels")
    assert ran.code == 2
    assert ran.out == ""
    assert "Subcommands: setup, models, config" in ran.err


def test_a_usage_error_is_a_document_with_json(program):
    ran = program("models", "pull", "--json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.json["error"]["code"] == "INVALID_ARGUMENT"


def test_options_may_stand_between_arguments(cli):
    assert cli("config", "set", "--quiet", "top_k", "--json", "7").json["settings"] == {"top_k": 7}


def test_version(program):
    assert program("--version").out == "0.1.0\n"


def test_help_imports_nothing_heavy():
    heavy = ("llama_cpp", "httpx", "tqdm", "jupyterlab", "jupyter_server", "psutil", "numpy")
    code = (
        "import sys; from jupyter_localcoder.cli.run import run; code = run(['models', 'pull', '--help'])\n"
        f"sys.exit(code or [name for name in {heavy!r} if name in sys.modules] or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_help_is_quick():
    """What takes time before it is importing: little more is imported than any command of Jupyter needs."""
    code = (
        "import sys, jupyter_core.application\nbefore = set(sys.modules)\n"
        "from jupyter_localcoder.cli.run import run; code = run(['--help'])\n"
        "print(*sys.modules.keys() - before, sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = ended.stderr.split()
    assert "jupyter_localcoder.cli.run" in ours
    assert len(ours) < 100, sorted(ours)


def test_a_locale_without_the_signs_does_not_break_the_output(program):
    ran = program("config", "get", "temprature", PYTHONIOENCODING="ascii")
    assert ran.code == 2
    ran = program("doctor", "--json", "--nope", PYTHONIOENCODING="ascii")
    assert ran.json["error"]


def test_a_broken_config_file_is_named(program, tmp_path):
    path = tmp_path / "config.py"
    path.write_text("c.LocalCoderCommand.quiet = 'perhaps'")
    ran = program("models", "rm", "x", f"--config={path}")
    assert ran.code == 2
    assert "quiet" in ran.err


def test_every_error_has_an_exit_code():
    assert {exit_of(cls()) for cls in by_code().values()} == {
        ExitCode.FAILED, ExitCode.USAGE, ExitCode.NOT_FOUND, ExitCode.REFUSED,
        ExitCode.UNAVAILABLE, ExitCode.INTERRUPTED,
    }  # fmt: skip


def test_a_table_shortens_its_widest_column_only_where_it_must():
    rows = [("a" * 40, "b"), ("c", "d")]
    assert max(map(len, table(("ONE", "TWO"), rows, width=20).splitlines())) <= 20
    assert "a" * 40 in table(("ONE", "TWO"), rows)
    assert shorten("abc", 2) == "a…"


def test_a_wrong_value_of_a_trait_ends_with_its_name(cli):
    ran = cli("status", "--Supervisor.max_crashes=0")
    assert ran.code == 2
    assert "`Supervisor.max_crashes` cannot be" in ran.err
    assert "at least 1" in ran.err
