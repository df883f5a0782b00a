"""What belongs to no cell is never suggested: marks of the prompt, fences, words to the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jupyter_localcoder.context.checks.foreign import foreign_at
from jupyter_localcoder.context.checks.gate import Rules, SuggestionGate
from jupyter_localcoder.context.checks.surroundings import Surroundings
from jupyter_localcoder.context.comments import comment
from jupyter_localcoder.context.fill import FillBuilder
from jupyter_localcoder.contract.fill_tokens import FILL_FAMILIES
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell, NotebookContext

NOTEBOOKS = Path(__file__).parents[4] / "notebooks"
MARKED = NotebookContext(
    path="n.ipynb",
    cells=(
        NotebookCell(kind="markdown", source="## Load the data\nFrom the file."),
        NotebookCell(source="a = 1", status="error", error="ValueError", execution_count=1),
        NotebookCell(source="b = 2", status="error", execution_count=2),
        NotebookCell(
            source="c = 3", status="ok", hint="DataFrame", head="   x  y\n0  1  2", execution_count=3
        ),
        NotebookCell(source="d = 4"),
        NotebookCell(source=""),
    ),
    active=5,
    variables=(
        KernelVariable(name="df", type="DataFrame", shape=(3, 1), columns=(Column(name="x", dtype="int64"),)),
        KernelVariable(name="load", type="function", signature="(path, sep=',')"),
        KernelVariable(name="n", type="int"),
    ),
)
CODE = ["", "%%bash\n", "%%html\n", "%%sql\n", "%%javascript\n", "%%R\n", "%%my_magic\n"]


def shown(prefix: str, answer: str, language: str = "python", suffix: str = "", finish: str = "stop") -> str:
    """What is shown of an answer; no parser is asked."""
    gate = SuggestionGate(Surroundings(prefix, suffix, language, MARKED), Rules(checks="mark"))
    out = ""
    for character in answer:
        out += gate.take(character)
        if gate.ended:
            break
    return out + gate.finish(finish)  # type: ignore[arg-type]


def written(language: str) -> list[str]:
    """All comments that the prompt of a notebook has."""
    built = FillBuilder().build("x", "", MARKED, language, reserve_tokens=16, heads_share=0.5)
    lead = comment("x", language)[0]
    lines = [
        line for piece in built.prompt.above for line in piece.text.splitlines() if line.startswith(lead)
    ]
    assert len(lines) >= 11, "all kinds of marks"
    return lines


@pytest.mark.parametrize("language", ["python", "julia", "javascript", "sql", "matlab", "markdown", "text"])
def test_nothing_that_the_prompt_says_in_comments_is_suggested(language: str) -> None:
    for line in written(language):
        assert shown("x = 1\n", line, language) == "", line
        assert shown("x = 1", f"\n{line}\ny = 2", language) == "", line
        assert shown("x = ", f"1  {line}\ny = 2", language) == "1", line


@pytest.mark.parametrize("prefix", CODE)
def test_nor_in_a_cell_of_another_language(prefix: str) -> None:
    for line in written("python"):
        assert shown(prefix, line) == "", line
        assert shown(f"{prefix}ls", f" -la\n\n{line}\nls") == " -la", line


@pytest.mark.parametrize(
    ("prefix", "language", "answer", "kept"),
    [
        ("%%sql\n", "python", "-- Out: DataFrame", ""),
        ("%%html\n", "python", "<!-- In the kernel: -->", ""),
        ("# In the ke", "python", "rnel:\n# x: int", ""),
        ("x = 1\n# ", "python", "raised ValueError", ""),
        ("", "python", "s = '# Out: 3'", "s = '# Out: 3'"),
        ("", "python", "x = a % failed", "x = a % failed"),
        ("", "python", "x = a // failed", "x = a // failed"),
        ("", "python", "# raised to the second power", "# raised to the second power"),
        ("", "python", "# not running yet", "# not running yet"),
        ("# Out: by hand", "python", " and more", " and more"),
    ],
)
def test_marks_are_comments_and_nothing_else_is(prefix: str, language: str, answer: str, kept: str) -> None:
    assert shown(prefix, answer, language) == kept


def test_nor_is_the_beginning_of_a_mark_where_the_answer_was_cut_off() -> None:
    assert shown("", "x = 1\n# In the ke", finish="length") == "x = 1"
    assert shown("", "x = 1\n# Ou", finish="timeout") == "x = 1"
    assert shown("", "x = 1\n# In the ke", finish="stop") == "x = 1\n# In the ke"


@pytest.mark.parametrize("prefix", CODE)
def test_a_fence_ends_a_suggestion(prefix: str) -> None:
    assert shown(prefix, "```python\nimport os\n```") == ""
    assert shown(prefix, "~~~\nimport os") == ""
    assert shown(f"{prefix}ls", " -la\n```\n\nThis lists.") == " -la"
    assert shown(f"{prefix}ls", " -la ```") == " -la"


@pytest.mark.parametrize(
    ("prefix", "language", "answer", "kept"),
    [
        ("Text.\n\n", "markdown", "```python\nx = 1\n```", ""),
        ("Text.\n\n```python\nx = 1", "markdown", "\n```\nMore.", "\n```\nMore."),
        ("Text.\n\n```python\nx = 1\n```\n", "markdown", "```", ""),
        ("raw\n", "text", "```\nx\n```", ""),
        ("%%markdown\nText.\n", "python", "```\nx\n```", ""),
        ('def f():\n    """Do it.\n\n', "python", "    ```\n    f()\n    ```", "    ```\n    f()\n    ```"),
        ("", "python", "fence = '```'", "fence = '```'"),
    ],
)
def test_but_one_that_belongs_there(prefix: str, language: str, answer: str, kept: str) -> None:
    assert shown(prefix, answer, language) == kept


@pytest.mark.parametrize("prefix", CODE)
@pytest.mark.parametrize(
    "prose",
    [
        "This script lists all files that are in the folder.",
        "The code above will print the names of the columns.",
        "Here is the completed code:",
        "Sure! Here's how you can do it:",
        "You can run it with the `make` command.",
        "Explanation:",
        "This code uses `ls -la` to list the files (and the folders) of the user.",
        "Note that the second line is optional.",
        "In this example, we load the data from a file.",
        "I'm sorry, but I can't help with that.",
        "<think>",
    ],
)
def test_words_to_the_reader_are_no_code(prefix: str, prose: str) -> None:
    assert shown(prefix, prose) == ""
    assert shown(f"{prefix}ls", f" -la\n\n{prose}\nls") == " -la"


@pytest.mark.parametrize(
    ("prefix", "language", "answer"),
    [
        ("%%html\n<p>\n", "python", "This page shows the names of all files that are here.\n</p>"),
        ("%%bash\n", "python", 'echo "This is the end of the script."'),
        ("%%bash\n", "python", "git commit -m 'Add the file that is missing'"),
        ("%%bash\n", "python", "# This installs the packages that are needed."),
        ("%%sql\n", "python", "SELECT a FROM the_table AS t WHERE t IS NULL AND a IS NOT NULL"),
        ("%%sql\n", "python", "Select the_name from users a where a is not null"),
        ("Some ", "markdown", "words that are the rest of a sentence."),
        ("", "markdown", "This notebook reads the data of the survey, and plots it."),
        ("", "markdown", "Note that the second line is optional."),
        ('"""', "python", 'This module is the one that reads the data.\n"""'),
        ("# ", "python", "This is the place where the data is read."),
        ("", "python", "# This is the place where the data is read."),
        ("x = ", "python", "y if y is a else z"),
        ("", "python", "for a in the_list: print(a)"),
        ("", "r", "summary(lm(y ~ x, data = df))"),
        ("", "python", 'assert "<|endoftext|>" in vocabulary'),
    ],
)
def test_sentences_stand_where_they_belong(prefix: str, language: str, answer: str) -> None:
    assert shown(prefix, answer, language) == answer


_MAY_BE_CODE = re.compile(r"[▁<>[\]A-Z]+")
"""In capitals: HTML, or a list."""
FILL_TOKENS = [
    token for family in FILL_FAMILIES for token in family.tokens if not _MAY_BE_CODE.fullmatch(token)
]


@pytest.mark.parametrize("token", ["<|endoftext|>", "<|file_sep|>", *FILL_TOKENS])
def test_a_token_of_the_model_ends_a_suggestion(token: str) -> None:
    assert shown("x = ", f"1{token}y = 2") == "1"


def test_no_line_of_the_notebooks_that_come_with_it_is_foreign() -> None:
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    assert paths
    for path in paths:
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] != "code":
                continue
            source = "".join(cell["source"])
            at = 0
            for line in source.splitlines(keepends=True):
                around = Surroundings(source[:at], source[at:], "python")
                assert foreign_at(source[:at], line.rstrip("\n"), around) == len(line.rstrip("\n")), line
                at += len(line)
