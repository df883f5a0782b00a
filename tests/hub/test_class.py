"""One model for a class: the service on a real hub, with its proxy and several users."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.hub.class_hub import ClassHub, chat, fill
from tests.hub.hub import PACKAGES, PAGE, PROXY, sign_in
from tests.hub.model_server import MARKER, ModelServer
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def class_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassHub]:
    if missing := [path for path in (*PACKAGES[6], PROXY) if not path.exists()]:
        pytest.skip(f"{missing[0].name} is not installed: `make hub` puts it beside the environment")
    model = ModelServer()
    hub = ClassHub(tmp_path_factory.mktemp("class"), model, servers=("ada",))
    try:
        hub.start()
        yield hub
    finally:
        hub.hub.stop()
        model.stop()


@pytest.fixture
def model(class_hub: ClassHub) -> Iterator[ModelServer]:
    """The model server, as it was at the beginning."""
    model = class_hub.model
    model.requests.clear()
    model.manner, model.gated, model.closed, model.most_open = "answers", False, 0, 0
    yield model
    model.manner, model.gated = "answers", False
    for _ in range(200):
        model.gate.release()
    until(lambda: model.open == 0)
    while model.gate.acquire(blocking=False):
        pass


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def at_work(model: ModelServer) -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    """Threads for requests; those that the model server still holds are answered at the end."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=64) as pool:
        try:
            yield pool
        finally:
            model.gate.release(200)


def waiting(class_hub: ClassHub, rank: str) -> int:
    """Number of requests that wait, as the metrics say."""
    (line,) = [
        line
        for line in class_hub.page("root", "metrics").text.splitlines()
        if line.startswith(f'localcoder_hub_waiting{{rank="{rank}"}}')
    ]
    return int(float(line.split()[1]))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_chat_is_answered_whole_and_as_a_stream(class_hub: ClassHub, model: ModelServer) -> None:
    whole = class_hub.ask("ada", **chat(max_tokens=3)).json()
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "word word word "}
    assert whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"]["completion_tokens"] == 3
    assert whole["model"] == "coder"
    with class_hub.stream("ada", **chat(max_tokens=3)) as stream:
        events = list(stream)
    assert (
        "".join(each["choices"][0]["delta"].get("content", "") for each in events[:-1]) == "word word word "
    )
    assert events[-1]["usage"]["total_tokens"] == 8


def test_the_middle_is_filled_in_by_the_servers_own_way(class_hub: ClassHub, model: ModelServer) -> None:
    answer = class_hub.ask("ada", "v1/completions", **fill(max_tokens=2)).json()
    assert answer["choices"][0]["text"] == "word word "
    assert model.requests[-1]["path"] == "/infill"
    assert model.requests[-1]["input_prefix"] == "def f("
    assert model.requests[-1]["input_suffix"] == "return x"
    assert model.requests[-1]["id_slot"] in range(8)


def test_only_a_token_that_the_hub_knows_and_that_has_access_opens_anything(class_hub: ClassHub) -> None:
    server = {"Authorization": "Bearer " + class_hub.hub.admin_token}
    no_access = class_hub.hub.api("POST", "users/bob/tokens", scopes=["read:users:name!user=bob"]).json()
    with class_hub.hub.client() as client:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": f"Bearer {no_access.get('token', 'none')}"}, 403),
            (server, 403),
            ({"X-Forwarded-User": "ada", "Remote-User": "ada", "Cookie": "user=ada"}, 401),
        ):
            for method, path in (("GET", "v1/models"), ("POST", "v1/chat/completions"), ("GET", "metrics")):
                answer = client.request(method, class_hub.url + path, headers=headers, json=chat())
                assert code(answer) == (status, "AUTH_ERROR"), (headers, path)


def test_a_revoked_token_opens_nothing(class_hub: ClassHub, model: ModelServer) -> None:
    token, id_ = class_hub.hub.token("bob")
    headers = {"Authorization": f"token {token}"}
    with class_hub.hub.client() as client:
        assert client.get(f"{class_hub.url}v1/models", headers=headers).status_code == 200
        class_hub.hub.api("DELETE", f"users/bob/tokens/{id_}")
        until(lambda: client.get(f"{class_hub.url}v1/models", headers=headers).status_code == 401)


def test_wrong_requests_are_told_what_is_wrong(class_hub: ClassHub, model: ModelServer) -> None:
    for body, status, error, words in (
        ({"messages": []}, 400, "VALIDATION_ERROR", "messages"),
        ({"messages": "hello"}, 400, "VALIDATION_ERROR", "messages"),
        ({**chat(), "n": 2}, 400, "INVALID_ARGUMENT", "`n`"),
        ({**chat(), "tools": [{"type": "function"}]}, 400, "INVALID_ARGUMENT", "`tools`"),
        ({**chat(), "model": "gpt-4"}, 404, "MODEL_NOT_FOUND", "`coder`"),
        ({**chat(), "max_tokens": 0}, 400, "VALIDATION_ERROR", "max_tokens"),
        ({**chat(), "temperature": "warm"}, 400, "VALIDATION_ERROR", "temperature"),
    ):
        answer = class_hub.ask("ada", **body)
        assert code(answer) == (status, error)
        assert words in answer.json()["error"]["message"]
    assert not model.requests


def test_limits_of_a_group_hold_and_say_when_it_goes_on(class_hub: ClassHub, model: ModelServer) -> None:
    assert class_hub.ask("dan", **chat(max_tokens=300)).status_code == 200
    refused = class_hub.ask("dan", **chat(max_tokens=300))
    assert code(refused) == (429, "QUOTA_EXCEEDED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["error"]["retry_at"]
    never = class_hub.ask("dan", **chat(max_tokens=3000))
    assert code(never) == (429, "QUOTA_EXCEEDED")
    assert "Retry-After" not in never.headers
    # Another user is not concerned.
    assert class_hub.ask("bob", **chat(max_tokens=300)).status_code == 200


def test_a_limit_of_zero_allows_nothing(class_hub: ClassHub, model: ModelServer) -> None:
    refused = class_hub.ask("eve")
    assert code(refused) == (429, "QUOTA_EXCEEDED")
    assert "the limit is 0" in refused.json()["error"]["message"]
    assert not model.requests


def test_requests_at_once_are_limited_per_user(class_hub: ClassHub, model: ModelServer) -> None:
    model.gated = True
    with at_work(model) as pool:
        first = [pool.submit(class_hub.ask, "fay") for _ in range(2)]
        until(lambda: len(model.requests) == 1 and waiting(class_hub, "command") == 1)
        assert code(class_hub.ask("fay")) == (503, "QUEUE_FULL")
        # Another user is served at once: no user holds all places.
        other = pool.submit(class_hub.ask, "bob")
        until(lambda: len(model.requests) == 2)
        model.gate.release(3)
        assert all(each.result(PATIENCE_SECONDS).status_code == 200 for each in (*first, other))
    model.gated = False
    assert class_hub.ask("fay").status_code == 200


def test_a_user_who_floods_gets_no_more_than_the_others(class_hub: ClassHub, model: ModelServer) -> None:
    """Three users have requests in the queue all the time, one of them ten times as many."""
    model.gated = True
    asked = {"ada": 30, "bob": 8, "cyd": 8}
    tokens = {"ada": 40, "bob": 40, "cyd": 40}
    with at_work(model) as pool:
        futures = [
            pool.submit(class_hub.ask, user, **chat(f"from {user}", tokens[user]))
            for user, count in asked.items()
            for _ in range(count)
        ]
        until(lambda: waiting(class_hub, "command") == 44)
        before = len(model.requests)
        for done in range(16):
            model.gate.release()
            until(lambda: len(model.requests) > before + done)  # noqa: B023 - waited for here
        served = Counter(each["messages"][0]["content"] for each in model.requests[before:])
        for _ in range(64):
            model.gate.release()
        assert all(future.result(PATIENCE_SECONDS).status_code == 200 for future in futures)
    shares = [served[f"from {user}"] for user in asked]
    jain = sum(shares) ** 2 / (len(shares) * sum(each**2 for each in shares))
    print(f"served {dict(served)}, Jain {jain:.3f}")
    assert jain >= 0.95, served
    # All places were used, and never more.
    assert model.most_open == 2


def test_completions_come_before_commands_and_these_before_background(
    class_hub: ClassHub, model: ModelServer
) -> None:
    model.gated = True
    with at_work(model) as pool:
        busy = [pool.submit(class_hub.ask, user, **chat("busy")) for user in ("fay", "gus")]
        until(lambda: len(model.requests) == 2)
        background = {**class_hub.headers("ada"), "X-LocalCoder-Rank": "background"}

        def low() -> httpx.Response:
            with class_hub.hub.client() as client:
                return client.post(
                    f"{class_hub.url}v1/chat/completions", json=chat("background"), headers=background
                )

        others = [pool.submit(low)]
        until(lambda: waiting(class_hub, "background") == 1)
        others.append(pool.submit(class_hub.ask, "bob", **chat("command")))
        until(lambda: waiting(class_hub, "command") == 1)
        others.append(pool.submit(class_hub.ask, "cyd", "v1/completions", **fill()))
        until(lambda: waiting(class_hub, "completion") == 1)
        for count in range(3, 6):
            model.gate.release()
            until(lambda: len(model.requests) == count)  # noqa: B023 - waited for here
        model.gate.release(10)
        order = [each.get("messages", [{"content": "fill"}])[0]["content"] for each in model.requests[2:]]
        concurrent.futures.wait([*busy, *others], PATIENCE_SECONDS)
    assert order == ["fill", "command", "background"]


def test_an_answer_that_nobody_reads_is_cancelled_upstream(class_hub: ClassHub, model: ModelServer) -> None:
    model.manner = "endless"
    with class_hub.stream("ada", **chat(max_tokens=4000)) as stream:
        stream.first()
    until(lambda: model.closed == 1)
    model.manner = "answers"
    assert class_hub.ask("ada").status_code == 200


@pytest.mark.parametrize(
    ("manner", "status", "error"),
    [("fails", 502, "CONNECTION_ERROR"), ("silent", 504, "TIMEOUT"), ("breaks", 502, "CONNECTION_ERROR")],
)
def test_a_model_server_that_fails_costs_one_request(
    class_hub: ClassHub, model: ModelServer, manner: str, status: int, error: str
) -> None:
    model.manner = manner
    assert code(class_hub.ask("ada")) == (status, error)
    model.manner = "answers"
    assert class_hub.ask("ada").status_code == 200


def test_an_answer_without_an_end_is_bounded(class_hub: ClassHub, model: ModelServer) -> None:
    model.manner = "endless"
    answer = class_hub.ask("ada", **chat(max_tokens=8)).json()
    assert len(answer["choices"][0]["message"]["content"]) <= 8 * 32
    assert answer["usage"]["completion_tokens"] <= 8


def test_counts_that_cannot_be_true_are_not_believed(class_hub: ClassHub, model: ModelServer) -> None:
    model.manner = "lies"
    usage = class_hub.ask("ada", **chat(max_tokens=8)).json()["usage"]
    assert 0 < usage["completion_tokens"] <= 8
    assert 0 < usage["prompt_tokens"] < 1000


def test_a_model_server_that_is_gone_is_told_and_used_when_it_is_back(
    class_hub: ClassHub, model: ModelServer
) -> None:
    model.stop()
    assert code(class_hub.ask("ada")) == (502, "CONNECTION_ERROR")
    class_hub.model = ModelServer(model.port)
    assert class_hub.ask("ada").status_code == 200


def service(class_hub: ClassHub) -> psutil.Process:
    """The process of the service."""
    (found,) = [
        process
        for process in psutil.Process(class_hub.hub.pid).children(recursive=True)
        if "jupyter_localcoder.hub" in process.cmdline()
    ]
    return found


def test_a_killed_service_is_started_again_and_remembers_the_day(
    class_hub: ClassHub, model: ModelServer
) -> None:
    assert class_hub.ask("gus", **chat(max_tokens=300)).status_code == 200
    # The page writes what was counted.
    assert "daily" in class_hub.page("root").text
    before = service(class_hub)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: not before.is_running() or before.status() == psutil.STATUS_ZOMBIE)
    class_hub.wait()
    assert service(class_hub).pid != before.pid
    assert class_hub.ask("cyd").status_code == 200
    refused = class_hub.ask("gus", **chat(max_tokens=300))
    assert code(refused) == (429, "QUOTA_EXCEEDED")
    assert "The group daily" in refused.json()["error"]["message"]
    assert "T00:00:00" in refused.json()["error"]["retry_at"]


def test_a_stop_lets_what_runs_end_and_tells_what_waits(class_hub: ClassHub, model: ModelServer) -> None:
    model.gated = True
    with at_work(model) as pool:
        runs = pool.submit(class_hub.ask, "ada", **chat("runs"))
        until(lambda: len(model.requests) == 1)
        waits = pool.submit(class_hub.ask, "ada", **chat("waits"))
        until(lambda: waiting(class_hub, "command") == 1)
        process = service(class_hub)
        process.send_signal(signal.SIGTERM)
        assert code(waits.result(PATIENCE_SECONDS)) == (503, "BACKEND_UNAVAILABLE")
        model.gate.release()
        assert runs.result(PATIENCE_SECONDS).status_code == 200
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    class_hub.wait()


def test_metrics_and_the_page_are_for_administrators(class_hub: ClassHub, model: ModelServer) -> None:
    class_hub.ask("dan", **chat(max_tokens=1))
    for path in ("metrics", ""):
        assert class_hub.page("root", path).status_code == 200
        assert class_hub.page("ada", path).status_code == 403
    page = class_hub.page("root").text
    assert "<caption>By day</caption>" in page
    assert 'localcoder_hub_requests_total{outcome="ok"' in class_hub.page("root", "metrics").text


def test_a_browser_signs_in_with_the_hub(class_hub: ClassHub) -> None:
    for user, status in (("root", 200), ("ada", 403)):
        with class_hub.hub.client() as client:
            client.follow_redirects = True
            assert "/hub/login" in str(client.get(class_hub.url, headers=PAGE).url)
            sign_in(class_hub.hub, client, user)
            page = client.get(class_hub.url, headers=PAGE)
            assert page.status_code == status, page.text
            assert ("<caption>By day" in page.text) is (status == 200)
            # What the browser keeps opens the page, and not the model.
            assert client.post(f"{class_hub.url}v1/chat/completions", json=chat()).status_code == 401


def test_the_product_uses_the_service_with_the_token_of_its_server(
    class_hub: ClassHub, model: ModelServer
) -> None:
    """The lines of the documentation are all that is configured."""
    hub = class_hub.hub
    headers = {"Authorization": f"token {hub.token('ada')[0]}"}
    with hub.client() as client:
        listed = client.get(hub.url("ada", "localcoder/providers"), headers=headers).json()
        assert listed["active"] == "hub"
        body = {"command": "explain", "code": f"x = '{MARKER}'", "max_tokens": 4}
        answer = client.post(hub.url("ada", "localcoder/generate"), headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["provider"] == "hub"
        assert any(MARKER in str(each) for each in model.requests)
    with hub.kernel("ada") as kernel:
        assert kernel.run("%load_ext jupyter_localcoder").ok
        assert kernel.run(f"%%explain --max-tokens 4\ny = '{MARKER}'").ok


def test_nothing_of_a_prompt_is_kept(class_hub: ClassHub, model: ModelServer) -> None:
    for body in (chat(MARKER), {"messages": [{"role": "user", "content": [MARKER]}]}, {"prompt": MARKER}):
        class_hub.ask("bob", **body)
    model.manner = "fails"
    class_hub.ask("bob", **chat(MARKER))
    class_hub.page("root")
    model.manner = "answers"
    files = [path for path in class_hub.folder.rglob("*") if path.is_file() and "home" not in path.parts]
    assert any("usage.sqlite" in path.name for path in files)
    assert not [path for path in files if MARKER.encode() in path.read_bytes()]
