"""The prompt of a completion: what stands above never moves while somebody types."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_localcoder.context.bounds import CHARS_PER_TOKEN
from jupyter_localcoder.context.fill import Built, FillBuilder
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell, NotebookContext
from jupyter_localcoder.errors import InvalidArgument

FRAME = KernelVariable(
    name="housing",
    type="DataFrame",
    shape=(20640, 2),
    columns=(Column(name="longitude", dtype="float64"), Column(name="ocean", dtype="object")),
)


def code(source: str, count: int | None = None, **more: object) -> NotebookCell:
    status = "ok" if count is not None else "none"
    return NotebookCell(source=source, execution_count=count, **{"status": status, **more})  # type: ignore[arg-type]


def build(
    prefix: str,
    *cells: NotebookCell,
    suffix: str = "",
    active: int = -1,
    variables: tuple[KernelVariable, ...] = (),
    language: str = "python",
    tokens: int = 1000,
) -> Built:
    notebook = NotebookContext(cells=cells, active=active, variables=variables)
    return FillBuilder().build(
        prefix, suffix, notebook, language, reserve_tokens=16, prefix_tokens=tokens, suffix_tokens=tokens // 5
    )


def test_a_notebook_becomes_pieces_around_the_cursor() -> None:
    cells = (
        code("import pandas as pd", 1),
        code("housing = pd.read_csv('x')", 2),
        NotebookCell(source="Look at it", kind="markdown"),
        code("housing.head()", 3, hint="DataFrame"),
        code("housi"),
        code("housing.info()"),
    )
    prompt = build("housi", *cells, suffix="\n", active=4, variables=(FRAME,)).prompt
    assert [(piece.source, piece.text) for piece in prompt.above] == [
        ("cells above", "import pandas as pd\n\n"),
        ("cells above", "housing = pd.read_csv('x')\n\n"),
        ("kernel", "# In the kernel:\n"),
        ("kernel", '# housing: DataFrame 20640x2, float64 ["longitude"], object ["ocean"]\n\n'),
        ("cells above", "# Look at it\n\nhousing.head()\n# Out: DataFrame\n\n"),
    ]
    assert (prompt.prefix, prompt.suffix) == ("housi", "\n")
    assert [(piece.source, piece.text) for piece in prompt.below] == [("cells below", "\n\nhousing.info()")]


def test_without_a_notebook_there_is_only_the_code_around_the_cursor() -> None:
    prompt = FillBuilder().build("x = ", "\n", None, "python", reserve_tokens=10).prompt
    assert (prompt.above, prompt.prefix, prompt.suffix, prompt.below) == ((), "x = ", "\n", ())


def of_file(prefix: str, tokens: int = 1000) -> Built:
    return FillBuilder().build(
        prefix, "", None, "python", reserve_tokens=16, prefix_tokens=tokens, suffix_tokens=100
    )


def test_a_long_file_is_read_in_pieces_that_know_their_imports_and_definitions() -> None:
    body = "".join(f"def f{i}(x):\n    return '''\nimport no\n''' + x * {i}\n\n\n" for i in range(200))
    file = f"import numpy as np\n{body}y = f1("
    prompt = of_file(file, tokens=4000).prompt
    assert len(prompt.above) > 3
    assert "".join(piece.text for piece in prompt.above) + prompt.prefix == file
    briefs = [brief.text for piece in prompt.above for brief in piece.brief]
    assert briefs[:2] == ["import numpy as np\n", "def f0(x): ...\n"]
    assert "import no\n" not in briefs
    assert all(piece.text.startswith(("import numpy", "def f")) for piece in prompt.above)
    assert prompt.prefix.endswith("y = f1(")


def test_of_a_long_class_the_head_is_known_within_it() -> None:
    methods = "".join(f"    def m{i}(self):\n        return {i}\n\n" for i in range(400))
    prompt = of_file(f"class Big:\n{methods}    def last(self):\n        self.", tokens=4000).prompt
    assert len(prompt.above) > 2
    assert prompt.above[0].brief[0].text.startswith("class Big:\n    def m0(self): ...\n")
    assert all(piece.text.startswith("    def m") for piece in prompt.above[1:])


def test_of_a_file_that_is_too_long_the_imports_are_kept() -> None:
    body = "".join(f"value_{i} = np.zeros({i})\n" for i in range(2000))
    built = of_file(f"import numpy as np\n{body}y = ", tokens=500)
    assert built.prompt.above[0].text == ""
    assert [brief.text for brief in built.prompt.above[0].brief] == ["import numpy as np\n"]
    assert sum(len(piece.text) for piece in built.prompt.above) <= 500 * CHARS_PER_TOKEN
    assert built.omitted["this cell"] > 30_000


@given(st.text("ab \n'\")}#", max_size=60), st.integers(1, 4000))
def test_typing_in_a_file_moves_none_of_its_pieces(typed: str, size: int) -> None:
    base = ("x = 1\n" * size)[:8000]
    before, after = of_file(f"{base}y", 2000).prompt, of_file(f"{base}y{typed}", 2000).prompt
    assert after.above[: len(before.above)] == before.above


def test_nothing_before_the_cursor_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="before the cursor"):
        build("  \n", code("x = 1"), active=0)


def test_line_ends_of_another_system_are_read_as_ends_of_lines() -> None:
    prompt = build("a\r\nb", code("x\r\ny"), suffix="\r\nc").prompt
    assert (prompt.above[0].text, prompt.prefix, prompt.suffix) == ("x\ny\n\n", "a\nb", "\nc")


CELLS = st.lists(
    st.builds(
        lambda source, kind, count, status: NotebookCell(
            source=source, kind=kind, execution_count=count, status=status, error="E", hint="h"
        ),
        st.text("import x\ndef():# \r\n😀漢", max_size=60),
        st.sampled_from(["code", "markdown", "raw"]),
        st.none() | st.integers(1, 50),
        st.sampled_from(["none", "ok", "error"]),
    ),
    min_size=1,
    max_size=12,
)


@given(CELLS, st.data(), st.text(max_size=40), st.text(max_size=40), st.integers(16, 200))
@settings(max_examples=150, deadline=None)
def test_typing_never_changes_what_stands_above(
    cells: list[NotebookCell], data: st.DataObject, typed: str, suffix: str, tokens: int
) -> None:
    active = data.draw(st.integers(0, len(cells) - 1))
    before = build("x", *cells, active=active, variables=(FRAME,), tokens=tokens)
    now = [*cells]
    now[active] = NotebookCell(source="x" + typed, execution_count=99, status="error")
    after = build("x" + typed, *now, suffix=suffix, active=active, variables=(FRAME,), tokens=tokens)
    assert after.prompt.above == before.prompt.above


@given(CELLS, st.integers(16, 100))
@settings(max_examples=100, deadline=None)
def test_nothing_is_lost_silently(cells: list[NotebookCell], tokens: int) -> None:
    """Each character of a source is in the prompt, or counted as left out."""
    built = build("x", *cells, tokens=tokens)
    given_chars = sum(len("".join(c.source.split())) for c in cells if c.kind != "raw" and c.source.strip())
    read = sum(len("".join(p.text.split())) for p in built.prompt.above)
    assert read + sum(built.omitted.values()) >= given_chars


def test_a_giant_notebook_is_bounded_and_its_imports_stay() -> None:
    cells = [
        code("import numpy as np"),
        code("def load(path):\n    return path"),
        *(code(f"x_{i} = np.ones({i})\n" * 40) for i in range(2000)),
    ]
    built = build("x", *cells, tokens=1000)
    assert sum(len(piece.text) for piece in built.prompt.above) <= 1000 * CHARS_PER_TOKEN + 2000
    dropped = built.prompt.above[0]
    assert [brief.text for brief in dropped.brief] == ["import numpy as np\n", "def load(path): ...\n"]
    assert built.omitted["cells above"] > 1_000_000


def test_a_giant_cell_is_bounded_before_and_after_the_cursor() -> None:
    lines = "value = compute(value)\n" * 20_000
    built = build(lines, code(lines), suffix=lines, tokens=1000)
    assert len(built.prompt.prefix) <= 1000 * CHARS_PER_TOKEN
    assert len(built.prompt.suffix) <= 200 * CHARS_PER_TOKEN
    assert sum(len(piece.text) for piece in built.prompt.above) <= 1000 * CHARS_PER_TOKEN + 10
    assert set(built.omitted) == {"this cell", "cells above"}


def test_running_a_cell_changes_only_what_stands_late() -> None:
    """Typing in one cell, running it and going on to the next leaves the top as it was."""
    ran = tuple(code(f"a{i} = {i}", i) for i in range(1, 6))
    before = build("b", *ran, code("b"), active=5, variables=(FRAME,)).prompt.above
    after = build("", *ran, code("b = 1", 6), code(""), active=6, variables=(FRAME,)).prompt.above
    assert [piece.text for piece in after[:4]] == [piece.text for piece in before[:4]]


@pytest.mark.parametrize(
    ("path", "language", "name"),
    [
        ("work/sales 2.ipynb", "python", "sales 2.py"),
        ("a.ipynb", "r", "a.r"),
        ("a.ipynb", "nobody's", "a.txt"),
        ("", "python", "notebook.py"),
        ("bad\n<fim>.ipynb", "python", "notebook.py"),
    ],
)
def test_the_file_is_named_like_the_notebook(path: str, language: str, name: str) -> None:
    made = FillBuilder().build("x", "", NotebookContext(path=path), language, reserve_tokens=16)
    assert made.prompt.file == name
