"""The prompt of a completion as two texts: bounded, and with the same beginning while somebody types."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.fill import FillBuilder
from jupyter_localcoder.context.flatten import CHARS_PER_TOKEN, flatten
from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext


def flat(prefix: str, *cells: str, suffix: str = "", below: str = "", tokens: int = 400) -> tuple[str, str]:
    sources = [*cells, prefix + suffix, *([below] if below else [])]
    notebook = NotebookContext(
        cells=tuple(NotebookCell(source=source) for source in sources), active=len(cells)
    )
    built = FillBuilder().build(
        prefix, suffix, notebook, "python", reserve_tokens=16, prefix_tokens=tokens, suffix_tokens=tokens // 4
    )
    return flatten(built.prompt)


def test_what_fits_is_one_text_before_the_cursor_and_one_after() -> None:
    assert flat("x = ", "import math", "r = 2", suffix="\n", below="print(x)") == (
        "import math\n\nr = 2\n\nx = ",
        "\n\n\nprint(x)",
    )


def test_of_what_does_not_fit_the_imports_and_definitions_stand_at_the_top() -> None:
    far = ["import math\n\ndef area(r):\n    return math.pi * r**2", *(f"far_{n} = {n}" for n in range(40))]
    before, _ = flat("x = ", *far, "y = 1\n" * 100, tokens=400)
    assert before.startswith("import math\ndef area(r):")
    assert before.endswith("y = 1\n\nx = ")
    assert "return math.pi" not in before


@given(
    st.lists(st.text("ab =\n(", max_size=400), max_size=8),
    st.text("ab =\n(", max_size=900),
    st.text("ab\n", max_size=900),
)
def test_it_is_never_longer_than_it_may_be(cells: list[str], prefix: str, suffix: str) -> None:
    prefix = f"x{prefix}"
    before, after = flat(prefix, *cells, suffix=suffix, below="z = 1", tokens=100)
    assert len(before) <= 100 * CHARS_PER_TOKEN
    assert len(after) <= 25 * CHARS_PER_TOKEN
    assert before.endswith(prefix[-20:])


def test_typing_seldom_moves_the_beginning() -> None:
    cells = [f"name_{n} = {n}\n" * 5 for n in range(60)]
    begins = {flat("x = " + "y" * typed, *cells)[0][:200] for typed in range(120)}
    assert len(begins) <= 2
