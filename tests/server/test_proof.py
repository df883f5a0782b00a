"""The server proves itself to its kernels and commands; whoever has its port after it gets nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import HTTPClientError

from jupyter_localcoder.client import proof
from jupyter_localcoder.client.connection import ServerConnection, running
from jupyter_localcoder.client.http import HttpClient
from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.registry import PING
from jupyter_localcoder.errors import AuthError, ConnectionFailed
from jupyter_localcoder.server.app import LocalCoderApp
from tests.support.jupyter_server import JupyterServer, running_server
from tests.support.waiting import PATIENCE_SECONDS

CHALLENGE = "0123456789abcdef" * 4
SECRET = "code_that_is_nobody_elses"


async def ask(client: Any, base_url: str, query: str, **headers: str) -> Any:
    return await client.fetch(url_path_join(base_url, f"localcoder/proof{query}"), headers=headers)


async def test_a_stranger_gets_a_code_that_depends_on_the_token(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str
) -> None:
    answer = await ask(http_server_client, jp_base_url, f"?challenge={CHALLENGE}")
    port = int(http_server_client.get_url("/").rsplit(":")[-1].strip("/"))
    token = extension.kernel_token
    assert json.loads(answer.body) == {"proof": proof.prove(token, CHALLENGE, f"127.0.0.1 {port}").proof}
    assert token not in str(answer.headers) + answer.body.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    again = await ask(http_server_client, jp_base_url, f"?challenge={'0' * 64}")
    assert again.body != answer.body


@pytest.mark.parametrize(
    "query",
    ["", "?challenge=", "?challenge=x", f"?challenge={CHALLENGE[1:]}", f"?challenge={CHALLENGE}0",
     f"?challenge={CHALLENGE.upper()}", f"?challenge={CHALLENGE}%0A", f"?challenge={'0' * 60_000}",
     f"?challenge={CHALLENGE}&challenge=x", "?challenge=%ff%fe", f"?token={CHALLENGE}"],
)  # fmt: skip
async def test_anything_but_a_challenge_is_refused(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, query: str
) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await ask(http_server_client, jp_base_url, query)
    assert caught.value.code == 400
    error = json.loads(caught.value.response.body)["error"]  # type: ignore[union-attr]
    assert error["code"] == "INVALID_ARGUMENT"
    assert extension.kernel_token not in error["message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_a_challenge_is_only_looked_at(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, jp_auth_header: Any, method: str
) -> None:
    url = url_path_join(jp_base_url, f"localcoder/proof?challenge={CHALLENGE}")
    with pytest.raises(HTTPClientError) as caught:
        await http_server_client.fetch(
            url, method=method, headers=jp_auth_header, allow_nonstandard_methods=True
        )
    assert caught.value.code in (403, 405)


async def test_a_page_of_another_site_and_another_host_get_nothing(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str
) -> None:
    for headers, status in (({"Origin": "http://evil.example"}, 404), ({"Host": "evil.example"}, 403)):
        with pytest.raises(HTTPClientError) as caught:
            await ask(http_server_client, jp_base_url, f"?challenge={CHALLENGE}", **headers)
        assert caught.value.code == status


async def test_nobody_is_asked_who_asks_and_it_counts_as_no_use(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_serverapp: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hub that is away must not keep kernels from their server, nor a stranger keep a server alive."""

    async def away(handler: Any) -> None:
        raise web.HTTPError(500, "Failed to connect to Hub API")

    settings = jp_serverapp.web_app.settings
    monkeypatch.setattr(settings["identity_provider"], "get_user", away)
    settings.pop("api_last_activity", None)
    monkeypatch.setitem(settings, "allow_unauthenticated_access", False)
    assert (await ask(http_server_client, jp_base_url, f"?challenge={CHALLENGE}")).code == 200
    assert "api_last_activity" not in settings


async def test_with_authentication_off_a_server_proves_itself_all_the_same(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, jp_serverapp: Any
) -> None:
    jp_serverapp.identity_provider.token = ""
    answer = await ask(http_server_client, jp_base_url, f"?challenge={CHALLENGE}")
    assert set(json.loads(answer.body)) == {"proof"}


class Thief:
    """Another program at a port, which answers whatever it is asked, and what it has heard."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.heard: list[bytes] = []
        thief = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                thief.heard.append(f"{self.requestline}\n{self.headers}".encode() + body)
                given = json.dumps({"proof": "0" * 64}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(given)))
                self.end_headers()
                self.wfile.write(given)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer((host, port), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Thief:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def has_heard(self, *secrets: str) -> list[str]:
        """Those of the secrets that were told."""
        everything = b"\n".join(self.heard)
        return [secret for secret in secrets if secret.encode() in everything]


def port_of(connection: ServerConnection) -> int:
    return urlsplit(connection.url).port or 0


@contextlib.contextmanager
def taken(server: JupyterServer, *, killed: bool) -> Iterator[Thief]:
    """End a server, and take its port."""
    (server.kill if killed else server.stop)()
    with Thief(port_of(server.connection)) as thief:
        yield thief


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path, tmp_path / "models")
    server.start()
    try:
        yield server
    finally:
        server.stop()


COMMANDS = [
    ["status"], ["explain", "FILE"], ["ask", SECRET], ["complete", "FILE"], ["config", "show"], ["unload"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("killed", "commands"), [(True, COMMANDS), (False, [["chat", SECRET]])], ids=["killed", "stopped"]
)
def test_no_command_tells_a_thief_anything(
    server: JupyterServer, tmp_path: Path, killed: bool, commands: list[list[str]]
) -> None:
    """In a terminal that the server has started, and that outlives it."""
    environment = {
        **server.environment,
        **server.connection.environment(),
        # Its process is thought to be there, so that nothing is done in this one.
        "JUPYTER_LOCALCODER_PID": str(os.getpid()),
        "JUPYTER_LOCALCODER_BIRTH": "",
    }
    file = tmp_path / "f.py"
    file.write_text(f"{SECRET} = 1\n")
    with taken(server, killed=killed) as thief:
        for arguments in commands:
            ran = subprocess.run(
                [sys.executable, "-m", "jupyter_localcoder.cli",
                 *[str(file) if argument == "FILE" else argument for argument in arguments]],
                env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert ran.returncode != 0, arguments
            assert "Neither the token nor any code was sent" in ran.stderr, (arguments, ran.stderr)
            assert "Restart" in ran.stderr
            assert thief.heard, arguments
        assert thief.has_heard(server.connection.token, SECRET, "Authorization", "localcoder ") == []


MAGICS = ["%%explain\nCODE", "%%improve\nCODE", "%chat CODE", "%localcoder status"]
KERNEL = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "jupyter_localcoder")
from jupyter_localcoder.client import connect
print(connect().where, flush=True)
for line in sys.stdin:
    shell.run_cell(eval(line))
    print("=====", flush=True)
"""


def test_a_kernel_that_outlives_its_server_tells_a_thief_nothing_and_finds_the_new_server(
    tmp_path: Path,
) -> None:
    server = JupyterServer(tmp_path, tmp_path / "models")
    server.start()
    old = server.connection
    environment = {**server.environment, **old.environment()}
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert kernel.stdin is not None
    assert kernel.stdout is not None

    def run(cell: str) -> str:
        assert kernel.stdin is not None
        assert kernel.stdout is not None
        kernel.stdin.write(repr(cell) + "\n")
        kernel.stdin.flush()
        lines = []
        while (line := kernel.stdout.readline()) not in ("=====\n", ""):
            lines.append(line)
        return "".join(lines)

    try:
        assert old.url in kernel.stdout.readline()
        assert "Neither" not in run("%localcoder status")
        with taken(server, killed=True) as thief:
            for magic in MAGICS:
                shown = run(magic.replace("CODE", f"{SECRET} = 1"))
                assert "Neither the token nor any code was sent" in " ".join(shown.split()), (magic, shown)
            assert thief.heard
            restarted = JupyterServer(tmp_path, tmp_path / "models")
            restarted.start()
            try:
                assert "Neither" not in run("%localcoder status")
                assert restarted.connection.token != old.token
            finally:
                restarted.stop()
            assert thief.has_heard(old.token, restarted.connection.token, SECRET, "Authorization") == []
    finally:
        kernel.stdin.close()
        kernel.stdout.close()
        kernel.wait(PATIENCE_SECONDS)


def test_a_server_that_was_restarted_at_the_same_port_is_not_told_the_old_token(tmp_path: Path) -> None:
    with running_server(tmp_path, tmp_path / "models") as first:
        old = first.connection
    options = [f"--ServerApp.port={port_of(old)}"]
    second = JupyterServer(tmp_path, tmp_path / "models", options=options)
    second.start()
    try:
        assert second.connection.url == old.url
        with pytest.raises(AuthError, match="restarted, or it is a different server"):
            HttpClient(old).call(PING, PingRequest())
        HttpClient(old, lambda: [second.connection]).call(PING, PingRequest())
    finally:
        second.stop()


@pytest.mark.skipif(os.name == "nt", reason="there are no such sockets")
def test_a_taken_unix_socket_gets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s"
    options = [f"--ServerApp.sock={path}", "--ServerApp.port=8888", "--ServerApp.ip=localhost"]
    server = JupyterServer(tmp_path, tmp_path / "models", options=options)
    server.start()
    HttpClient(server.connection).call(PING, PingRequest())
    server.kill()
    path.unlink()
    heard = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                heard.append(peer.recv(65536))
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ConnectionFailed, match="did not prove"):
            HttpClient(server.connection).call(PING, PingRequest())
        thread.join(PATIENCE_SECONDS)
    assert server.connection.token.encode() not in b"".join(heard)


def test_a_server_proves_nothing_for_another_port(server: JupyterServer) -> None:
    """A thief who asks it in a kernel's place: the kernel's port is not the one at which it arrives."""
    asked = http.client.HTTPConnection("127.0.0.1", port_of(server.connection), timeout=PATIENCE_SECONDS)
    with contextlib.closing(asked):
        asked.request("GET", f"/localcoder/proof?challenge={CHALLENGE}", headers={"Host": "127.0.0.1:1"})
        given = msgspec.json.decode(asked.getresponse().read(), type=proof.Proof)
    token = server.connection.token
    assert proof.proves(given, token, CHALLENGE, f"127.0.0.1 {port_of(server.connection)}")
    assert not proof.proves(given, token, CHALLENGE, "127.0.0.1 1")


def test_what_killed_servers_have_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    first = JupyterServer(tmp_path, tmp_path / "models")
    first.start()
    first.kill()
    assert first.connection_file.exists()
    with running_server(tmp_path, tmp_path / "models") as second:
        # Its own file is written before the others are looked at; an answer comes after both.
        HttpClient(second.connection).call(PING, PingRequest())
        assert not first.connection_file.exists()
        assert [one.pid for one in running(second.connection_file.parent)] == [second.connection.pid]


@pytest.mark.skipif(os.name == "nt", reason="there are no such sockets")
def test_the_socket_that_a_killed_server_made_goes_with_its_file(tmp_path: Path) -> None:
    from tests.support.certificates import write_certificate

    certificate, key = tmp_path / "server.pem", tmp_path / "key.pem"
    write_certificate(certificate, key)
    options = [f"--ServerApp.certfile={certificate}", f"--ServerApp.keyfile={key}"]
    server = JupyterServer(
        tmp_path, tmp_path / "models", options=[*options, f"--ServerApp.client_ca={certificate}"]
    )
    server.start()
    path = Path(server.connection.sock)
    os.kill(server.process.pid, signal.SIGSTOP)  # a server that does not answer is there all the same
    running(server.connection_file.parent)
    assert path.exists()
    assert server.connection_file.exists()
    server.kill()
    running(server.connection_file.parent)
    assert not path.parent.exists()
    assert not server.connection_file.exists()
