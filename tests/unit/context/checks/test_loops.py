"""An answer that says the same again and again ends there, in the stream; what may repeat does."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.loops import LoopGate, loops

LINE = "    assert total([1, 2]) == 3\n"


def shown(text: str, source: str = "", size: int = 7) -> tuple[str, LoopGate]:
    gate = LoopGate(source)
    pieces = [gate.take(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + gate.finish("stop"), gate


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    "group", [LINE, LINE + "\n", "x = f(1)\ny = g(x)\n", "".join(f"case_{n}()\n" for n in range(8))]
)
def test_a_loop_ends_with_the_line_that_makes_it_certain(group: str, size: int) -> None:
    text, gate = shown("begin = 1\n" + group * 40, size=size)
    assert gate.ended
    assert gate.doubt == "repetition"
    assert text == ("begin = 1\n" + group * 4).rstrip("\n") + "\n"
    assert gate.take("more") == ""


@pytest.mark.parametrize(
    "text",
    [
        LINE * 3,
        (LINE * 3 + "other()\n") * 3,
        "grid = [\n" + "    [0, 0, 0],\n" * 9 + "]\n",
        "}\n" * 6,
        "\n" * 50,
        "".join(f"case_{n}()\n" for n in range(60)),
        "",
    ],
)
def test_what_is_no_loop_is_shown_whole(text: str) -> None:
    whole, gate = shown(text)
    assert whole == text
    assert not gate.ended
    assert not loops(text, "")


def test_lines_that_repeat_in_the_code_may_repeat_as_often() -> None:
    assert not shown(LINE * 10, source=f"def f():\n{LINE * 10}")[1].ended
    assert shown(LINE * 20, source=f"def f():\n{LINE * 10}")[1].ended
    assert loops(LINE * 11, LINE * 10)
