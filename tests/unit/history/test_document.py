"""Front matter and back again, whatever is in the texts."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.history import document
from tests.support.responses import response

HOSTILE = [
    "",
    "---",
    "---\n---\n",
    '\n---\nid: "0000000000000000"\n---\n',
    "a\r\nb\rc\n",
    "nul \0 in the middle",
    "emoji 🎉👩‍👩‍👧 and \u200f\u202e right to left",
    "  indented\n\n\n    more  ",
    "\ttab\n",
    "\x85\u2028\u2029 other line ends",
    "\ufeffmark at the start",
    "\x1b]52;c;aGk=\x07",
    "prompt: |2-\n  x",
    "'\"\\ {} [] # & * ! | > % @ `",
    "null",
    "\n",
    "x" * 100_000,
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet='-\n\r \t|x:"\0'))


@given(prompt=texts, content=texts, title=texts, notebook=texts)
def test_what_is_written_is_read(prompt: str, content: str, title: str, notebook: str):
    before = response(prompt=prompt, content=content, title=title, notebook=notebook)
    assert document.parse(document.render(before)) == before


@given(prompt=texts, content=texts, title=texts)
def test_other_readers_of_front_matter_read_the_same(prompt: str, content: str, title: str):
    """Those that know YAML; the answer is what stands behind the second fence."""
    data = document.render(response(prompt=prompt, content=content, title=title, sampling={"seed": 7}))
    head, body = data.decode().removeprefix("---\n").split("\n---\n", 1)
    fields = yaml.safe_load(head)
    assert body == content
    assert (fields.get("prompt", ""), fields.get("title", "")) == (prompt, title)
    assert fields["sampling"] == {"seed": 7}


def test_all_that_was_asked_for_stands_in_the_front_matter():
    fields = {
        "command": "explain", "digest": "ab" * 32, "quantization": "Q4_K_M", "cost_usd": 0.25,
        "sampling": {"seed": 7, "temperature": 0.2}, "prompt_tokens": 12, "completion_tokens": 3,
        "milliseconds": 12.5, "notebook": "a/b.ipynb", "cell": "c1", "prompt_sha256": "cd" * 32,
    }  # fmt: skip
    head = yaml.safe_load(document.render(response(**fields)).decode().split("---\n")[1])
    assert fields.items() <= head.items()
    assert {"id", "prompt_id", "provider", "model", "created_at", "title"} <= head.keys()


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    parsed = document.parse(document.render(response(prompt="a\ud800b", content="c\udfffd", title="\ud800")))
    assert (parsed.prompt, parsed.content, parsed.title) == ("a\ufffdb", "c\ufffdd", "\ufffd")


def test_a_prompt_of_ordinary_lines_can_be_read_by_people():
    data = document.render(response(prompt="Explain this:\n\n    x = 1\ny = 2"))
    assert b"prompt: |2-\n  Explain this:\n\n      x = 1\n  y = 2\n---\n" in data


def test_an_editor_may_change_the_line_ends_of_the_front_matter():
    before = response(prompt="two\nlines", content="one")
    head, body = document.render(before).split(b"\n---\n", 1)
    changed = head.replace(b"\n", b"\r\n") + b"\r\n---\r\n" + body
    assert document.parse(changed) == before


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_refusal(data: bytes):
    for file in (data, b"---\n" + data, document.render(response())[: len(data) * 2] + data):
        with contextlib.suppress(document.NotAResponse):
            document.parse(file)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"format: 1", b"format: 2"),
        (b'id: "', b'id: ["'),
        (b"kind: ", b"kind "),
        (b'finish: "stop"', b'finish: "other"'),
        (b"created_at: ", b"created_at: " + b"[" * 5000),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(old: bytes, new: bytes):
    data = document.render(response())
    assert old in data
    with pytest.raises(document.NotAResponse):
        document.parse(data.replace(old, new, 1))


def test_the_digest_is_that_of_the_text_that_is_in_the_file():
    data = document.render(response(content="as the model wrote it"))
    assert b"text_sha256" not in data
    edited = document.parse(data.replace(b"as the model", b"as nobody"))
    assert edited.text_sha256 == hashlib.sha256(b"as nobody wrote it").hexdigest()
