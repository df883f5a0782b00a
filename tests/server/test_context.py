"""Notebook context, the inspector and the probe, on a real Jupyter server with a real worker."""

from __future__ import annotations

import json
from typing import Any

from tests.server.conftest import Ask

NOTEBOOK = {
    "path": "a.ipynb",
    "cells": [
        {"id": "1", "source": "import pandas as pd", "execution_count": 1, "status": "ok"},
        {"id": "2", "kind": "markdown", "source": "# Look"},
        {"id": "3", "source": "1 / 0", "execution_count": 2, "status": "error", "error": "ZeroDivisionError"},
        {"id": "4", "source": "never read"},
        {"id": "5", "source": "next_cell()"},
    ],
    "active": 3,
    "variables": [
        {"name": "df", "type": "DataFrame", "shape": [3, 1], "columns": [{"name": "size", "dtype": "int64"}]}
    ],
}


async def test_a_completion_reads_the_notebook_and_shows_what_it_read(ask: Ask, tiny_model: str) -> None:
    body = {"prefix": "df[", "suffix": "]", "notebook": NOTEBOOK, "scope": "a.ipynb", "max_tokens": 3}
    done = (await ask("POST", "complete", body)).data
    seen = (await ask("POST", "context/inspect", {"run": done["run"]})).data
    assert seen["prompt"] == (
        "<|fim_prefix|>import pandas as pd\n\n"
        '# In the kernel:\n# df: DataFrame 3x1, int64 ["size"]\n\n'
        "# # Look\n\n1 / 0\n# raised ZeroDivisionError\n\n"
        "df[<|fim_suffix|>]\n\nnext_cell()<|fim_middle|>"
    )
    assert [part["source"] for part in seen["parts"]] == [
        "control tokens", "cells above", "kernel", "this cell", "cells below",
    ]  # fmt: skip
    assert sum(part["tokens"] for part in seen["parts"]) == done["usage"]["prompt_tokens"]
    assert done["parts"] == seen["parts"]
    assert "pandas" not in seen["redacted"]
    assert (await ask("POST", "context/inspect")).data == seen


async def test_warming_reads_what_the_completion_will_need(ask: Ask, tiny_model: str) -> None:
    body = {"prefix": "", "notebook": NOTEBOOK, "scope": "a.ipynb"}
    await ask("POST", "models/tiny/load")
    assert (await ask("POST", "complete/warm", body)).data["finish"] == "stop"
    done = (await ask("POST", "complete", {**body, "prefix": "d", "max_tokens": 2})).data
    assert done["usage"]["cached_tokens"] > 100


async def test_a_command_can_be_inspected(ask: Ask, tiny_model: str) -> None:
    body = {"command": "explain", "code": "print('secret')", "max_tokens": 2}
    done = (await ask("POST", "generate", body)).data
    seen = (await ask("POST", "context/inspect", {"run": done["run"]})).data
    assert seen["kind"] == "generate"
    assert "print('secret')" in seen["prompt"]
    assert "secret" not in seen["redacted"]
    assert {"control tokens", "instructions", "code"} == {part["source"] for part in seen["parts"]}


async def test_before_anything_was_asked_there_is_nothing_to_inspect(ask: Ask) -> None:
    answer = await ask("POST", "context/inspect")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_a_notebook_of_two_thousand_cells_is_taken(ask: Ask, tiny_model: str) -> None:
    cells = [{"source": f"x_{i} = compute({i})\n" * 20} for i in range(2000)]
    body = {"prefix": "x", "notebook": {"cells": cells, "active": -1}, "max_tokens": 2}
    done = (await ask("POST", "complete", body)).data
    assert done["usage"]["left_out_tokens"] > 0
    assert (
        next(part for part in done["parts"] if part["source"] == "cells above")["left_out_tokens"] > 100_000
    )


async def test_half_an_emoji_hinders_nobody(ask: Ask, tiny_model: str) -> None:
    """JavaScript cuts between its two halves: each is read as a character that nobody knows."""
    body: dict[str, Any] = {"prefix": "x = '\ud83d", "suffix": "\ude00'", "max_tokens": 2}
    answer = await ask("POST", "complete", json.dumps(body))
    assert answer.status == 200
    assert answer.data["usage"]["prompt_tokens"] > 0


async def test_a_kernel_is_asked_in_its_own_language(ask: Ask) -> None:
    python = (await ask("GET", "context/probe")).data
    assert python["code"]
    assert "user_ns_hidden" in python["expression"]
    assert (await ask("GET", "context/probe?language=julia")).data == {"code": "", "expression": ""}
