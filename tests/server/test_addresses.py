"""Kernels and the command line reach the server, whatever it listens on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_localcoder.client.http import HttpClient
from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.registry import PING, SETTINGS_GET, SETTINGS_UPDATE
from jupyter_localcoder.contract.settings import SettingsGetRequest, SettingsUpdateRequest
from jupyter_localcoder.server.address import host_for_kernels
from tests.support.certificates import write_certificate
from tests.support.jupyter_server import JupyterServer


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def link_local() -> str:
    """An address that means nothing without the name of its interface."""
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family == socket.AF_INET6 and address.address.startswith("fe80:"):
                return f"{address.address.partition('%')[0]}%{socket.if_nametoindex(name)}"
    return ""


def own_address() -> str:
    """What this machine's name stands for; often itself alone, as far as it knows."""
    entries = socket.getaddrinfo(socket.gethostname(), None, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    address = str(min(entries, key=lambda entry: entry[0] == socket.AF_INET6)[4][0])
    return f"[{address}]" if ":" in address else address


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
zone = pytest.mark.skipif(not link_local(), reason="this machine has no link-local address")


@pytest.mark.parametrize(
    ("listens_on", "host"),
    [
        ("--ServerApp.ip=127.0.0.1", "127.0.0.1"),
        ("--ServerApp.ip=0.0.0.0", "127.0.0.1"),
        ("--ServerApp.ip=", "127.0.0.1"),
        ("--ServerApp.ip=*", "127.0.0.1"),
        ("--ServerApp.ip=localhost", "127.0.0.1"),
        (f"--ServerApp.ip={socket.gethostname()}", own_address()),
        pytest.param("--ServerApp.ip=::", "[::1]", marks=ipv6),
        pytest.param("--ServerApp.ip=0::0", "[::1]", marks=ipv6),
        pytest.param("--ServerApp.ip=::1", "[::1]", marks=ipv6),
        pytest.param(f"--ServerApp.ip={link_local()}", f"[{link_local()}]", marks=zone),
    ],
)
def test_who_listens_there_is_reached(tmp_path: Path, listens_on: str, host: str) -> None:
    server = JupyterServer(tmp_path, tmp_path / "models", options=[listens_on, "--ServerApp.base_url=/a/b"])
    server.start()
    try:
        port = server.connection.url.rsplit(":", 1)[1].split("/")[0]
        assert server.connection.url == f"http://{host}:{port}/a/b/"
        assert_reached(server, by_command=listens_on.endswith("::"))
    finally:
        server.stop()


@pytest.mark.skipif(os.name == "nt", reason="there are no such sockets")
def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    relative = os.path.relpath(tmp_path / "s")
    options = [f"--ServerApp.sock={relative}", "--ServerApp.port=8888", "--ServerApp.ip=localhost"]
    server = JupyterServer(tmp_path, tmp_path / "models", options=options)
    server.start()
    try:
        assert Path(server.connection.sock).is_absolute()
        assert_reached(server, by_command=True)
    finally:
        server.stop()


def assert_reached(server: JupyterServer, *, by_command: bool) -> None:
    """A look and a change, by the library, and by a command as it runs in a terminal of the server."""
    client = HttpClient(server.connection)
    assert client.call(PING, PingRequest()).state == "stopped"
    client.call(SETTINGS_UPDATE, SettingsUpdateRequest(tab_completion=False))
    if not by_command:
        return
    environment = {**server.environment, **server.connection.environment()}
    command(environment, "config", "set", "tab_completion", "true")
    assert client.call(SETTINGS_GET, SettingsGetRequest()).settings.tab_completion
    assert command(environment, "status")["where"].endswith(server.connection.sock or server.connection.url)


def command(environment: dict[str, str], *arguments: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-m", "jupyter_localcoder.cli", *arguments, "--json"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("ip", ["no such name", "256.0.0.1"])
def test_a_name_that_cannot_be_looked_up_stays_as_it_is(ip: str) -> None:
    assert host_for_kernels(ip, 8888) == ip


@pytest.mark.parametrize("mutual", [False, True], ids=["its own", "of both"])
def test_a_server_with_certificates_is_reached(tmp_path: Path, mutual: bool) -> None:
    """Of both: as a hub with internal TLS starts its servers, which hear only who shows a certificate."""
    certificate, key = tmp_path / "server.pem", tmp_path / "key.pem"
    write_certificate(certificate, key)
    # A path that means something in the server's folder alone.
    options = [
        f"--ServerApp.certfile={os.path.relpath(certificate)}",
        f"--ServerApp.keyfile={os.path.relpath(key)}",
    ]
    if mutual:
        options.append(f"--ServerApp.client_ca={certificate}")
    server = JupyterServer(tmp_path, tmp_path / "models", options=options)
    server.start()
    try:
        assert server.connection.url.startswith("http://localhost/" if mutual else "https://127.0.0.1:")
        assert_reached(server, by_command=mutual)
        socket_file = Path(server.connection.sock)
        if mutual:
            assert socket_file.stat().st_mode & 0o077 == 0
            assert socket_file.parent.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not mutual or not socket_file.parent.exists()
