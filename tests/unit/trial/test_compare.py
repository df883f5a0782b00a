"""What is said of two versions of a cell, each run in real processes."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from jupyter_localcoder.trial.report import TrialLimits
from jupyter_localcoder.trial.trial import Notebook, attempt, compare
from jupyter_localcoder.trial.verdict import Verdict

Make = Callable[..., Notebook]


def names_in(folder: Path | None) -> list[str]:
    assert folder is not None
    return sorted(path.name for path in folder.iterdir())


def judged(notebook: Notebook, old: str, new: str) -> tuple[str, str]:
    found = compare(old, new, notebook)
    # What the machine measures is no part of these tests.
    return found.kind, found.sentence.partition(",")[0].rstrip(".")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("t = 0\nfor i in range(9):\n    t += i", "t = sum(range(9))"),
        ("x = 0.1 + 0.2", "x = 0.3"),
        ("y = double(4)", "y = 4 * 2"),
        ("rate = 5\ny = scaled(2)", "rate = 5\ny = 2 * rate"),
        ("points.append(4)", "points += [4]"),
        ("def f(a):\n    return a + 1", "def f(a: int) -> int:\n    '''Add one.'''\n    return a + 1"),
        ("class A:\n    def f(self): return 1", "class A:\n    '''A.'''\n    def f(self): return 1"),
        ("import time, uuid\nt = time.time(), uuid.uuid4()\nz = 1", "import uuid\nt = uuid.uuid4()\nz = 1"),
        ("z = 1;", "z = 1"),
        ("import asyncio\nawait asyncio.sleep(0)\nz = 1", "z = 1"),
        ("import random\nr = random.random()", "from random import random\nr = random()"),
        ("!echo hello", "print('hello')"),
        ("f = open('data.csv').read()", "from pathlib import Path\nf = Path('data.csv').read_text()"),
        ("open('out.txt', 'w').write('x')\nz = 1", "z = 1"),
        ("p = Point(1)\np.x = 2", "p = Point(2)"),
    ],
)
def test_the_same_result(notebook: Make, old: str, new: str) -> None:
    made = notebook(
        "rate = 3\npoints = [1]\ndef double(x): return 2 * x\ndef scaled(x): return x * rate\n"
        "class Point:\n    def __init__(self, x): self.x = x\n"
    )
    kind, sentence = judged(made, old, new)
    assert (kind, sentence.partition(";")[0]) == ("same", "Same result")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("df['c'] = df.a * 2", "df['c'] = df.a * 2 + (df.a > 6)", "Differs in `df`: 3 rows"),
        ("out = df[df.a > 3]", "out = df[df.a >= 3]", "Differs in `out`: 7 instead of 6 rows"),
        ("x = [1, 2]", "x = (1, 2)", "Differs in `x`: tuple instead of list"),
        ("x = {'a': 1}", "x = {'a': 2}", "Differs in `x`: 2 instead of 1 at 'a'"),
        ("x = 1\ny = 2", "x = 1", "Differs in `y`: no longer defined"),
        ("print('a\\nb')", "print('a\\nc')", "Differs in the output: 1 line"),
        ("df.a.sum()", "df.a.mean()", "Differs in the value of the last line: float instead of int"),
        ("points.append(1)", "points.append(2)", "Differs in `points`: 1 element"),
    ],
)
def test_what_differs_is_named(notebook: Make, old: str, new: str, said: str) -> None:
    made = notebook("import pandas as pd\ndf = pd.DataFrame({'a': range(10)})\npoints = []")
    assert judged(made, old, new) == ("differs", said)


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        ("x = int('a')", "x = 1", "fixed",
         "The old code fails with ValueError: invalid literal for int() with base 10: 'a' (line 1); the new "
         "code runs."),
        ("x = 1", "x = 1\nx['k']", "broken",
         "The old code runs; the new code fails with TypeError: 'int' object is not subscriptable (line 2)."),
        ("1 / 0", "1 / 0", "fails",
         "Old and new code: each fails with ZeroDivisionError: division by zero (line 1)."),
        ("import os\nos._exit(3)", "x = 1", "fixed",
         "The old code ends its process (exit status 3); the new code runs."),
        ("def f(): return 1", "def f(): return 2", "runs",
         "Both run; not compared, because only calling it would show what it does: `f`."),
        ("# the first", "first = points[0]", "runs", "The new code runs, and defines `first`."),
        ("x = lock", "x = 1", "unchecked", "Cannot be checked: `lock` (lock) cannot be copied."),
        ("%%bash\nls", "ls", "unchecked",
         "Cannot be checked: the cell is bash, and only Python can be tried in a copy."),
    ],
)  # fmt: skip
def test_what_does_not_run(notebook: Make, old: str, new: str, kind: str, said: str) -> None:
    found = compare(old, new, notebook("import threading\nlock = threading.Lock()\npoints = [1]"))
    assert (found.kind, found.sentence) == (kind, said)


def test_a_cell_that_is_no_python(notebook: Make) -> None:
    found = compare("x = (1", "x = 1", notebook())
    assert found.kind == "fixed"
    # Each version of Python has its own words.
    assert found.sentence.startswith("The old code fails with SyntaxError: ")


def test_an_input_that_is_too_large_is_named(notebook: Make) -> None:
    made = notebook("import numpy\nlarge = numpy.zeros(1_000_000)\nsmall = 1")
    limits = TrialLimits(copied_bytes=1_000_000)
    found = compare("x = large.sum()", "x = 0.0", made, limits=limits)
    assert found.sentence == "Cannot be checked: `large` is too large to copy (the limit is 1 MB)."
    # It is no obstacle to code that binds it first.
    assert compare("large = small", "large = 1", made, limits=limits).kind == "same"


def test_two_names_of_one_object_stay_that(notebook: Make) -> None:
    made = notebook("a = [1]\nb = a")
    assert compare("a.append(2)\nx = len(b)", "b.append(2)\nx = 2", made).kind == "same"


def test_the_notebook_is_only_read(notebook: Make) -> None:
    made = notebook("import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nxs = [1]\ndef f(): return xs")
    before = {name: copy.copy(made.namespace[name]) for name in ("df", "xs")}
    names = list(made.namespace)
    files = names_in(made.folder)
    compare("df['b'] = 2\nxs.append(1)\nf().append(2)\nnew = 1\ndel xs", "df.drop(0, inplace=True)", made)
    assert list(made.namespace) == names
    assert made.namespace["df"].equals(before["df"])
    assert made.namespace["xs"] == before["xs"]
    assert names_in(made.folder) == files


def test_one_version_alone(notebook: Make) -> None:
    made = notebook("x = 2")
    assert attempt("y = x", made).sentence.startswith("Ran in a copy in ")
    failed = attempt("y = 1\nz = x / 0", made)
    assert failed.kind == "fails"
    assert failed.new is not None
    assert failed.new.failure is not None
    # The model is shown the frames of the cell, and nothing of the copy.
    assert "Cell In[1], line 2" in failed.new.failure.traceback
    assert "jupyter_localcoder" not in failed.new.failure.traceback
    assert "IPython" not in failed.new.failure.traceback


def test_a_verdict_can_be_sent(notebook: Make) -> None:
    found = compare("x = 1", "x = 2", notebook())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Verdict) == found


def test_nothing_is_left_in_the_folder_for_temporary_files(
    notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    code = "import os, pathlib\np = pathlib.Path('a/b')\np.mkdir(parents=True)\nos.chmod('a', 0)"
    attempt(code, notebook())
    assert names_in(temporary) == []


def test_what_a_killed_kernel_has_left_is_deleted_a_day_later(
    notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    for name in ("localcoder-trial-old", "localcoder-trial-new", "other"):
        (temporary / name / "work").mkdir(parents=True)
        if name != "localcoder-trial-new":
            os.utime(temporary / name, (0, 0))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    attempt("x = 1", notebook())
    assert names_in(temporary) == ["localcoder-trial-new", "other"]
