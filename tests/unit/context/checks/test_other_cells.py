"""What an answer copies from other cells, and what it only looks like copying."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.other_cells import Own, own_part

READ = 'import pandas as pd\n\nsales = pd.read_csv("sales.csv", parse_dates=["day"])\nsales["n"] = 1'
CLEAN = 'def clean(frame):\n    """Drop rows."""\n    return frame.dropna()'
SHOW = "tidy = clean(sales)\nprint(len(tidy))\ntidy.head()"
OTHERS = [READ, CLEAN, SHOW]
TARGET = 'by_day = tidy.groupby("dya")["n"].sum()\nby_day.plot()'
FIXED = 'by_day = tidy.groupby("day")["n"].sum()\nby_day.plot()'


def own(answer: str, error: str = "", target: str = TARGET) -> Own:
    return own_part(answer, target, OTHERS, python=True, error=error)


@pytest.mark.parametrize(
    "before",
    [
        READ,
        CLEAN,
        f"{READ}\n\n{CLEAN}\n\n{SHOW}",
        f"# Cell 1\n{READ}\n\n# Cell 2\n{CLEAN}",
        'sales = pd.read_csv("sales.csv", parse_dates=["day"])',
        "def clean(frame):\n\n    return frame.dropna()  # without the docstring, laid out anew",
        "sales = pd.read_csv('sales.csv', parse_dates=['day'], sep=',')",
        f"import matplotlib.pyplot\n{CLEAN}",
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_copies_at_the_ends_are_left_out(before: str, behind: bool) -> None:
    answer = f"{FIXED}\n\n{before}" if behind else f"{before}\n\n{FIXED}"
    code, left_out, mixed = own(answer)
    assert FIXED in code
    assert left_out > 0
    assert mixed == ""
    assert not [part for part in ("def clean", "read_csv", "tidy.head") if part in code]


def test_what_is_new_among_copies_stays() -> None:
    code, _, _ = own(f"import matplotlib.pyplot\n{CLEAN}\n\n{FIXED}")
    assert code == f"import matplotlib.pyplot\n\n{FIXED}" or code == f"import matplotlib.pyplot\n{FIXED}"


def test_nothing_but_copies_leaves_nothing() -> None:
    assert own(f"{READ}\n\n{CLEAN}").code == ""


@pytest.mark.parametrize(
    "answer",
    [
        FIXED,
        f"import pandas as pd\n{FIXED}",
        f"import pandas as pd\nimport numpy as np\n\n{FIXED}",
        f"{FIXED}\ntidy.head()",
        f"{FIXED}\nprint(len(tidy))",
        f"tidy = tidy.dropna()\n{FIXED}",
        FIXED.replace("by_day", "daily"),
        f"def draw(frame):\n    frame.plot()\n\n\n{FIXED}",
        "by_day = clean(sales).groupby('day')['n'].sum()\nby_day.plot()",
        "",
        "no python at all",
    ],
)
def test_small_changes_imports_and_new_names_are_no_copies(answer: str) -> None:
    assert own(answer) == (answer, 0, "")


def test_code_of_the_cell_itself_is_its_own_wherever_else_it_stands() -> None:
    assert own(CLEAN, target=CLEAN) == (CLEAN, 0, "")


def test_what_the_error_misses_may_be_defined() -> None:
    answer = f"{CLEAN}\n\n{FIXED}"
    assert own(answer, error="NameError: name 'clean' is not defined") == (answer, 0, "")
    answer = f"{READ}\n{FIXED}"
    assert "import pandas" in own(answer, error="NameError: name 'pd' is not defined")[0]


def test_a_function_of_another_cell_that_was_changed_is_named() -> None:
    answer = f"def clean(frame):\n    return frame.fillna(0)\n\n\n{FIXED}"
    assert own(answer)[2] == "the function `clean`"


def test_a_copy_in_the_middle_is_named() -> None:
    first, second = FIXED.split("\n")
    assert own(f"{first}\n{CLEAN}\n{second}")[2] == "the function `clean`"


def test_a_copy_by_the_target_itself_that_calls_a_magic() -> None:
    code, left_out, _ = own(f"%time\n{CLEAN}\n\n{FIXED}")
    assert left_out > 0
    assert code.endswith(FIXED)


def test_lines_of_another_language_are_compared_as_lines() -> None:
    other = (
        "set -o errexit -o nounset\ncurl --silent https://example.org/data.csv\nwc --lines data.csv | sort"
    )
    code, left_out, _ = own_part(f"{other}\nsort --reverse", "sort -r", [other], python=False)
    assert (code, left_out) == ("sort --reverse", 3)
    assert own_part("sort --reverse", "sort -r", [other], python=False) == ("sort --reverse", 0, "")


def test_long_texts_are_left_alone() -> None:
    answer = "x = 1\n" * 100_000
    assert own_part(answer, "y", [answer], python=True) == (answer, 0, "")
