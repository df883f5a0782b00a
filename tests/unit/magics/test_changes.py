"""What of an answer may be written: `change_of`, which cells and files go by."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.context.target import target_of
from jupyter_localcoder.contract.generation import Change, GenerateRequest
from jupyter_localcoder.contract.notebook import NotebookCell
from jupyter_localcoder.text.answers import change_of

OTHER = "def load(path):\n    return open(path).read()"


def change(code: str, answer: str, finish: Any = "stop", **fields: Any) -> Change:
    request = GenerateRequest(**{"command": "improve", "code": code, **fields})
    return change_of(request, target_of(request), answer, finish)


def fenced(code: str, info: str = "python") -> str:
    return f"Here:\n```{info}\n{code}\n```\n"


@pytest.mark.parametrize("command", ["improve", "fix", "document"])
def test_code_takes_the_place_of_code(command: str) -> None:
    assert change("x=1", fenced("x = 1"), command=command) == Change(code="x = 1")


@pytest.mark.parametrize("answer", ["", " \n\t\n", "```python\n```", "```python\n \n```", "\x1b[31m\x1b[0m"])
@pytest.mark.parametrize("command", ["improve", "generate", "test"])
def test_nothing_is_not_written(command: str, answer: str) -> None:
    made = change("x = 1", answer, command=command, instruction="x")
    assert made.problem == "There is no code in the answer."
    assert made.recovery


@pytest.mark.parametrize("finish", ["length", "timeout", "canceled", "filter"])
def test_what_is_not_complete_is_not_written(finish: str) -> None:
    assert change("x = 1", fenced("x = 2"), finish=finish).problem == "The answer is not complete."


@pytest.mark.parametrize("info", ["bash", "", "sh", "shell"])
def test_a_shell_cell_stays_one(info: str) -> None:
    made = change("%%bash --out files\nls", fenced("ls -l", info))
    assert made == Change(code="%%bash --out files\nls -l")


@pytest.mark.parametrize(
    "answer",
    [
        fenced("import os\nprint(os.listdir())"),
        fenced("import os\nos.listdir()", ""),
        "import os\nos.listdir()",
    ],
)
@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%sql", "%%writefile a.js"])
def test_another_language_is_never_turned_into_python(magic: str, answer: str) -> None:
    made = change(f"{magic}\n<select> x", answer)
    assert made.problem.startswith("The answer is not in the language of the code, which is ")


def test_python_is_not_turned_into_another_language() -> None:
    assert change("import os\nos.listdir()", fenced("ls", "bash")).problem


def test_valid_python_stays_valid() -> None:
    assert "not valid Python" in change("x = 1", fenced("x = (1")).problem
    assert change("x = (1", fenced("x = ((1")).problem == ""
    assert change("await f()", fenced("await g()")).problem == ""
    assert change("%%time\n!ls\nx = 1", fenced("x = 2")).problem == ""


def test_an_indented_piece_keeps_its_margin() -> None:
    assert change("    x = 1\n    y = 2\n", fenced("x = 2\ny = 2")).code == "    x = 2\n    y = 2\n"


def test_a_magic_that_got_lost_is_named() -> None:
    made = change("a = 1\n%time f()\nb = 2", fenced("c = 3"))
    assert "`%time f()`" in made.problem


def test_copies_of_other_cells_are_left_out_and_said() -> None:
    made = change("x=load('a')", fenced(f"{OTHER}\n\nx = load('a')"), context=(NotebookCell(source=OTHER),))
    assert made == Change(code="x = load('a')", notes=("2 lines were copied from other cells and left out.",))


def test_an_answer_of_copies_alone_is_not_written() -> None:
    made = change("x=load('a')", fenced(OTHER), context=(NotebookCell(source=OTHER),))
    assert made.problem == "The answer contains only code of other cells."


def test_new_code_is_without_copies_too() -> None:
    made = change(
        "", fenced(f"{OTHER}\n\nprint(load('b'))"), command="generate", instruction="print b",
        context=(NotebookCell(source=OTHER),),
    )  # fmt: skip
    assert made.code == "print(load('b'))"


def test_of_several_blocks_the_one_like_the_code_is_taken() -> None:
    answer = fenced("import a_very_long_module\n" * 5) + fenced("y = f(x)\nprint(y)")
    assert change("y=f(x)\nprint(y)", answer).code == "y = f(x)\nprint(y)"


def test_controls_of_a_terminal_are_not_written() -> None:
    assert change("x = 1", fenced("x = '\u202e\x1b[31m2'")).code == "x = '2'"


def test_tests_of_another_language_run_in_a_cell_of_their_own() -> None:
    made = change("%%bash\nls", fenced("test -e a", "bash"), command="test")
    assert made == Change(code="%%bash\ntest -e a")
    made = change("ls", fenced("test -e a", "bash"), command="test", cell_magic="%%bash")
    assert made == Change(code="%%bash\ntest -e a")
    # Never below a magic that writes a file.
    made = change("%%writefile a.py\nx = 1", fenced("assert x"), command="test")
    assert made == Change(code="assert x")
    assert change("ls", fenced("test -e a", "bash"), command="test", language="bash").code == "test -e a"
