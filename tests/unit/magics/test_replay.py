"""`%localcoder replay`: the same request again, and an honest verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_localcoder.contract.common import ModelStamp
from jupyter_localcoder.magics import MagicFailure
from jupyter_localcoder.magics.record import saved


def record(notebook: Any, index: int = 0) -> dict[str, Any]:
    kept = [out["metadata"]["localcoder"] for out in notebook.display_pub.outputs if out["metadata"]]
    return kept[index]


def verdict(notebook: Any) -> str:
    return notebook.display_pub.outputs[-1]["data"]["text/plain"]


def test_a_record_can_be_asked_again_from_its_json_alone(notebook: Any, client: Any) -> None:
    notebook.run_cell_magic("explain", "--seed 7 --max-tokens 50 briefly", "x = 1")
    kept = record(notebook)
    assert kept["seeded"] is True
    assert kept["request"]["code"] == "x = 1"
    asked = client.asked[-1]
    notebook.run_line_magic("localcoder", "replay " + json.dumps({"localcoder": kept}))
    again = client.asked[-1]
    assert (again.code, again.instruction, again.max_tokens) == (asked.code, asked.instruction, 50)
    assert (again.model, again.sampling.seed, again.sampling.top_k) == ("tiny-model", 7, 40)
    assert verdict(notebook).startswith("The text is identical (tiny-model, seed 7, ")
    assert "promised" not in verdict(notebook)


@pytest.mark.parametrize("name", ["", "last", "r"])
def test_an_answer_of_this_kernel_is_found(notebook: Any, client: Any, name: str) -> None:
    notebook.run_cell_magic("explain", "--seed 7", "x = 1")
    notebook.run_line_magic("localcoder", f"replay {name}")
    assert client.asked[-1].code == "x = 1"
    assert verdict(notebook).startswith("The text is identical")


def test_another_text_is_shown_as_a_diff_with_the_reasons(notebook: Any, client: Any, fake: Any) -> None:
    notebook.run_cell_magic("explain", "--seed 7", "x = 1")
    client.script = fake.answer("other", model=ModelStamp(id="tiny-model", digest="d2", quantization="Q8_0"))
    notebook.run_line_magic("localcoder", "replay")
    assert "- fine" in notebook.display_pub.outputs[-2]["data"]["text/plain"]
    assert verdict(notebook).startswith("The text differs")
    assert "The file of tiny-model differs: d1 then, d2 now." in verdict(notebook)
    assert "no seed" not in verdict(notebook)


def test_another_version_is_a_reason(notebook: Any, client: Any, fake: Any) -> None:
    notebook.run_cell_magic("explain", "--seed 7", "x = 1")
    kept = record(notebook)
    kept["versions"]["llama-cpp-python"] = "0.0.1"
    client.script = fake.answer("other")
    notebook.run_line_magic("localcoder", "replay " + json.dumps(kept))
    assert "llama-cpp-python was 0.0.1 then" in verdict(notebook)


def test_what_was_asked_without_a_seed_promises_nothing(notebook: Any, client: Any, fake: Any) -> None:
    notebook.run_cell_magic("explain", "", "x = 1")
    assert record(notebook)["seeded"] is False
    kept = json.dumps(record(notebook))
    notebook.run_line_magic("localcoder", f"replay {kept}")
    assert "This was not guaranteed" in verdict(notebook)
    client.script = fake.answer("other")
    notebook.run_line_magic("localcoder", f"replay {kept}")
    assert "The request had no `--seed`." in verdict(notebook)


def test_an_answer_that_was_cut_off_is_cut_at_the_same_place(notebook: Any, client: Any, fake: Any) -> None:
    client.script = fake.answer("fine", finish="length")
    notebook.run_cell_magic("explain", "", "x = 1")
    notebook.run_line_magic("localcoder", "replay")
    assert client.asked[-1].max_tokens == 120


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("replay", "There are no answers in this kernel yet."),
        ('replay {"localcoder"', "The JSON cannot be read"),
        ('replay {"command": "explain"}', "This is not the record of an answer."),
        ('replay {"localcoder": [1]}', "This is not the record of an answer."),
        ('replay {"error": "TIMEOUT"}', "is incomplete"),
        ('replay {"command": "chat", "finish": "stop"}', "depends on the turns before it"),
    ],
)
def test_what_is_no_record_is_a_sentence(notebook: Any, line: str, sentence: str) -> None:
    with pytest.raises(MagicFailure, match=sentence.replace(".", r"\.")):
        notebook.run_line_magic("localcoder", line)


def test_an_unknown_id_is_a_sentence(notebook: Any) -> None:
    notebook.run_cell_magic("explain", "", "x = 1")
    with pytest.raises(MagicFailure, match="No id of this kernel's answers begins"):
        notebook.run_line_magic("localcoder", "replay nothing")


def test_a_notebook_gets_the_text_of_no_other_cell() -> None:
    request = {"command": "fix", "code": "own", "context": [{"source": "secret"}], "error": "In[1]: secret",
               "below": [{"source": "secret"}], "variables": [{"name": "secret"}]}  # fmt: skip
    record = {"id": "r1", "text_sha256": "ab", "prompt_sha256": "cd", "request": request}
    assert saved(record) == {**record, "request": {"command": "fix", "code": "own"}}
    assert record["request"] == request, "the kernel keeps it whole"


def test_a_notebook_gets_nothing_of_what_was_private() -> None:
    record = {"id": "r1", "model": "m", "text_sha256": "ab", "prompt_sha256": "cd",
              "request": {"command": "fix", "code": "own", "private": True}}  # fmt: skip
    assert saved(record) == {"id": "r1", "model": "m", "text_sha256": "", "prompt_sha256": ""}
