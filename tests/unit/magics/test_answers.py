"""Code out of answers, and how it differs."""

from __future__ import annotations

import pytest

from jupyter_localcoder.text.answers import DiffLine, code_of, diff


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        ("\nx = 1  \n\n", "x = 1"),
        ("Here:\n```python\nx = 1\n```\nDone.", "x = 1"),
        ("```python\nx = 1\n", "x = 1"),
        ("```", ""),
        ("```py\na\n```\n```python\nlonger = 1\n```", "longer = 1"),
        ("```bash\npip install a-very-long-name\n```\n```python\nx = 1\n```", "x = 1"),
        ("```rust\nfn main() {}\n```", "fn main() {}"),
        ("~~~python\n```\nx\n```\n~~~", "```\nx\n```"),
        ("````python\ns = '''\n```\n'''\n````", "s = '''\n```\n'''"),
        ("1. ```python\n   if x:\n       y\n   ```", "if x:\n    y"),
        ("    ```python\n    x = 1\n    ```", "x = 1"),
        ("Use `x` and ``y``", "Use `x` and ``y``"),
        ("```python\n\n\n```", ""),
    ],
)
def test_the_code_is_found(answer: str, code: str) -> None:
    assert code_of(answer) == code


def test_another_language_is_preferred_when_it_is_asked_for() -> None:
    answer = "```python\nlonger_than_the_other()\n```\n```bash\nls\n```"
    assert code_of(answer, "bash") == "ls"


def test_the_code_grows_while_the_answer_comes() -> None:
    answer = "Look:\n```python\nx = 1\ny = 2\n```\n"
    lengths = [
        len(code_of(answer[:end])) for end in range(answer.index("x = 1"), answer.index("\n```\n") + 1)
    ]
    assert lengths == sorted(lengths)


def test_a_diff_has_signs_and_places() -> None:
    assert diff("a\nb\nc\n", "a\nB\nc") == [
        DiffLine("@", "@@ -1,3 +1,3 @@"),
        DiffLine(" ", "a"),
        DiffLine("-", "b"),
        DiffLine("+", "B"),
        DiffLine(" ", "c"),
    ]


def test_white_space_at_the_ends_is_no_difference() -> None:
    assert diff("\na\n\n", "a") == []


def test_lines_that_look_like_signs_stay_lines() -> None:
    lines = diff("-- x\n++ y", "-- x\n++ z")
    assert [line for line in lines if line.sign != "@"] == [
        DiffLine(" ", "-- x"),
        DiffLine("-", "++ y"),
        DiffLine("+", "++ z"),
    ]
