"""The HTTP client against a real server that behaves well and badly."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from typing import Any

import pytest

from jupyter_localcoder.client.connection import ServerConnection
from jupyter_localcoder.client.exchange import JOIN_SECONDS, POLL_SECONDS
from jupyter_localcoder.client.http import HttpClient, first_that_answers
from jupyter_localcoder.client.proof import prove
from jupyter_localcoder.contract.codec import encode, error_payload
from jupyter_localcoder.contract.generation import Delta, Done, Failed, GenerateRequest, Started
from jupyter_localcoder.contract.models import ModelDeleteRequest, ModelListRequest, ModelUnloadRequest
from jupyter_localcoder.contract.registry import (
    GENERATE,
    MODEL_DELETE,
    MODEL_LIST,
    MODEL_UNLOAD,
    SETTINGS_UPDATE,
)
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import (
    AirGapped,
    AuthError,
    BackendUnavailable,
    Canceled,
    ConnectionFailed,
    LocalCoderError,
    QueueFull,
)
from tests.support.waiting import PATIENCE_SECONDS

ASK = GenerateRequest(command="explain", code="x = 1")


def refused_connection(**more: Any) -> ServerConnection:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return ServerConnection(url=f"http://127.0.0.1:{port}/", token="old", **more)


def answer_with(frames: Any) -> Any:
    """A script that streams a short answer."""

    def script(exchange: Any) -> None:
        exchange.begin_events()
        for frame in (frames.started(), frames.delta("a"), frames.delta("b"), frames.done("ab")):
            exchange.frame(frame)
        exchange.end_events()

    return script


class TestCall:
    def test_path_fields_are_quoted_and_the_rest_of_a_delete_goes_into_the_query(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {"id": "a/b c", "freed_bytes": 5}))
        client = HttpClient(server.connection)
        answer = client.call(MODEL_DELETE, ModelDeleteRequest(id="a/b c", force=True))
        assert answer.freed_bytes == 5
        assert server.seen[0].path == "/base/localcoder/models/a%2Fb%20c?force=true"
        assert server.seen[0].command == "DELETE"

    def test_defaults_stay_at_home(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {"id": "m", "freed_bytes": 5}))
        HttpClient(server.connection).call(MODEL_DELETE, ModelDeleteRequest(id="m"))
        assert server.seen[0].path == "/base/localcoder/models/m"

    def test_null_is_sent_where_it_means_something(self, server: Any) -> None:
        server.script(
            lambda exchange: exchange.json(
                400, {"error": {"code": "VALIDATION_ERROR", "message": "no", "recovery": ""}}
            )
        )
        with pytest.raises(LocalCoderError):
            HttpClient(server.connection).call(
                SETTINGS_UPDATE, SettingsUpdateRequest(profile="Tiny", model=None)
            )
        assert json.loads(server.seen[0].body) == {"profile": "Tiny", "model": None}

    def test_the_token_travels_in_the_header_and_shows_in_no_text(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {}))
        client = HttpClient(server.connection)
        client.call(MODEL_UNLOAD, ModelUnloadRequest())
        assert server.seen[0].headers["Authorization"] == "localcoder secret-token"
        assert "secret-token" not in repr(server.connection) + client.where

    def test_proxies_of_the_environment_are_not_used(self, server: Any, monkeypatch: Any) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        server.script(lambda exchange: exchange.json(200, {}))
        HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())

    def test_an_error_of_the_service_keeps_its_words(self, server: Any) -> None:
        error = {"code": "AIR_GAPPED", "message": "No.", "recovery": "Import.", "details": {"host": "x"}}
        server.script(lambda exchange: exchange.json(403, {"error": error}))
        with pytest.raises(AirGapped, match="No") as caught:
            HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())
        assert (caught.value.recovery, caught.value.details) == ("Import.", {"host": "x"})

    def test_a_full_queue_says_when_to_come_back(self, server: Any) -> None:
        error = {"code": "QUEUE_FULL", "message": "Full.", "recovery": "Later."}
        server.script(lambda exchange: exchange.json(503, {"error": error}, Retry_After="7"))
        with pytest.raises(QueueFull) as caught:
            HttpClient(server.connection).stream(GENERATE, ASK)
        assert caught.value.details["retry_after_seconds"] == 7

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_a_page_of_another_program_is_named_as_such(self, server: Any, status: int) -> None:
        server.script(lambda exchange: exchange.whole(status, "text/html", b"<h1>Hello</h1>"))
        with pytest.raises(ConnectionFailed, match="did not answer like a server with jupyter_localcoder"):
            HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())

    def test_json_that_does_not_fit_is_a_sentence(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {"models": 3}))
        with pytest.raises(ConnectionFailed, match="unreadable response to model:list"):
            HttpClient(server.connection).call(MODEL_LIST, ModelListRequest())

    def test_jupyters_own_refusal_is_about_the_token(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(403, {"message": "Forbidden", "reason": None}))
        with pytest.raises(AuthError, match="token"):
            HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())

    def test_an_answer_that_breaks_off_is_not_taken_for_whole(self, server: Any) -> None:
        def script(exchange: Any) -> None:
            exchange.send_response(200)
            exchange.send_header("Content-Type", "application/json")
            exchange.send_header("Content-Length", "100")
            exchange.end_headers()
            exchange.wfile.write(b"{}")
            exchange.drop()

        server.script(script)
        with pytest.raises(ConnectionFailed, match="was lost"):
            HttpClient(server.connection).call(MODEL_UNLOAD, ModelUnloadRequest())


class TestRediscovery:
    def test_a_restarted_server_is_found_and_the_request_sent_again(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {}))
        client = HttpClient(refused_connection(), lambda: [refused_connection(), server.connection])
        client.call(MODEL_UNLOAD, ModelUnloadRequest())
        assert server.url in client.where
        client.call(MODEL_UNLOAD, ModelUnloadRequest())
        assert len(server.seen) == 2

    def test_a_new_token_is_found(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, {}))
        stale = ServerConnection(url=server.url, token="old")
        HttpClient(stale, lambda: [stale, server.connection]).call(MODEL_UNLOAD, ModelUnloadRequest())
        assert [one.headers["Authorization"] for one in server.seen] == ["localcoder secret-token"]

    def test_what_may_have_begun_is_not_sent_again(self, server: Any) -> None:
        server.script(lambda exchange: exchange.drop())
        other = ServerConnection(url=server.url + "other/", token="t")
        client = HttpClient(server.connection, lambda: [other])
        with pytest.raises(ConnectionFailed):
            client.call(MODEL_UNLOAD, ModelUnloadRequest())
        assert len(server.seen) == 1

    def test_a_refusal_of_the_service_is_not_a_lost_server(self, server: Any) -> None:
        error = {"code": "AIR_GAPPED", "message": "No.", "recovery": ""}
        server.script(lambda exchange: exchange.json(403, {"error": error}))
        other = ServerConnection(url=server.url + "other/", token="t")
        with pytest.raises(AirGapped):
            HttpClient(server.connection, lambda: [other]).call(MODEL_UNLOAD, ModelUnloadRequest())
        assert len(server.seen) == 1

    def test_a_refusal_of_a_provider_is_not_one_of_the_server(self, server: Any) -> None:
        error = {"code": "AUTH_ERROR", "message": "No.", "recovery": "", "details": {"provider": "acme"}}
        server.script(lambda exchange: exchange.json(403, {"error": error}))
        other = ServerConnection(url=server.url + "other/", token="t")
        with pytest.raises(AuthError, match="No"):
            HttpClient(server.connection, lambda: [other]).call(MODEL_UNLOAD, ModelUnloadRequest())
        assert len(server.seen) == 1

    def test_with_nobody_there_the_first_failure_is_told(self) -> None:
        with pytest.raises(ConnectionFailed, match="Cannot connect"):
            HttpClient(refused_connection(), lambda: [refused_connection()]).call(
                MODEL_UNLOAD, ModelUnloadRequest()
            )

    def test_the_first_server_that_answers_is_taken(self, server: Any) -> None:
        server.script(lambda exchange: exchange.json(200, PING_ANSWER))
        client = first_that_answers([refused_connection(), server.connection], any_server=False)
        assert client is not None
        assert server.url in client.where
        assert first_that_answers([refused_connection()], any_server=False) is None

    def test_a_server_in_trouble_is_not_passed_over(self, server: Any) -> None:
        error = {"code": "UNKNOWN_ERROR", "message": "Broken.", "recovery": ""}
        server.script(lambda exchange: exchange.json(500, {"error": error}))
        with pytest.raises(LocalCoderError, match="Broken"):
            first_that_answers([server.connection], any_server=False)


class TestStream:
    def test_frames_come_in_order_and_end_with_done(self, server: Any, frames: Any) -> None:
        server.script(answer_with(frames))
        with HttpClient(server.connection).stream(GENERATE, ASK) as stream:
            got = list(stream)
        assert [type(frame) for frame in got] == [Started, Delta, Delta, Done]
        assert "".join(frame.text for frame in got if isinstance(frame, Delta)) == "ab"
        assert server.seen[0].headers["Accept"] == "text/event-stream"
        assert json.loads(server.seen[0].body) == {"command": "explain", "code": "x = 1"}

    def test_events_may_be_cut_anywhere(self, server: Any, frames: Any) -> None:
        """Also inside of a character, and between CR and LF; comments and new events are skipped."""
        text = "ä€😀\n"
        events = frames.event_of(frames.started()) + frames.event_of(frames.delta(text))
        events = b": keep-alive\n\nevent: news\ndata: {}\n\n" + events.replace(b"\n", b"\r\n")
        events += frames.event_of(frames.done(text))

        def script(exchange: Any) -> None:
            exchange.begin_events()
            for position in range(len(events)):
                exchange.chunk(events[position : position + 1])
            exchange.end_events()

        server.script(script)
        got = list(HttpClient(server.connection).stream(GENERATE, ASK))
        assert [getattr(frame, "text", None) for frame in got] == [None, text, text]

    def test_a_failed_frame_is_raised(self, server: Any, frames: Any) -> None:
        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.frame(frames.delta("a"))
            exchange.frame(Failed(run="r1", error=error_payload(BackendUnavailable("It died."))))
            exchange.end_events()

        server.script(script)
        stream = HttpClient(server.connection).stream(GENERATE, ASK)
        assert next(stream).text == "a"
        with pytest.raises(BackendUnavailable, match="It died"):
            next(stream)
        assert list(stream) == []

    def test_a_server_that_goes_away_in_the_middle_is_an_error(self, server: Any, frames: Any) -> None:
        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.frame(frames.delta("a"))
            exchange.wfile.write(b"40\r\nevent: delta\n")  # half a chunk
            exchange.drop()

        server.script(script)
        stream = HttpClient(server.connection).stream(GENERATE, ASK)
        assert next(stream).text == "a"
        with pytest.raises(ConnectionFailed, match="was lost"):
            next(stream)

    def test_a_stream_without_an_end_is_an_error(self, server: Any, frames: Any) -> None:
        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.frame(frames.delta("a"))
            exchange.end_events()

        server.script(script)
        with pytest.raises(ConnectionFailed, match="before it was complete"):
            list(HttpClient(server.connection).stream(GENERATE, ASK))

    @pytest.mark.parametrize("data", [b"{", b'{"type": "unheard of"}', b"\xff"])
    def test_a_frame_that_cannot_be_read_is_an_error(self, server: Any, data: bytes) -> None:
        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.chunk(b"event: delta\ndata: %b\n\n" % data)
            exchange.wait_for_hangup()

        server.script(script)
        with pytest.raises(ConnectionFailed, match="unreadable"):
            next(HttpClient(server.connection).stream(GENERATE, ASK))


class TestCancel:
    def test_closing_breaks_the_connection(self, server: Any, frames: Any) -> None:
        hung_up = threading.Event()

        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.frame(frames.delta("a"))
            if exchange.wait_for_hangup():
                hung_up.set()

        server.script(script)
        with HttpClient(server.connection).stream(GENERATE, ASK) as stream:
            next(stream)
        assert hung_up.wait(PATIENCE_SECONDS)
        with pytest.raises(Canceled):
            next(stream)

    def test_another_thread_may_close_while_one_waits(self, server: Any, frames: Any) -> None:
        waiting = threading.Event()

        def script(exchange: Any) -> None:
            exchange.begin_events()
            exchange.frame(frames.started())
            waiting.set()
            exchange.wait_for_hangup()

        server.script(script)
        stream = HttpClient(server.connection).stream(GENERATE, ASK)
        next(stream)
        threading.Thread(target=lambda: (waiting.wait(PATIENCE_SECONDS), stream.close())).start()
        with pytest.raises(Canceled):
            next(stream)

    @pytest.mark.skipif(os.name == "nt", reason="sends a signal")
    @pytest.mark.parametrize("headers_first", [True, False])
    def test_an_interrupt_hangs_up_whatever_the_server_does(self, server: Any, headers_first: bool) -> None:
        """Whether the server has begun to answer or not; it says nothing more until it is hung up on."""
        hung_up = threading.Event()

        def script(exchange: Any) -> None:
            if headers_first:
                exchange.begin_events()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            if exchange.wait_for_hangup():
                hung_up.set()

        server.script(script)
        with pytest.raises(KeyboardInterrupt):
            list(HttpClient(server.connection).stream(GENERATE, ASK))
        assert hung_up.wait(PATIENCE_SECONDS)

    def test_who_waits_looks_up_several_times_a_second_and_waits_little_for_the_end(self) -> None:
        """What an interrupt takes at most where nothing wakes who waits: half a second."""
        assert POLL_SECONDS + JOIN_SECONDS < 0.5

    def test_a_stream_that_nobody_holds_is_cancelled(self, server: Any) -> None:
        hung_up = threading.Event()

        def script(exchange: Any) -> None:
            exchange.begin_events()
            if exchange.wait_for_hangup():
                hung_up.set()

        server.script(script)
        HttpClient(server.connection).stream(GENERATE, ASK)
        assert hung_up.wait(PATIENCE_SECONDS)

    def test_nothing_is_left_running(self, server: Any, frames: Any) -> None:
        server.script(answer_with(frames))
        client = HttpClient(server.connection)
        for _ in range(5):
            list(client.stream(GENERATE, ASK))
        for thread in threading.enumerate():
            if thread.name == "localcoder-http":
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()


class TestOtherSockets:
    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
    def test_a_unix_socket(self, tmp_path: Any) -> None:
        path = str(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def serve() -> None:
                peer, _ = listener.accept()
                with peer:
                    for _ in range(2):
                        asked.append(peer.recv(65536))
                        challenge = asked[0].split(b"challenge=")[1][:64].decode()
                        proven = encode(prove("t", challenge, f"unix {path}"))
                        body = proven if len(asked) == 1 else b"{}"
                        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        peer.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

            asked: list[bytes] = []
            thread = threading.Thread(target=serve)
            thread.start()
            connection = ServerConnection(url="http://localhost/base/", token="t", sock=path)
            HttpClient(connection).call(MODEL_UNLOAD, ModelUnloadRequest())
            thread.join()
        assert b"localcoder t" not in asked[0]
        assert asked[1].startswith(b"POST /base/localcoder/models/unload HTTP/1.1")

    def test_https_believes_the_servers_own_certificate_only(self, server: Any, tmp_path: Any) -> None:
        own, other = certificate(tmp_path, "own"), certificate(tmp_path, "other")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{own}.pem", f"{own}.key")
        server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
        server.script(lambda exchange: exchange.json(200, {}))
        url = server.url.replace("http:", "https:")
        good = ServerConnection(url=url, token="secret-token", certfile=f"{own}.pem")
        HttpClient(good).call(MODEL_UNLOAD, ModelUnloadRequest())
        for certfile in (f"{other}.pem", f"{own}.key", str(tmp_path / "none.pem")):
            with pytest.raises(ConnectionFailed):
                HttpClient(ServerConnection(url=url, token="secret-token", certfile=certfile)).call(
                    MODEL_UNLOAD, ModelUnloadRequest()
                )
        assert len(server.asked) == len(server.seen) == 1


def certificate(folder: Any, name: str) -> str:
    """A new self-signed certificate for another host name; its path without the ending."""
    path = str(folder / name)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={name}.example", "-keyout", f"{path}.key", "-out", f"{path}.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


PING_ANSWER = {
    "version": "0",
    "state": "stopped",
    "generation": 0,
    "reason": "",
    "model": None,
    "profile": "Tiny",
    "uptime_seconds": 1.0,
    "queue_length": 0,
    "speeds": {},
    "memory": {"worker_bytes": 0, "server_bytes": 0, "available_bytes": 0, "total_bytes": 0},
    "air_gap": False,
    "acceleration": "cpu",
    "context_window": 0,
}
