"""What is sent to each kind of server, and what is made of what they answer, as their vendors document it."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.errors import InvalidArgument, ValidationError
from jupyter_localcoder.providers.base import ChatTurn, End, Messages, ReportedUsage
from tests.support.providers import KEY, asking, collect
from tests.support.wire_server import body, document, events, ndjson

SAMPLING = SamplingOptions(temperature=0.5, top_p=0.9, seed=7)


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta: dict[str, Any] = {"role": "assistant", "content": text} if text is not None else {}
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1-2026",
        "system_fingerprint": None, **more,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }  # fmt: skip


USAGE = {
    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1-2026", "choices": [],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15,
              "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 0}},
}  # fmt: skip
CHAT = events(chunk(""), chunk("Hel"), chunk("lo"), chunk(None, "stop"), USAGE)
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]


@pytest.mark.parametrize("pieces", [0, 1, 7, 1000])
async def test_openai_chats(server, make, pieces):
    server.say(events(chunk(""), chunk("Hel"), chunk("lo é"), chunk(None, "stop"), USAGE, pieces=pieces))
    texts, end = await collect(make("openai"), asking(max_tokens=50, sampling=SAMPLING, stop=("\n\n",)))
    assert texts == ["Hel", "lo é"]
    assert end == End("stop", ReportedUsage(12, 8, 3), "m-1-2026")
    (heard,) = server.heard
    assert (heard.method, heard.path) == ("POST", "/v1/chat/completions")
    assert heard.headers["authorization"] == f"Bearer {KEY}"
    assert heard.json == {
        "model": "m-1",
        "messages": TURNS,
        "max_completion_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["\n\n"],
    }


async def test_what_the_request_leaves_open_is_not_sent(server, make):
    server.say(CHAT)
    await collect(make("openai"))
    sent = {"model", "messages", "max_completion_tokens", "stream", "stream_options"}
    assert set(server.heard[0].json) == sent


async def test_the_request_names_another_model_than_the_configuration(server, make):
    server.say(CHAT)
    await collect(make("openai"), asking(model="m-2"))
    assert server.heard[0].json["model"] == "m-2"


@pytest.mark.parametrize(
    ("api_version", "path"),
    [
        ("", "/openai/v1/chat/completions"),
        ("2024-10-21", "/openai/deployments/m-1/chat/completions?api-version=2024-10-21"),
    ],
)
async def test_azure_has_deployments_and_a_header_of_its_own(server, make, api_version, path):
    filtered = chunk("Hi", content_filter_results={"hate": {"filtered": False, "severity": "safe"}})
    first = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    server.say(events(first, filtered, chunk(None, "content_filter"), USAGE))
    texts, end = await collect(make("azure_openai", api_version=api_version))
    assert (texts, end.reason) == (["Hi"], "filter")
    assert server.heard[0].path == path
    assert server.heard[0].headers["api-key"] == KEY
    assert "authorization" not in server.heard[0].headers


async def test_an_option_that_a_model_does_not_take_is_left_out(server, make):
    refused = {
        "error": {
            "message": "Unsupported value: 'temperature' does not support 0.5 with this model.",
            "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value",
        }
    }  # fmt: skip
    server.say(document(refused, 400), CHAT)
    texts, _ = await collect(make("openai"), asking(sampling=SAMPLING))
    assert texts == ["Hel", "lo"]
    assert [heard.json.get("temperature") for heard in server.heard] == [0.5, None]


async def test_the_limit_has_two_names(server, make):
    words = "Unsupported parameter: 'max_completion_tokens' is not supported. Use 'max_tokens' instead."
    refused = {"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}
    server.say(document(refused, 400), CHAT)
    await collect(make("azure_openai"), asking(max_tokens=9))
    assert [h.json.get("max_tokens") for h in server.heard] == [None, 9]
    assert "max_completion_tokens" not in server.heard[1].json


async def test_a_refusal_of_what_is_needed_is_told(server, make):
    refused = {"error": {"message": "'messages' must not be empty", "param": "messages", "code": None}}
    server.say(document(refused, 400))
    with pytest.raises(InvalidArgument, match="'messages' must not be empty"):
        await collect(make("openai"))
    assert len(server.heard) == 1


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(server, make):
    server.say(
        document({"error": {"message": "no 'stream_options', 'max_tokens', 'max_completion_tokens'"}}, 400)
    )
    with pytest.raises(InvalidArgument):
        await collect(make())
    assert len(server.heard) == 4


async def test_a_compatible_server_needs_neither_key_nor_model(server, make):
    server.say(CHAT)
    await collect(make(key=None, model=""), asking(max_tokens=5))
    (heard,) = server.heard
    assert "authorization" not in heard.headers
    assert "model" not in heard.json
    assert heard.json["max_tokens"] == 5


async def test_servers_that_say_less_than_the_original(server, make):
    """Some leave out the role, the usage, the last empty line, or `[DONE]`; some add null fields."""
    server.say(
        events(
            {"choices": [{"delta": {"content": "a"}}], "usage": None},
            {"choices": [{"delta": {"content": "b", "reasoning_content": "hm"}, "finish_reason": None}]},
            {"choices": [{"delta": None, "finish_reason": "length"}], "model": None},
            done=False,
        )
    )
    assert await collect(make()) == (["a", "b"], End("length", ReportedUsage(), ""))
    last = b'data:{"choices":[{"delta":{"content":"c"},"finish_reason":"eos_token"}]}'
    raw = last + b"\r\n: ping\r\n\r\ndata: [DONE]"
    server.say(body(raw, content_type="text/event-stream; charset=utf-8"))
    assert await collect(make()) == (["c"], End("stop", ReportedUsage(), ""))


def completion(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"object": "text_completion", "choices": [{"text": text, "index": 0, "finish_reason": finish}]}


async def test_a_text_goes_on(server, make):
    server.say(events(completion("go"), completion("es on", "length")))
    assert (await collect(make(), asking(text="It ")))[0] == ["go", "es on"]
    assert server.heard[0].path == "/v1/completions"
    assert server.heard[0].json["prompt"] == "It "


async def test_the_middle_is_filled_by_the_field_for_a_suffix(server, make):
    server.say(events(completion("return a", "stop")))
    await collect(make(fill="suffix"), asking(fill=("def f(a):\n    ", "\n")))
    assert server.heard[0].path == "/v1/completions"
    assert (server.heard[0].json["prompt"], server.heard[0].json["suffix"]) == ("def f(a):\n    ", "\n")


async def test_the_middle_is_filled_by_the_marks_of_the_model(server, make):
    server.say(events(completion("x", "stop")))
    provider = make(fill="tokens", fill_template="<PRE> {prefix} <SUF>{suffix} <MID>")
    await collect(provider, asking(fill=("a = <MID>{suffix}", "\n<PRE>b")))
    assert server.heard[0].json["prompt"] == "<PRE> a = {suffix} <SUF>\nb <MID>"
    assert "suffix" not in server.heard[0].json


@pytest.mark.parametrize("template", ["", "{prefix}", "{prefix}{suffix}{prefix}", "{prefix} suffix"])
def test_a_template_holds_each_place_once(make, template):
    with pytest.raises(ValidationError, match="fill_template"):
        make(fill="tokens", fill_template=template)


async def test_the_middle_is_filled_by_llama_servers_own_route(server, make):
    part = {"index": 0, "content": "ret", "tokens": [1], "stop": False, "id_slot": -1, "tokens_predicted": 1}
    last = {
        "index": 0, "content": "urn", "tokens": [], "id_slot": 0, "stop": True, "model": "qwen",
        "tokens_predicted": 2, "tokens_evaluated": 9, "generation_settings": {}, "has_new_line": False,
        "truncated": False, "stop_type": "limit", "stopping_word": "", "tokens_cached": 10, "timings": {},
    }  # fmt: skip
    server.say(events(part, last, done=False))
    request = asking(fill=("a", "b"), max_tokens=2, sampling=SamplingOptions(top_k=5, min_p=0.1))
    assert await collect(make(fill="infill"), request) == (
        ["ret", "urn"],
        End("length", ReportedUsage(9, None, 2), "qwen"),
    )
    assert server.heard[0].path == "/infill"
    assert server.heard[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.heard[0].json == {
        "input_prefix": "a", "input_suffix": "b", "n_predict": 2, "stream": True, "cache_prompt": True,
        "top_k": 5, "min_p": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize("type_", ["openai_compatible", "openai", "azure_openai", "gemini"])
async def test_who_does_not_fill_in_the_middle_says_so(server, make, type_):
    server.say(CHAT)
    with pytest.raises(InvalidArgument, match="Acme does not support fill-in-the-middle"):
        await collect(make(type_), asking(fill=("a", "b")))
    assert server.heard == []


async def test_gemini_chats(server, make):
    first = {
        "candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}], "role": "model"}}],
        "modelVersion": "gemini-x", "responseId": "r",
    }  # fmt: skip
    second = {"candidates": [{"content": {"parts": [{"text": "Hi"}, {"text": "!"}], "role": "model"}}]}
    last = {
        "candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 30,
                          "cachedContentTokenCount": 4, "totalTokenCount": 42},
    }  # fmt: skip
    server.say(events(first, second, last, done=False))
    turns = (*asking().input.turns, ChatTurn("assistant", "Yes?"), ChatTurn("user", "Go on."))
    request = asking(input=Messages(turns), sampling=SAMPLING, stop=tuple("abcdef"), max_tokens=20)
    assert await collect(make("gemini"), request) == (
        ["Hi!"],
        End("stop", ReportedUsage(10, 4, 32, 30), "gemini-x"),
    )
    (heard,) = server.heard
    assert heard.path == "/v1beta/models/m-1:streamGenerateContent?alt=sse"
    assert heard.headers["x-goog-api-key"] == KEY
    assert KEY not in heard.path
    assert heard.json == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello?"}]},
            {"role": "model", "parts": [{"text": "Yes?"}]},
            {"role": "user", "parts": [{"text": "Go on."}]},
        ],
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "seed": 7, "maxOutputTokens": 20,
            "stopSequences": ["a", "b", "c", "d", "e"],
        },
    }  # fmt: skip


async def test_gemini_says_when_it_holds_back(server, make):
    server.say(events({"promptFeedback": {"blockReason": "SAFETY"}}, done=False))
    with pytest.raises(InvalidArgument, match=r"does not answer this prompt \(SAFETY\)"):
        await collect(make("gemini"))
    cut = {"candidates": [{"content": {"parts": [{"text": "I "}]}, "finishReason": "RECITATION"}]}
    server.say(events(cut, done=False))
    assert (await collect(make("gemini")))[1].reason == "filter"


def told(text: str, **last: Any) -> dict[str, Any]:
    message = {"message": {"role": "assistant", "content": text}, "done": bool(last)}
    return {"model": "m-1", "created_at": "2026-01-01T00:00:00Z", **message, **last}


async def test_ollama_chats(server, make):
    ended = {"done_reason": "length", "total_duration": 1, "prompt_eval_count": 26, "eval_count": 2}
    server.say(ndjson(told("He"), told("y"), told("", **ended)))
    provider = make("ollama", key=None, context_window=8192)
    texts, end = await collect(provider, asking(max_tokens=2, sampling=SAMPLING, stop=("x",)))
    assert (texts, end) == (["He", "y"], End("length", ReportedUsage(26, None, 2), "m-1"))
    assert server.heard[0].path == "/api/chat"
    assert server.heard[0].json == {
        "model": "m-1",
        "stream": True,
        "messages": TURNS,
        "options": {
            "temperature": 0.5, "top_p": 0.9, "seed": 7, "num_predict": 2, "num_ctx": 8192, "stop": ["x"]
        },
    }  # fmt: skip


async def test_ollama_fills_in_the_middle_and_goes_on(server, make):
    server.say(ndjson({"model": "m-1", "response": "mid", "done": True, "done_reason": "stop"}))
    assert (await collect(make("ollama"), asking(fill=("a", "b"))))[0] == ["mid"]
    await collect(make("ollama"), asking(fill=("a", "")))
    await collect(make("ollama"), asking(text="once"))
    assert {heard.path for heard in server.heard} == {"/api/generate"}
    sent = [(h.json["prompt"], h.json.get("suffix"), h.json.get("raw")) for h in server.heard]
    # An empty suffix would make a question of the prefix.
    assert sent == [("a", "b", None), ("a", "\n", None), ("once", None, True)]


@pytest.mark.parametrize("type_", ["ollama", "openai", "gemini"])
async def test_a_model_has_to_be_chosen(server, make, type_):
    with pytest.raises(InvalidArgument, match="No model is selected"):
        await collect(make(type_, model=""))


@pytest.mark.parametrize(
    ("type_", "path", "answer", "models"),
    [
        ("openai", "/v1/models", {"object": "list", "data": [{"id": "b"}, {"id": "a"}]}, ("b", "a")),
        ("openai_compatible", "/v1/models", {"data": [], "models": [{}]}, ()),
        ("azure_openai", "/openai/v1/models", {"data": [{"id": "gpt"}]}, ("gpt",)),
        (
            "gemini",
            "/v1beta/models?pageSize=1000",
            {"models": [{"name": "models/g", "supportedGenerationMethods": ["generateContent"]},
                        {"name": "models/e", "supportedGenerationMethods": ["embedContent"]}]},
            ("g",),
        ),
        ("ollama", "/api/tags", {"models": [{"name": "qwen:1b", "size": 1}]}, ("qwen:1b",)),
    ],
)  # fmt: skip
async def test_the_test_of_a_connection_lists_the_models(server, make, type_, path, answer, models):
    server.say(document(answer))
    check = await make(type_).check()
    assert check.models == models
    assert check.latency_ms > 0
    assert (server.heard[0].method, server.heard[0].path) == ("GET", path)


async def test_stop_strings_hold_with_every_server(server, make):
    """More than it takes, or one that it does not know: the answer ends before it all the same."""
    server.say(events(chunk("ab"), chunk("c#EN"), chunk("D and more"), chunk(None, "stop")))
    texts, end = await collect(make(), asking(stop=("1", "2", "3", "4", "#END")))
    assert ("".join(texts), end.reason) == ("abc", "stop")
    assert server.heard[0].json["stop"] == ["1", "2", "3", "4"]
    server.say(events(chunk("ab#EN"), chunk(None, "stop")))
    assert "".join((await collect(make(), asking(stop=("#END",))))[0]) == "ab#EN"
