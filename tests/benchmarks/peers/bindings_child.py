"""The process of `BindingsPeer`: one JSON object a line, first how to load, then what to do."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import llama_cpp

from jupyter_localcoder.machine.processors import available

from .. import texts


def main() -> None:
    """Serve until the input ends."""
    model = _load(json.loads(sys.stdin.readline()))
    _say({})
    for line in sys.stdin:
        asked = json.loads(line)
        if "question" in asked:
            _say(_chat(model, asked["question"], asked["max_tokens"]))
        else:
            _say(_generate(model, asked["prompt_tokens"], asked["answer_tokens"]))


def _load(plan: dict[str, Any]) -> llama_cpp.Llama:
    threads = plan["n_threads"] or available().threads
    return llama_cpp.Llama(
        plan["path"],
        n_gpu_layers=plan["n_gpu_layers"],
        n_ctx=plan["n_ctx"],
        n_batch=plan["n_batch"],
        n_ubatch=plan["n_ubatch"],
        n_threads=threads,
        n_threads_batch=plan["n_threads_batch"] or threads,
        use_mlock=plan["use_mlock"],
        no_perf=True,
        verbose=False,
    )


def _generate(model: llama_cpp.Llama, prompt_tokens: int, answer_tokens: int) -> dict[str, float]:
    text = model.tokenize(texts.code(prompt_tokens * 2).encode(), add_bos=False)
    prompt = text[:prompt_tokens]
    model.reset()  # Nothing is cached; the product is asked for the same.
    begin = time.perf_counter()
    stream = model.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0)
    next(stream)
    first = time.perf_counter()
    for _ in range(answer_tokens - 1):
        next(stream)
    end = time.perf_counter()
    stream.close()
    return {"first_seconds": first - begin, "rest_seconds": end - first}


def _chat(model: llama_cpp.Llama, question: str, max_tokens: int) -> dict[str, Any]:
    answer: Any = model.create_chat_completion(
        [{"role": "user", "content": question}],
        temperature=0.0,
        top_k=1,
        repeat_penalty=1.0,
        max_tokens=max_tokens,
    )
    return {
        "text": answer["choices"][0]["message"]["content"] or "",
        "tokens": answer["usage"]["completion_tokens"],
    }


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
