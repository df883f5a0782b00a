"""REST and event streams, on a real Jupyter server with a real worker."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jupyter_server.utils import url_path_join

from jupyter_localcoder.contract.registry import OPERATIONS
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Answer, Ask, Endless
from tests.support.time_limits import TimeLimit
from tests.support.waiting import until

STREAM = {"Accept": "text/event-stream"}
EXPLAIN = {"command": "explain", "code": "print(1)", "max_tokens": 8}
LONG = {**EXPLAIN, "max_tokens": 3900}


async def test_ping_says_what_there_is(ask: Ask) -> None:
    status = (await ask("GET", "health")).data
    assert (status["state"], status["model"], status["queue_length"]) == ("stopped", None, 0)
    assert status["memory"]["total_bytes"] > 0


async def test_the_catalogue_comes_with_whole_licences_and_profiles(ask: Ask) -> None:
    listed = (await ask("GET", "models")).data
    assert {"qwen2.5-coder-0.5b", "llama-3-8b"} <= {model["id"] for model in listed["models"]}
    texts = {licence["id"]: licence for licence in listed["licenses"]}
    for model in listed["models"]:
        assert len(texts[model["license"]]["text"]) > 1000
    assert {p["name"] for p in listed["profiles"]} >= {"Tiny", "Compact", "Fast", "Balanced", "Heavy"}


async def test_import_load_ask_unload_delete(ask: Ask, tiny_model: str) -> None:
    loaded = await ask("POST", "models/tiny/load")
    assert loaded.data["context_window"] == 4096
    answer = (await ask("POST", "generate", EXPLAIN)).data
    assert answer["type"] == "done"
    assert answer["model"]["id"] == "tiny"
    assert answer["usage"]["completion_tokens"] <= 8
    assert (await ask("GET", "health")).data["state"] == "ready"
    assert (await ask("DELETE", "models/tiny")).code == "MODEL_IN_USE"
    assert (await ask("POST", "models/unload")).data == {}
    assert (await ask("GET", "health")).data["state"] == "stopped"
    assert (await ask("DELETE", "models/tiny")).data["freed_bytes"] > 0
    assert (await ask("POST", "models/tiny/load")).code == "MODEL_NOT_FOUND"


async def test_an_answer_streams_as_events(ask: Ask, tiny_model: str) -> None:
    frames = (await ask("POST", "generate", EXPLAIN, headers=STREAM)).frames
    assert frames[0]["type"] == "started"
    assert frames[-1]["type"] == "done"
    assert "".join(f["text"] for f in frames if f["type"] == "delta") == frames[-1]["text"]
    assert {f["run"] for f in frames} == {frames[0]["run"]}


async def test_a_conversation_goes_on_by_its_id(ask: Ask, tiny_model: str) -> None:
    def turn(words: str, **fields: object) -> dict[str, object]:
        return {"messages": [{"role": "user", "content": words}], "max_tokens": 3, **fields}

    first = (await ask("POST", "chat", turn("one", conversation="new"), headers=STREAM)).frames
    id_ = first[0]["conversation"]
    second = (await ask("POST", "chat", turn("two", conversation=id_))).data
    assert (second["conversation"], second["parent"]) == (id_, first[0]["run"])
    opened = (await ask("GET", f"conversations/{id_}")).data
    assert [each["prompt"] for each in opened["turns"]] == ["one", "two"]
    renamed = await ask("PUT", f"conversations/{id_}/title", {"title": "Counting"})
    assert renamed.data["title"] == "Counting"
    assert (await ask("DELETE", f"conversations/{id_}")).data == {"count": 2}
    assert (await ask("POST", "chat", turn("three", conversation=id_))).code == "CONVERSATION_NOT_FOUND"


async def test_chat_and_completion_stream_too(ask: Ask, tiny_model: str) -> None:
    chat = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 3}
    assert (await ask("POST", "chat", chat, headers=STREAM)).frames[-1]["type"] == "done"
    complete = {"prefix": "def f(", "suffix": ")", "max_tokens": 3}
    assert (await ask("POST", "complete", complete, headers=STREAM)).frames[-1]["type"] == "done"


async def test_the_same_seed_gives_the_same_text(ask: Ask, tiny_model: str) -> None:
    body = {**EXPLAIN, "sampling": {"seed": 7, "temperature": 1.0}}
    first, second = [(await ask("POST", "generate", body)).data for _ in range(2)]
    assert first["text"] == second["text"]
    assert first["sampling"]["seed"] == 7
    assert first["prompt_sha256"] == second["prompt_sha256"]


async def test_a_failure_within_a_stream_is_its_last_frame(ask: Ask) -> None:
    frames = (
        await ask("POST", "generate", {**EXPLAIN, "model": "qwen2.5-coder-0.5b"}, headers=STREAM)
    ).frames
    assert [f["type"] for f in frames] == ["started", "error"]
    assert frames[-1]["error"]["code"] == "MODEL_NOT_READY"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "generate", {**EXPLAIN, "code": " "}, 400, "INVALID_ARGUMENT"),
        ("POST", "generate", {**EXPLAIN, "sampling": {"temperature": -1}}, 400, "VALIDATION_ERROR"),
        ("POST", "generate", {**EXPLAIN, "profile": "Giant"}, 400, "VALIDATION_ERROR"),
        ("POST", "generate", {**EXPLAIN, "model": "nobody"}, 404, "MODEL_NOT_FOUND"),
        ("POST", "generate", {**EXPLAIN, "model": "qwen2.5-coder-0.5b"}, 503, "MODEL_NOT_READY"),
        ("POST", "generate", "{not json", 400, "VALIDATION_ERROR"),
        ("POST", "generate", [], 400, "VALIDATION_ERROR"),
        ("POST", "chat", {"messages": []}, 400, "INVALID_ARGUMENT"),
        ("POST", "complete", {"prefix": ""}, 400, "INVALID_ARGUMENT"),
        ("DELETE", "complete/nothing", None, 404, "NOT_FOUND"),
        ("DELETE", "queue/nothing", None, 404, "REQUEST_NOT_FOUND"),
        ("POST", "models/nobody/load", None, 404, "MODEL_NOT_FOUND"),
        ("POST", "models/qwen2.5-coder-0.5b/load", None, 503, "MODEL_NOT_READY"),
        ("POST", "models/qwen2.5-coder-0.5b/ensure", None, 503, "MODEL_NOT_READY"),
        ("POST", "models/qwen2.5-coder-0.5b/ensure", {"allow_download": True}, 403, "LICENSE_NOT_ACCEPTED"),
        ("POST", "models/..%2F..%2Fetc/load", None, 400, "VALIDATION_ERROR"),
        ("DELETE", "models/qwen2.5-coder-0.5b/download", None, 404, "DOWNLOAD_NOT_FOUND"),
        ("POST", "models/import", {"path": "/nowhere/x.gguf"}, 404, "FILE_NOT_FOUND"),
        ("POST", "models/import", {"path": "/etc/passwd"}, 400, "INVALID_MODEL"),
        ("PATCH", "settings", {"profile": "Giant"}, 400, "VALIDATION_ERROR"),
        ("PATCH", "settings", {"context_window": -5}, 400, "VALIDATION_ERROR"),
        ("PATCH", "settings", {"model": "nobody"}, 404, "MODEL_NOT_FOUND"),
        ("PUT", "settings", None, 405, "INVALID_ARGUMENT"),
        ("GET", "health?surprise=1", None, 400, "VALIDATION_ERROR"),
    ],
)  # fmt: skip
async def test_bad_input_is_a_code_a_sentence_and_a_way_out(
    ask: Ask, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = await ask(method, path, body)
    assert (answer.status, answer.code) == (status, code)
    error = answer.data["error"]
    assert error["message"].strip().endswith((".", ")", "`"))
    assert error["recovery"]
    assert "Traceback" not in answer.text


async def test_a_prompt_past_the_window_is_refused_with_the_numbers(ask: Ask, tiny_model: str) -> None:
    answer = await ask("POST", "generate", {**EXPLAIN, "code": "x" * 2_000_000})
    assert (answer.status, answer.code) == (413, "TOKEN_LIMIT_EXCEEDED")
    assert answer.data["error"]["details"]["context_window"] == 4096
    assert (await ask("POST", "generate", EXPLAIN)).status == 200


async def test_the_air_gap_refuses_a_download_before_any_byte(ask: Ask) -> None:
    await ask("PATCH", "settings", {"air_gap": True})
    licence = next(x for x in (await ask("GET", "models")).data["licenses"] if x["id"] == "Apache-2.0")
    body = {"allow_download": True, "accept_license": licence["sha256"]}
    assert (await ask("POST", "models/qwen2.5-coder-0.5b/ensure", body)).code == "AIR_GAPPED"


async def test_completion_can_be_switched_off(ask: Ask, tiny_model: str) -> None:
    await ask("PATCH", "settings", {"tab_completion": False})
    refused = await ask("POST", "complete", {"prefix": "x"})
    assert refused.code == "DISABLED"
    assert "config set tab_completion true" in refused.data["error"]["recovery"]


async def test_settings_are_kept_and_given_back(ask: Ask) -> None:
    changed = (await ask("PATCH", "settings", {"profile": "Tiny", "temperature": 0.5})).data
    assert changed["settings"]["temperature"] == 0.5
    assert changed["sources"]["profile"] == "settings"
    back = (await ask("PATCH", "settings", {"temperature": None})).data
    assert back["sources"]["temperature"] == "default"
    assert (await ask("GET", "settings")).data == back


async def test_a_time_limit_keeps_what_came(
    ask: Ask,
    tiny_model: str,
    endless_worker: Endless,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ask("POST", "models/tiny/load")
    limit = TimeLimit(jp_asyncio_loop, 3599.0, monkeypatch)
    running = asyncio.ensure_future(ask("POST", "generate", {**LONG, "timeout_ms": 3_599_000}))
    await endless_worker.writes()
    await limit.is_over()
    done = (await running).data
    assert done["finish"] == "timeout"
    assert done["text"].startswith(endless_worker.texts[0].text)
    assert done["usage"]["completion_tokens"] < 3900
    await endless_worker.rests()


async def test_closing_the_connection_cancels(
    ask: Ask,
    tiny_model: str,
    endless_worker: Endless,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
) -> None:
    await ask("POST", "models/tiny/load")
    url = urlsplit(http_server_client.get_url(url_path_join(jp_base_url, "localcoder/generate")))
    body = json.dumps(LONG)
    head = {"Host": url.netloc, "Content-Length": str(len(body)), **jp_auth_header}
    lines = [f"POST {url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", body]
    _, connection = await asyncio.open_connection(url.hostname, url.port)
    connection.write("\r\n".join(lines).encode())
    await endless_worker.writes()
    assert (await ask("GET", "health")).data["state"] == "busy"
    connection.close()
    await endless_worker.rests()
    assert (await ask("GET", "health")).data["queue_length"] == 0


async def test_cancel_all_ends_what_runs(ask: Ask, tiny_model: str, endless_worker: Endless) -> None:
    await ask("POST", "models/tiny/load")
    # So that there is room for both of them in the cache.
    body = {**LONG, "max_tokens": 1500}
    running = [asyncio.ensure_future(ask("POST", "generate", body)) for _ in range(2)]
    await endless_worker.writes(2)
    assert (await ask("DELETE", "queue")).data == {"count": 2}
    answers: list[Answer] = await asyncio.gather(*running)
    assert [answer.data["finish"] for answer in answers] == ["canceled", "canceled"]
    await endless_worker.rests()


async def test_too_many_requests_are_refused_with_retry_after(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    extension.service.max_requests = 1
    running = asyncio.ensure_future(ask("POST", "generate", LONG))
    await until(lambda: len(extension.service.runs) == 1)
    refused = await ask("POST", "generate", EXPLAIN)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "QUEUE_FULL", "1")
    await ask("DELETE", "queue")
    await running


async def test_one_client_takes_no_more_than_is_left_for_the_others(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    extension.service.max_requests = 8
    running = [asyncio.ensure_future(ask("POST", "generate", LONG)) for _ in range(8)]
    await until(lambda: len(extension.service.runs) == 4 and sum(one.done() for one in running) == 4)
    assert {one.result().code for one in running if one.done()} == {"QUEUE_FULL"}
    kernel = {"Authorization": f"localcoder {extension.kernel_token}"}
    done = await ask("POST", "complete", {"prefix": "def f(", "max_tokens": 4}, headers=kernel)
    assert done.status == 200
    await ask("DELETE", "queue", headers=kernel)
    await asyncio.gather(*running)
    again = await ask("POST", "complete", {"prefix": "def f(", "max_tokens": 4})
    assert again.status == 200


async def test_what_a_client_has_sent_counts_by_its_bytes(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    extension.service.max_request_bytes = 100_000
    # What is not read counts as much: it is held as long as the rest.
    heavy = {**LONG, "context": [{"id": "c", "source": "x", "error": "e" * 500}] * 60}
    running = [asyncio.ensure_future(ask("POST", "generate", heavy)) for _ in range(3)]
    await until(lambda: len(extension.service.runs) == 1 and sum(one.done() for one in running) == 2)
    assert {one.result().code for one in running if one.done()} == {"QUEUE_FULL"}
    await ask("DELETE", "queue")
    await asyncio.gather(*running)


async def test_ten_requests_at_once_are_all_answered(ask: Ask, tiny_model: str) -> None:
    answers: list[Answer] = await asyncio.gather(*(ask("POST", "generate", EXPLAIN) for _ in range(10)))
    assert [answer.status for answer in answers] == [200] * 10


async def test_a_file_in_the_place_of_the_model_folder_is_a_clear_error(
    ask: Ask, tiny_gguf: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("in the way")
    answer = await ask("POST", "models/import", {"path": str(tiny_gguf)})
    assert answer.code == "FILE_WRITE_ERROR"


async def test_the_openapi_document_lists_every_operation(ask: Ask) -> None:
    document = (await ask("GET", "openapi.json")).data
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(op.method, "/" + op.path) for op in OPERATIONS}


async def test_reading_ahead_needs_a_loaded_model_or_the_setting(ask: Ask, tiny_model: str) -> None:
    warm = {"prefix": "def f(", "suffix": ")", "scope": "a.ipynb"}
    assert (await ask("POST", "complete/warm", warm)).data["finish"] == "skipped"
    await ask("PATCH", "settings", {"prewarm": True})
    assert (await ask("POST", "complete/warm", warm)).data["finish"] == "stop"
    done = (await ask("POST", "complete", {**warm, "max_tokens": 4})).data
    assert done["usage"]["cached_tokens"] >= done["usage"]["prompt_tokens"] - 3
    assert done["confidence"]["log_probability"] < 0


CELLS = [{"source": f"def step_{n}(frame):\n    return frame.rolling({n}).mean()"} for n in range(6)]


@pytest.mark.parametrize("active", [0, 3])
async def test_a_notebook_that_was_opened_is_read_before_anybody_types(
    ask: Ask, tiny_model: str, active: int
) -> None:
    """The cursor stands at the beginning of its first cell, or of a text in its middle."""
    cells = [*CELLS, {"source": ""}]
    # A page sends the text of the first one beside the cells.
    sent = [{"source": ""}, *cells[1:]] if active == 0 else cells
    suffix = cells[0]["source"] if active == 0 else ""
    notebook = {"cells": sent, "active": active}
    opened = {"prefix": "", "suffix": suffix, "scope": "a.ipynb", "notebook": notebook}
    assert (await ask("POST", "complete/warm", opened)).data["finish"] == "skipped"
    assert (await ask("GET", "health")).data["state"] == "stopped"
    await ask("PATCH", "settings", {"prewarm": True})
    warmed = (await ask("POST", "complete/warm", opened)).data
    assert (warmed["finish"], warmed["cached_tokens"]) == ("stop", 0)
    assert warmed["prompt_tokens"] > 0
    there = {"prefix": "y = ", "scope": "a.ipynb", "max_tokens": 1, "notebook": {"cells": cells, "active": 6}}
    usage = (await ask("POST", "complete", there)).data["usage"]
    above = [{"source": f"{cell['source']}"} for cell in CELLS[: active or 6]]
    alone = {
        **there,
        "scope": "b.ipynb",
        "seed": 1,
        "notebook": {"cells": [*above, {"source": ""}], "active": -1},
    }
    whole = (await ask("POST", "complete", alone)).data["usage"]["prompt_tokens"]
    # All of what stood there but the marks around it, and the last word, which may go on.
    assert whole - 20 <= usage["cached_tokens"] < usage["prompt_tokens"]


async def test_opening_an_empty_notebook_loads_the_model(ask: Ask, tiny_model: str) -> None:
    await ask("PATCH", "settings", {"prewarm": True})
    empty = {"prefix": "", "scope": "a.ipynb", "notebook": {"cells": [{"source": ""}], "active": 0}}
    assert (await ask("POST", "complete/warm", empty)).data["finish"] == "stop"
    assert (await ask("GET", "health")).data["state"] == "ready"
    assert (await ask("POST", "complete/warm", empty)).data["finish"] == "skipped"


async def test_the_status_shows_what_was_measured(ask: Ask, tiny_model: str) -> None:
    assert (await ask("GET", "health")).data["calibration"] is None
    await ask("POST", "models/tiny/load")
    calibration = (await ask("GET", "health")).data["calibration"]
    assert calibration["decode_tokens_per_second"] > 0
    assert calibration["latency_target_ms"] == 400


async def test_a_question_while_a_long_answer_is_written_is_answered_before_it(
    ask: Ask, tiny_model: str, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    long = asyncio.ensure_future(ask("POST", "generate", LONG))
    await endless_worker.writes()
    question = (await ask("POST", "complete", {"prefix": "def f(", "max_tokens": 4})).data
    assert question["finish"] != "canceled"
    assert not long.done()
    await ask("DELETE", "queue")
    assert (await long).data["finish"] == "canceled"
