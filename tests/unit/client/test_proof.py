"""Who has taken the port of a server that ended gets nothing but a number that means nothing to them."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from jupyter_localcoder.client import connect, exchange, proof
from jupyter_localcoder.client.connection import ServerConnection
from jupyter_localcoder.client.http import HttpClient, first_that_answers
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.contract.models import ModelUnloadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_UNLOAD
from jupyter_localcoder.errors import AuthError, ConnectionFailed, LocalCoderError
from jupyter_localcoder.storage.processes import birth
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "the code of a person"
ASK = GenerateRequest(command="explain", code=SECRET)
SOMETHING = "ab" * 32


def refused(client: HttpClient) -> LocalCoderError:
    with pytest.raises((ConnectionFailed, AuthError)) as caught:
        client.stream(GENERATE, ASK)
    assert "Neither the token nor any code was sent" in caught.value.message
    assert "estart" in caught.value.recovery
    return caught.value


def forged(text: Any) -> Callable[[Any], None]:
    return lambda exchange: exchange.json(200, text)


def replayed() -> Callable[[Any], None]:
    """A proof that was good once, for another number."""

    def script(exchange: Any) -> None:
        address = proof.address(exchange.connection.getsockname(), "")
        exchange.json(200, {"proof": proof.prove("secret-token", SOMETHING, address).proof})

    return script


def redirected(exchange: Any) -> None:
    port = exchange.server.server_address[1]
    exchange.json(
        307, {}, Location=f"http://127.0.0.1:{port}/elsewhere/localcoder/proof?challenge={SOMETHING}"
    )


@pytest.mark.parametrize(
    "thief",
    [
        pytest.param(lambda exchange: exchange.whole(200, "text/html", b"<h1>Hello</h1>"), id="a page"),
        pytest.param(lambda exchange: exchange.json(404, {"message": "Not Found"}), id="no such route"),
        pytest.param(lambda exchange: exchange.json(401, {"message": "Sign in"}), id="asks for the token"),
        pytest.param(redirected, id="a redirect"),
        pytest.param(lambda exchange: exchange.drop(), id="hangs up"),
        pytest.param(forged({}), id="nothing"),
        pytest.param(forged({"proof": None}), id="null"),
        pytest.param(forged({"proof": ""}), id="empty"),
        pytest.param(forged({"proof": "0" * 64}), id="a guess"),
        pytest.param(forged({"proof": "é\u4f60"}), id="no digits"),
        pytest.param(
            lambda exchange: exchange.json(200, {"proof": exchange.challenge}), id="the number itself"
        ),
        pytest.param(lambda exchange: exchange.prove(token="another"), id="another token"),
        pytest.param(lambda exchange: exchange.prove(address="127.0.0.1 1"), id="another port"),
        pytest.param(lambda exchange: exchange.prove(address="127.0.0.2 8888"), id="another address"),
        pytest.param(replayed(), id="an old proof"),
        pytest.param(lambda exchange: exchange.whole(200, "application/json", b"\xff\xfe"), id="no text"),
        pytest.param(lambda exchange: exchange.whole(200, "application/json", b"[" * 900), id="nested"),
    ],
)
def test_a_thief_gets_neither_token_nor_code(server: Any, thief: Any) -> None:
    server.proof(thief)
    server.script(lambda exchange: exchange.json(200, {}))
    refused(HttpClient(server.connection))
    assert len(server.asked) == 1
    assert server.seen == [], "nothing was asked after the proof"
    assert_nothing_was_told(server)


def assert_nothing_was_told(server: Any) -> None:
    for one in server.asked:
        told = f"{one.requestline}\n{one.headers}\n{one.body!r}"
        assert "secret-token" not in told
        assert SECRET not in told
        assert "Authorization" not in told


def test_an_endless_answer_is_not_read_to_its_end(server: Any) -> None:
    hung_up = threading.Event()

    def thief(exchange: Any) -> None:
        exchange.begin_events()
        with contextlib.suppress(OSError):
            while True:
                exchange.chunk(b"0" * 65536)
        hung_up.set()

    server.proof(thief)
    assert "seconds" not in refused(HttpClient(server.connection)).message, "it was read for a time"
    assert hung_up.wait(PATIENCE_SECONDS)
    assert_nothing_was_told(server)


def test_who_only_keeps_the_line_busy_is_left(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is no silence, and would otherwise hold a kernel up for ever."""
    monkeypatch.setattr(exchange, "PROOF_SECONDS", 0.3)
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.3)
    hung_up = threading.Event()

    def thief(exchange: Any) -> None:
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Wait: ")
        with contextlib.suppress(OSError):
            while True:
                exchange.wfile.write(b"x")
                exchange.connection.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if exchange.connection.recv(1) == b"":
                        break
        hung_up.set()

    server.proof(thief)
    assert "0.3 seconds" in refused(HttpClient(server.connection)).message
    assert hung_up.wait(PATIENCE_SECONDS)


def test_who_says_nothing_is_left_for_the_server_that_moved(
    server: Any, start_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PROOF_SECONDS", 0.3)
    moved = start_server()
    moved.script(lambda exchange: exchange.json(200, {}))
    server.proof(lambda exchange: exchange.wait_for_hangup())
    client = HttpClient(server.connection, lambda: [moved.connection])
    client.call(MODEL_UNLOAD, ModelUnloadRequest())
    assert moved.url in client.where
    assert server.seen == []


def test_a_silent_server_whose_process_runs_is_no_reason_for_a_second_model(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PROOF_SECONDS", 0.3)
    server.proof(lambda exchange: exchange.wait_for_hangup())
    running = msgspec.structs.replace(server.connection, pid=os.getpid(), birth=birth(os.getpid()))
    with pytest.raises(ConnectionFailed, match=r"did not prove for 0\.3 seconds") as caught:
        first_that_answers([running], any_server=True)
    assert "busy" in caught.value.recovery
    assert first_that_answers([server.connection], any_server=True) is None


def test_without_a_token_nobody_is_believed(server: Any) -> None:
    """Everybody can compute a code with an empty one."""
    import hashlib
    import hmac

    def thief(exchange: Any) -> None:
        address = proof.address(exchange.connection.getsockname(), "")
        message = b"\0".join((proof.PURPOSE, exchange.challenge.encode(), address.encode()))
        exchange.json(200, {"proof": hmac.new(b"", message, hashlib.sha256).hexdigest()})

    server.proof(thief)
    refused(HttpClient(msgspec.structs.replace(server.connection, token="")))
    assert server.seen == []
    with pytest.raises(ValueError, match="nothing to prove"):
        proof.prove("", SOMETHING, "127.0.0.1 1")


@contextlib.contextmanager
def relay(true_server: Any) -> Iterator[ServerConnection]:
    """Somebody at another port who hands on all that is said to the true server, and what it answers."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer, socket.create_connection(true_server.http.server_address) as behind:
                    back = threading.Thread(target=pump, args=(behind, peer))
                    back.start()
                    pump(peer, behind, heard)
                    back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        yield ServerConnection(url=f"http://127.0.0.1:{port}/base/", token="secret-token")
        thread.join(PATIENCE_SECONDS)
    assert b"/localcoder/proof?" in b"".join(heard)
    assert b"secret-token" not in b"".join(heard)


def pump(source: socket.socket, sink: socket.socket, heard: list[bytes] | None = None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if heard is not None:
                heard.append(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def test_a_thief_cannot_have_the_true_server_prove_in_its_place(server: Any) -> None:
    server.script(lambda exchange: exchange.json(200, {}))
    HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())
    with relay(server) as connection:
        refused(HttpClient(connection))
    assert len(server.asked) == 2
    assert len(server.seen) == 1


@pytest.mark.parametrize("how", ["says so", "just does"])
def test_what_was_proven_is_one_connection_and_no_other(server: Any, how: str) -> None:
    """The next one could be to somebody else: the server may end between the proof and the request."""

    def close_after(exchange: Any) -> None:
        exchange.close_connection = True
        if how == "says so":
            address = proof.address(exchange.connection.getsockname(), "")
            given = proof.prove("secret-token", exchange.challenge, address).proof
            exchange.json(200, {"proof": given}, Connection="close")
        else:
            exchange.prove()
            exchange.connection.shutdown(socket.SHUT_RDWR)

    server.proof(close_after)
    server.script(lambda exchange: exchange.json(200, {}))
    with pytest.raises(ConnectionFailed):
        HttpClient(server.connection).stream(GENERATE, ASK)
    assert server.seen == []


def test_each_request_is_proven_anew_over_its_own_connection(server: Any) -> None:
    server.script(lambda exchange: exchange.json(200, {}))
    client = HttpClient(server.connection)
    for _ in range(3):
        client.call(MODEL_UNLOAD, ModelUnloadRequest())
    assert len({one.challenge for one in server.asked}) == len(server.asked) == 3
    ends = [[one.client_address for one in requests] for requests in (server.asked, server.seen)]
    assert ends[0] == ends[1]
    assert_nothing_was_told(server)


def test_a_port_that_is_taken_while_a_client_lives_gets_nothing(server: Any, start_server: Any) -> None:
    """The magics' client: it was let in before, and asks again after the server has ended."""
    server.script(lambda exchange: exchange.json(200, {}))
    client = HttpClient(server.connection, list)
    client.call(MODEL_UNLOAD, ModelUnloadRequest())
    server.proof(lambda exchange: exchange.json(404, {"message": "Not Found"}))
    refused(client)
    assert len(server.seen) == 1


def test_a_process_is_told_when_its_server_does_not_prove_itself(
    server: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    server.proof(lambda exchange: exchange.json(404, {"message": "Not Found"}))
    running = msgspec.structs.replace(server.connection, pid=os.getpid(), birth=birth(os.getpid()))
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConnectionFailed, match="did not prove") as caught:
        connect()
    assert "was updated while the server ran" in caught.value.recovery


def test_a_command_says_which_running_server_it_does_not_use(
    server: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal of its own, while a server from before an update runs."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    server.proof(lambda exchange: exchange.json(404, {"message": "Not Found"}))
    running = msgspec.structs.replace(server.connection, pid=os.getpid(), birth=birth(os.getpid()))
    running.write(tmp_path)
    with pytest.warns(UserWarning, match="is not used, because authentication"):
        client = connect(any_server=True)
    client.close()
    assert isinstance(client, LocalClient)
    assert_nothing_was_told(server)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("127.0.0.1", 8888), ("::ffff:127.0.0.1", 8888, 0, 0)),
        (("::1", 8888, 0, 0), ("0:0:0:0:0:0:0:1", 8888, 0, 0)),
        (("fe80::1%eth0", 1, 0, 2), ("fe80::1", 1, 0, 2)),
    ],
)
def test_both_ends_call_an_address_the_same(one: Any, other: Any) -> None:
    assert proof.address(one, "") == proof.address(other, "")


def test_a_challenge_is_never_the_same_and_nothing_else_is_one() -> None:
    assert proof.is_challenge(proof.challenge())
    assert proof.challenge() != proof.challenge()
    for text in ("", "0" * 63, "0" * 65, "0" * 64 + "\n", "G" * 64, "A" * 64, "\u0660" * 64):
        assert not proof.is_challenge(text)


def test_all_that_is_said_before_the_proof_is_the_same_for_all(server: Any) -> None:
    server.script(lambda exchange: exchange.json(200, {}))
    HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())
    (asked,) = server.asked
    assert set(asked.headers) <= {"Host", "Accept", "Accept-Encoding", "Connection", "User-Agent"}
    assert httpx.URL(asked.path).path == "/base/localcoder/proof"
    assert asked.body == b""
