"""A `llama-server` that somebody has started with the same model, asked over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx

from .. import texts
from .base import Speeds

_TIMEOUT_SECONDS = 600.0


class LlamaServerPeer:
    """The editor plug-ins' way: ``/completion``, streamed."""

    name = "llama-server"

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def generate(self, prompt_tokens: int, answer_tokens: int) -> Speeds:
        """See `Peer.generate`."""
        text = texts.code(prompt_tokens * 2)
        tokens = self._client.post("/tokenize", json={"content": text}).raise_for_status().json()["tokens"]
        request = {
            "prompt": tokens[:prompt_tokens],
            "n_predict": answer_tokens,
            "temperature": 0,
            "samplers": ["top_k"],
            "top_k": 1,
            "ignore_eos": True,
            "cache_prompt": False,
            "stream": True,
        }
        begin = time.perf_counter()
        arrivals: list[float] = []
        with self._client.stream("POST", "/completion", json=request) as answer:
            answer.raise_for_status()
            for event in _events(answer):
                arrivals.append(time.perf_counter())
                if event.get("stop"):
                    break
        return Speeds(arrivals[0] - begin, arrivals[-1] - arrivals[0])

    def slots(self) -> int:
        """How many requests it computes at once."""
        return int(self._client.get("/props").raise_for_status().json()["total_slots"])

    def infill(self, prefix: str, suffix: str, answer_tokens: int, *, cached: bool = True) -> tuple[str, int]:
        """Complete a line as editor plug-ins ask for it; the text, and how many tokens were read for it."""
        request = {
            "input_prefix": prefix,
            "input_suffix": suffix,
            "prompt": "",
            "n_predict": answer_tokens,
            "temperature": 0,
            "samplers": ["top_k"],
            "top_k": 1,
            "stop": ["\n"],
            "cache_prompt": cached,
        }
        answer = self._client.post("/infill", json=request).raise_for_status().json()
        return answer["content"], answer["timings"]["prompt_n"]

    def plugin_infill(self, prefix: str, suffix: str, prompt: str) -> str:
        """Complete as llama.vscode does by its default settings; `prompt` is the line up to the cursor."""
        indentation = len(prompt) - len(prompt.lstrip())
        request = {
            "input_prefix": prefix,
            "input_suffix": suffix,
            "input_extra": [],
            "prompt": prompt,
            "n_predict": 128,
            "top_k": 40,
            "top_p": 0.99,
            "stream": False,
            "samplers": ["top_k", "top_p", "infill"],
            "cache_prompt": True,
            "t_max_prompt_ms": 500,
            "t_max_predict_ms": 500,
            **({"n_indent": indentation} if indentation else {}),
        }
        return str(self._client.post("/infill", json=request).raise_for_status().json()["content"])


def _events(answer: httpx.Response) -> Iterator[dict[str, object]]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
