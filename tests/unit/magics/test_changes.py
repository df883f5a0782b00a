"""What of an answer may be written: `change_of`, which cells and files go by."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.context.target import target_of
from jupyter_localcoder.contract.generation import Change, GenerateRequest
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell
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


ORDERS = KernelVariable(
    name="orders",
    type="DataFrame",
    shape=(6, 2),
    columns=(Column(name="Unit Price (EUR)", dtype="float64"), Column(name="qty", dtype="int64")),
)
TESTED = "def area(r):\n    return 3 * r * r"


class TestCertainFaults:
    """What is certainly wrong is not offered, whoever asks."""

    def test_names_that_cells_below_use_are_kept(self) -> None:
        below = (NotebookCell(kind="markdown", source="total"), NotebookCell(source="print(total)"))
        made = change("total=1", fenced("amount = 1"), below=below)
        assert made.problem == "The answer no longer defines `total`, which a cell below uses."
        assert change("total=1", fenced("total = 1"), below=below).problem == ""

    @pytest.mark.parametrize("command", ["fix", "generate", "improve", "test"])
    def test_columns_exist(self, command: str) -> None:
        fields: dict[str, Any] = {"command": command, "instruction": "x", "variables": (ORDERS,)}
        made = change("total = 1", fenced("total = orders['price'].sum()\nassert total"), **fields)
        assert "the column `price`" in made.problem
        assert (
            change("total = 1", fenced("total = orders['qty'].sum()\nassert total"), **fields).problem == ""
        )

    def test_a_column_that_is_to_be_fixed_is_not_known_by_the_code(self) -> None:
        code, fields = "t = orders['price']", {"variables": (ORDERS,)}
        assert "`price`" in change(code, fenced("t = orders['price'] * 1"), command="fix", **fields).problem
        assert change(code, fenced("t = orders['price'] * 1"), **fields).problem == ""
        made = change("", fenced("t = orders['a']"), command="generate", instruction="add 'a'", **fields)
        assert made.problem == ""

    def test_a_new_column_or_another_frame_is_no_fault(self) -> None:
        for code in ("orders['x'] = 1\nt = orders['x']", "orders = load()\nt = orders['x']", "t = a['x']"):
            made = change("t = 1", fenced(code), command="fix", variables=(ORDERS,))
            assert made.problem == ""

    def test_columns_of_odd_names(self) -> None:
        names = ("x'] + f(\"", "', 'b", "a\nb", "", " ")
        odd = KernelVariable(
            name="df", type="DataFrame", shape=(1, 5), columns=tuple(Column(name=n, dtype="x") for n in names)
        )
        assert "`y`" in change("t = 1", fenced("t = df['y']"), command="fix", variables=(odd,)).problem
        # Not all columns are known: some are numbers, or tuples.
        part = KernelVariable(name="df", type="DataFrame", shape=(1, 6), columns=odd.columns)
        assert change("t = 1", fenced("t = df['y']"), command="fix", variables=(part,)).problem == ""

    @pytest.mark.parametrize("command", ["improve", "fix", "generate", "test"])
    def test_loops_are_not_offered(self, command: str) -> None:
        answer = fenced("def test_a():\n" + "    assert f(1) == 2\n" * 37)
        made = change("x = 1", answer, command=command, instruction="x")
        assert made.problem == "The answer repeats the same lines."

    def test_the_code_that_fails_is_no_fix(self) -> None:
        assert "same code" in change("x = 1/0", fenced("x = 1/0 \n"), command="fix", error="Zero").problem
        assert change("x = 1/0", fenced("x = 1/0"), command="fix").problem == ""
        assert change("x = 1", fenced("x = 1")).problem == ""

    def test_json_is_no_code(self) -> None:
        answer = '{"code": "x = 2", "why": "faster"}'
        assert change("x = 1", answer).problem == "The answer is JSON, not code."
        assert change("", fenced(answer), command="generate", instruction="x").problem
        assert change('{"code": 1}', '{"code": 2}').problem == ""
        made = change("", fenced(answer, "json"), command="generate", instruction="a package.JSON")
        assert made.problem == ""
        assert change("a", fenced('{"a": 1, "b": 2}')).problem == ""

    @pytest.mark.parametrize("command", ["generate", "test"])
    def test_new_code_parses(self, command: str) -> None:
        for answer in ("I cannot do that.", fenced("def test_a(:"), "```python\ndef test_a(\n"):
            made = change("x = 1", answer, command=command, instruction="x")
            assert made.problem == "The answer is not valid Python."

    def test_new_code_of_another_language_gets_its_magic(self) -> None:
        made = change("", fenced("for f in *; do echo $f; done", "bash"), command="generate", instruction="x")
        assert made == Change(code="%%bash\nfor f in *; do echo $f; done")
        made = change("", "```sql\nselect 1\n```", command="generate", instruction="x", language="sql")
        assert made.code == "select 1"


class TestTestsOfCode:
    """Tests are for the code of the notebook, not for a copy of it."""

    def test_a_copy_of_the_code_is_left_out(self) -> None:
        tests = "def test_area():\n    assert area(1) == 3"
        for above in (TESTED, "from your_module import area", "import pytest\n" + TESTED):
            made = change(TESTED, fenced(f"{above}\n\n{tests}"), command="test")
            assert made.problem == ""
            assert "def area" not in made.code
            assert "your_module" not in made.code
            assert made.code.endswith(tests)
            assert made.notes

    def test_the_code_alone_is_no_test(self) -> None:
        assert change(TESTED, fenced(TESTED), command="test").problem == "There are no tests in the answer."

    def test_an_altered_copy_is_refused(self) -> None:
        other = TESTED.replace("3", "4") + "\n\ndef test_area():\n    assert area(1) == 4"
        assert "changes the function `area`" in change(TESTED, fenced(other), command="test").problem


def test_the_second_answer_that_is_wrong_is_an_honest_end() -> None:
    request = GenerateRequest(command="improve", code="x = 1")
    made = change_of(request, target_of(request), fenced("x = ("), again=True)
    assert (
        made.problem == "No safe change was found. The answer is not valid Python, but the original code was."
    )
    assert made.recovery
    request = GenerateRequest(command="generate", instruction="x")
    assert change_of(request, target_of(request), "no way", again=True).problem.startswith(
        "No usable code was found."
    )
