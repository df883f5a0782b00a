"""providers list, add, test, activate, rm, set-key and forget-key: scripted, and the real program."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jupyter_localcoder.contract.fill_tokens import QWEN_FILL
from tests.support.waiting import PATIENCE_SECONDS
from tests.unit.cli.conftest import until_hung_up

KEY = "sk-canary-0123456789abcdef"


def test_the_list_shows_what_is_and_never_more(cli):
    ran = cli("providers", "list")
    head, *rows = ran.out.split("\n\n")[0].splitlines()
    assert head.split() == ["PROVIDER", "ACTIVE", "TYPE", "MODEL", "KEY", "ADDRESS"]
    assert [row.split() for row in rows] == [
        ["embedded", "yes", "embedded", "-", "none", "-"],
        ["acme", "-", "openai_compatible", "m", "none", "http://127.0.0.1:8080/v1"],
    ]
    assert "Keys are kept well." in ran.out
    assert "\x1b" not in ran.out
    assert "acme: The air gap is on." in cli("providers", "list", air_gap=True).out
    assert cli("providers", "list", "--json").json["active"] == "embedded"
    assert max(map(len, cli("providers", "list", tty=True).out.splitlines())) <= 80


def test_a_provider_is_added(cli):
    ran = cli(
        "providers", "add", "lab", "--type=ollama", "--url=http://10.0.0.1:11434", "--model=q", "--name=Lab"
    )
    request = ran.asked("provider:save")
    assert (request.id, request.type, request.base_url, request.model) == (
        "lab", "ollama", "http://10.0.0.1:11434", "q"
    )  # fmt: skip
    assert (request.name, request.key, request.fill_template) == ("Lab", None, QWEN_FILL)
    assert ran.out == "lab is saved (ollama, key: none).\n"


def test_what_is_not_given_stays(cli):
    request = cli("providers", "add", "acme", "--fill=infill", "--allow-unencrypted-key").asked(
        "provider:save"
    )
    assert (request.type, request.base_url, request.timeout_seconds) == (
        "openai_compatible", "http://127.0.0.1:8080/v1", 60.0
    )  # fmt: skip
    assert (request.fill, request.allow_unencrypted_key) == ("infill", True)


def test_a_new_one_needs_its_type(cli):
    ran = cli("providers", "add", "new")
    assert ran.code == 2
    assert "Give `--type`: ollama, openai, azure_openai, gemini, openai_compatible." in ran.err
    assert cli("providers", "add", "new", "--type=telepathy").code == 2
    assert cli("providers", "add", "../x", "--type=ollama").code == 2


def test_a_provider_is_added_with_its_key(cli):
    ran = cli("providers", "add", "lab", "--type=openai", "--key", stdin=f"{KEY}\n")
    assert ran.asked("provider:save").key == KEY
    assert ran.out == "lab is saved (openai, key: keyring).\n"
    assert "canary" not in ran.err


def test_a_test_says_what_it_found(cli):
    ran = cli("providers", "test", "acme")
    assert ran.out.startswith("acme responded in 12 ms.\nModels: m-0, m-1,")
    assert ran.out.endswith("m-19, and 5 more.\n")
    assert "not among them" in ran.err
    assert len(cli("providers", "test", "acme", "--json").json["models"]) == 25
    refused = cli("providers", "test", "acme", fail="AIR_GAPPED")
    assert (refused.code, refused.out) == (4, "")


def test_activating(cli):
    ran = cli("providers", "activate", "acme")
    assert ran.out == "acme is the active provider.\n"
    assert cli("providers", "activate", "acme", "--json").json["active"] == "acme"
    assert cli("providers", "activate", "nobody", fail="PROVIDER_NOT_FOUND").code == 3


def test_rm_asks_a_person_and_only_a_person(cli):
    assert cli("providers", "rm", "acme", stdin="n\n", tty=True).code == 2
    assert cli("providers", "rm", "acme", stdin="y\n", tty=True).out == "acme is removed.\n"
    assert cli("providers", "rm", "acme", "--yes", tty=True).code == 0
    assert cli("providers", "rm", "acme", "--json").json == {"id": "acme", "removed": True, "note": ""}
    told = "The embedded model now completes while you type."
    assert cli("providers", "rm", "lab", "--yes").out == f"lab is removed. {told}\n"
    assert cli("providers", "rm", "lab", "--json").json["note"] == told
    assert cli("providers", "rm", "acme", fail="PROVIDER_IN_USE").code == 5


def test_a_key_comes_from_stdin(cli):
    ran = cli("providers", "set-key", "acme", stdin=f"  {KEY}\r\n")
    assert (ran.asked("provider:setKey").key, ran.asked("provider:setKey").keep) == (KEY, "auto")
    assert ran.out == "The key of acme is saved (keyring).\n"
    assert (
        cli("providers", "set-key", "acme", "--session", stdin=KEY).asked("provider:setKey").keep == "session"
    )
    for shown in (ran.out, ran.err, repr(ran.log)):
        assert "canary" not in shown


@pytest.mark.parametrize("entered", ["", "\n", "two words\n", "ключ\n"])
def test_no_key_is_a_usage_error(cli, entered):
    ran = cli("providers", "set-key", "acme", stdin=entered)
    assert (ran.code, ran.out) == (2, "")
    assert "words" not in ran.err


def test_a_key_on_the_command_line_is_refused_and_not_repeated(cli):
    for argv in (
        ("set-key", "acme", KEY),
        ("set-key", "acme", f"--key={KEY}"),
        ("add", "acme", f"--key={KEY}"),
    ):
        ran = cli("providers", *argv)
        assert (ran.code, ran.out, ran.log) == (2, "", [])
        assert "canary" not in ran.err


def test_a_key_that_would_be_gone_at_once_is_not_asked_for(cli):
    for argv in (("set-key", "acme"), ("add", "acme", "--key")):
        ran = cli("providers", *argv, stdin=KEY, server=False, key_place="session")
        assert (ran.code, ran.out) == (1, "")
        assert "would be lost when this command finishes" in ran.err
        assert len([entry for entry in ran.log if isinstance(entry, tuple)]) == 1
    assert cli("providers", "set-key", "acme", "--session", stdin=KEY, server=False).code == 1
    assert cli("providers", "set-key", "acme", stdin=KEY, server=False).code == 0
    assert cli("providers", "set-key", "acme", stdin=KEY, key_place="session").code == 0


def test_forgetting_a_key(cli):
    assert cli("providers", "forget-key", "acme").out == "The key of acme is deleted.\n"


# The real program


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        body = json.dumps({"data": [{"id": "m"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def remote() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Models) as server:
        server.heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_program_adds_tests_and_removes_a_provider(program, remote, tmp_path):
    url = f"http://127.0.0.1:{remote.server_port}/v1"
    data = tmp_path / "data"
    environ = {"JUPYTER_DATA_DIR": str(data)}
    added = program(
        "providers", "add", "acme", "--type=openai_compatible", f"--url={url}", "--model=m", **environ
    )
    assert (added.code, added.err) == (0, "")
    assert (
        program("providers", "set-key", "acme", "--json", stdin=KEY + "\n", **environ).json["key"] == "file"
    )
    tested = program("providers", "test", "acme", "--json", **environ).json
    assert (tested["models"], tested["model_listed"]) == (["m"], True)
    assert remote.heard == [("/v1/models", f"Bearer {KEY}")]
    assert program("providers", "activate", "acme", **environ).code == 0
    listed = program("providers", "list", "--json", "--debug", **environ)
    assert listed.json["active"] == "acme"
    assert "canary" not in listed.out + listed.err
    for path in data.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes()
    refused = program("providers", "rm", "acme", **environ)
    assert (refused.code, "Activate another provider first" in refused.err) == (5, True)
    assert program("providers", "activate", "embedded", **environ).code == 0
    assert program("providers", "rm", "acme", **environ).code == 0
    assert [info["id"] for info in program("providers", "list", "--json", **environ).json["providers"]] == [
        "embedded"
    ]
    gap = program("providers", "test", "embedded", LOCALCODER_AIR_GAP="true", **environ)
    assert gap.code == 5, "the air gap shuts the embedded provider out"


def test_a_terminal_does_not_show_the_key(tmp_path):
    """What is typed at the prompt is not echoed."""
    here = Path(__file__).parent
    environ = {**os.environ, "PYTHONPATH": str(here.parents[2]), "TERM": "xterm"}
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, str(here / "scripted.py"), "providers", "set-key", "acme"],
        stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True,
        # The prompt opens the terminal of the session.
        preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    shown, typed = b"", False
    for piece in until_hung_up(master):
        shown += piece
        if not typed and b"not shown" in shown:
            while termios.tcgetattr(master)[3] & termios.ECHO:  # it is off soon after the prompt
                assert child.poll() is None, shown
                time.sleep(0.01)
            os.write(master, KEY.encode() + b"\n")
            typed = True
    os.close(master)
    assert child.wait(timeout=PATIENCE_SECONDS) == 0, shown
    assert b"The key of acme is saved" in shown
    assert b"canary" not in shown
