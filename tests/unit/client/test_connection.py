"""How a kernel and the command line find the server."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import msgspec
import pytest

from jupyter_localcoder.client import connect, connection
from jupyter_localcoder.client.connection import ServerConnection, candidates, from_environment, running
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.errors import ConnectionFailed
from jupyter_localcoder.storage.processes import birth

posix = pytest.mark.skipif(os.name == "nt", reason="permission bits")


def alive(port: int, root: str = "/home/me", pid: int | None = None) -> ServerConnection:
    return ServerConnection(
        url=f"http://127.0.0.1:{port}/",
        token=f"t{port}",
        pid=os.getpid() if pid is None else pid,
        root_dir=root,
    )


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_environment_round_trips() -> None:
    connection = ServerConnection(
        url="https://h/b/", token="t", root_dir="/r", certfile="/c.pem", sock="/s", pid=7
    )
    assert from_environment(connection.environment()) == connection


def test_nothing_of_a_server_around_this_one_is_inherited() -> None:
    outer = ServerConnection(url="http://localhost/", token="t", sock="/s", certfile="/c").environment()
    assert from_environment(outer | alive(1).environment()) == alive(1)


def test_a_process_id_that_is_none_is_not_believed() -> None:
    told = from_environment({**alive(1).environment(), "JUPYTER_LOCALCODER_PID": "x"})
    assert told is not None
    assert told.pid == 0
    assert not told.has_ended


@pytest.mark.parametrize("pid", [os.getpid(), 0], ids=["runs", "not known"])
def test_no_second_model_is_loaded_beside_a_server_that_cannot_be_reached(
    pid: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for name, value in alive(closed_port(), pid=pid).environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConnectionFailed, match=r"but this process cannot connect") as caught:
        connect()
    assert "JUPYTER_LOCALCODER_URL" in caught.value.recovery


def test_after_the_end_of_its_server_a_process_says_that_it_takes_a_model_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for name, value in alive(closed_port(), pid=ended_process()).environment().items():
        monkeypatch.setenv(name, value)
    with pytest.warns(UserWarning, match="has stopped: the model now runs inside this process"):
        client = connect()
    client.close()
    assert isinstance(client, LocalClient)


def test_an_empty_environment_has_no_server(tmp_path: Path) -> None:
    assert candidates({}, tmp_path) == []


@posix
def test_the_file_is_private_from_its_first_moment_and_goes_away(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = alive(1).write(tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert running(tmp_path) == [alive(1)]
    alive(1).remove(tmp_path)
    alive(1).remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_outlives_its_server_finds_the_one_of_the_same_folder(tmp_path: Path) -> None:
    inherited = alive(1)
    alive(2, pid=os.getpid()).write(tmp_path)
    alive(3, root="/elsewhere", pid=os.getppid()).write(tmp_path)
    found = candidates(inherited.environment(), tmp_path)
    assert [connection.token for connection in found] == ["t1", "t2"]


def test_the_command_line_takes_any_running_server_newest_first(tmp_path: Path) -> None:
    os.utime(alive(1, root="/a", pid=os.getpid()).write(tmp_path), (1, 1))
    os.utime(alive(2, root="/b", pid=os.getppid()).write(tmp_path), (2, 2))
    alive(3, pid=ended_process()).write(tmp_path)
    assert [connection.token for connection in candidates({}, tmp_path, any_server=True)] == ["t2", "t1"]


def test_the_same_address_is_tried_once(tmp_path: Path) -> None:
    alive(1).write(tmp_path)
    assert len(candidates(alive(1).environment(), tmp_path)) == 1


@posix
def test_a_file_that_others_can_read_is_ignored_aloud(tmp_path: Path) -> None:
    path = alive(1).write(tmp_path)
    path.chmod(0o644)
    with pytest.warns(UserWarning, match="readable only by you"):
        assert running(tmp_path) == []


@posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = alive(1).write(tmp_path / "there")
    (tmp_path / "localcoder-1.json").symlink_to(target)
    assert running(tmp_path) == []


@pytest.mark.parametrize("content", ["", "{", '{"url": 3}', "[]", "\x00\xff"])
def test_a_broken_file_is_skipped(tmp_path: Path, content: str) -> None:
    path = alive(1).write(tmp_path)
    path.write_text(content, encoding="latin-1")
    assert running(tmp_path) == []


def test_without_a_server_and_without_leave_to_run_here_connecting_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("JUPYTER_LOCALCODER_URL", raising=False)
    with pytest.raises(ConnectionFailed, match="No running Jupyter server"):
        connect(allow_local=False, any_server=True)


def test_neither_client_nor_magics_import_an_http_library_or_the_service() -> None:
    code = (
        "import sys, jupyter_localcoder.client.connection, jupyter_localcoder.magics\n"
        "heavy = ('httpx', 'tornado.web', 'llama_cpp', 'jupyter_localcoder.service')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "[]"


def ended() -> ServerConnection:
    """A server that was killed: its number, and when it began."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = birth(child.pid)
    child.kill()
    child.communicate()
    return msgspec.structs.replace(alive(1, pid=child.pid), birth=born)


def test_what_killed_servers_have_left_is_removed_by_who_looks(tmp_path: Path) -> None:
    for left in (ended(), alive(2, pid=ended_process())):  # the second as older versions wrote it
        left.write(tmp_path)
    mine = msgspec.structs.replace(alive(3), birth=birth(os.getpid()))
    path = mine.write(tmp_path)
    assert running(tmp_path) == [mine]
    assert list(tmp_path.iterdir()) == [path]


def test_a_number_that_another_process_has_by_now_is_no_running_server(tmp_path: Path) -> None:
    own = birth(os.getpid())
    reused = msgspec.structs.replace(alive(1), birth=own[:-1] + ("1" if own[-1] != "1" else "2"))
    reused.write(tmp_path)
    assert not reused.runs
    assert reused.has_ended
    assert from_environment(reused.environment()) == reused
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_files_of_another_machine_that_shares_the_folder_are_left_alone(tmp_path: Path) -> None:
    left = ended()
    elsewhere = msgspec.structs.replace(left, birth="another " + left.birth.partition(" ")[2])
    path = elsewhere.write(tmp_path)
    assert running(tmp_path) == []
    assert path.exists()


@posix
@pytest.mark.parametrize("kind", ["others can read", "a link", "broken", "another name", "without a number"])
def test_what_is_not_surely_of_a_killed_server_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = ended().write(tmp_path)
    if kind == "others can read":
        path.chmod(0o644)
    elif kind == "a link":
        target = path.replace(tmp_path / "target")
        path.symlink_to(target)
    elif kind == "broken":
        path.write_text("{")
    elif kind == "another name":
        path = path.replace(tmp_path / "localcoder-kept.json")
    else:
        path = msgspec.structs.replace(ended(), pid=0).write(tmp_path)
    before = sorted(tmp_path.iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert running(tmp_path) == []
    expected = [path] if kind == "without a number" else before
    assert path in sorted(tmp_path.iterdir())
    assert all(one.exists() for one in expected)


def test_a_file_that_is_written_anew_meanwhile_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new server got the number of the killed one after it was looked at."""
    old = ended()
    path = old.write(tmp_path)
    new = msgspec.structs.replace(old, token="new")

    def look(birth_: str) -> bool:
        new.write(tmp_path)
        return True

    monkeypatch.setattr(connection, "can_be_seen", look)
    running(tmp_path)
    assert msgspec.json.decode(path.read_bytes(), type=ServerConnection) == new


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
@pytest.mark.parametrize("made", [True, False])
def test_the_socket_that_the_extension_made_goes_too_and_no_other(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "localcoder-x"
    folder.mkdir()
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    msgspec.structs.replace(ended(), sock=str(path), made_sock=made).write(tmp_path)
    assert running(tmp_path) == []
    assert path.exists() is not made
    assert folder.exists() is not made


@posix
@pytest.mark.parametrize("kind", ["a file", "a link to a file", "beside other files"])
def test_what_is_there_in_the_place_of_the_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    folder = tmp_path / "localcoder-x"
    folder.mkdir()
    path = folder / "socket"
    if kind == "a file":
        path = precious
    elif kind == "a link to a file":
        path.symlink_to(precious)
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        (folder / "other").write_text("mine too")
    msgspec.structs.replace(ended(), sock=str(path), made_sock=True).write(tmp_path)
    running(tmp_path)
    assert precious.read_text() == "mine"
    assert folder.exists()
    assert kind != "beside other files" or (folder / "other").exists()


def test_files_that_a_killed_writer_has_begun_are_removed_when_they_are_old(tmp_path: Path) -> None:
    old, new, other = (
        tmp_path / name
        for name in (
            ".localcoder-7.json.0123abcd",
            ".localcoder-8.json.0123abcd",
            ".jpserver-7.json.0123abcd",
        )
    )
    for path in (old, new, other):
        path.write_text("{")
    for path in (old, other):
        os.utime(path, (1, 1))
    running(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([new, other])
