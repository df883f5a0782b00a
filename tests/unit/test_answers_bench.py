"""The bench of answers: its tasks can be solved, its judges are fair."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from jupyter_localcoder.errors import InvalidArgument
from tests.benchmarks.answers import bench, faults, sandbox
from tests.benchmarks.answers.human_eval import Task
from tests.benchmarks.answers.kernels import TaskKernel
from tests.benchmarks.answers.notebook_tasks import TASKS
from tests.benchmarks.answers.sides import Answer, Asked, changed, nearest, pasted

TASK = Task(
    name="HumanEval/x",
    prompt='from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """The sum."""\n',
    function="total",
    solution="",
    test="def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0",
)
SOLUTIONS = {
    "revenue column": "orders['revenue'] = orders['Unit Price (EUR)'] * orders['qty']",
    "group by customer": "per_customer = orders.groupby('cust_ID')['qty'].sum()",
    "per month": "per_month = orders['ordered_on'].dt.month.value_counts().to_dict()",
    "missing region": "orders['Ship Region'] = orders['Ship Region'].fillna('unknown')",
    "join customers": "joined = orders.merge(customers, left_on='cust_ID', right_on='ID')",
    "no orders": "silent = customers.loc[~customers['ID'].isin(orders['cust_ID']), 'Full Name'].tolist()",
    "most expensive": "top_order = orders.loc[orders['Unit Price (EUR)'].idxmax(), 'Order No.']",
    "mean temperature": "mean_open = readings.loc[readings['valve'] == 'o', 'T_in °C'].mean()",
    "fill gaps": "readings['T_in °C'] = readings['T_in °C'].interpolate()",
    "difference": "readings['delta'] = readings['T_in °C'] - readings['T_out °C']",
    "best year": "best_year = grades.mean().idxmin()",
    "improvement": "grades['change'] = grades[2023] - grades[2021]",
    "parse log": "from collections import Counter\n"
    "errors = Counter(l.split('disk=')[1].split()[0] for l in lines if 'ERROR' in l)",
    "log frame": "rows = [l.split() for l in lines]\nlog = pd.DataFrame([{'time': f'{d} {t}', 'level': v, "
    "'disk': k[5:], 'code': int(c[5:])} for d, t, v, k, c in rows])",
    "use the helper": "scaled = normalised(samples, low=-1)",
    "fix wrong column": "total = (orders['Unit Price (EUR)'] * orders['qty']).sum()",
    "fix merge keys": "named = orders.merge(customers, left_on='cust_ID', right_on='ID')\n"
    "names = named['Full Name'].tolist()",
    "fix integer columns": "last = grades[2023]\nbest = last.idxmin()",
    "fix month of a series": "by_month = orders.groupby(orders['ordered_on'].dt.month)['qty'].sum()",
    "fix removed method": "extra = pd.DataFrame({'Order No.': [107], 'cust_ID': ['d4']})\n"
    "everything = pd.concat([orders, extra], ignore_index=True)",
    "fix a string number": "total = sum(float(price) for price in prices.values())",
    "improve a loop over rows": "orders['value'] = orders['Unit Price (EUR)'] * orders['qty']\n"
    "values = orders['value'].tolist()\nmean_value = orders['value'].mean()",
    "improve a filter": "warm = readings.loc[readings['T_out °C'] >= 13, 't [s]'].tolist()\n"
    "n_warm = len(warm)",
    "improve a counting loop": "from collections import Counter\ncounts = Counter(words)\n"
    "best = counts.most_common(1)[0][0]",
}


@pytest.fixture(scope="module")
def kernel() -> Iterator[TaskKernel]:
    with TaskKernel() as started:
        yield started


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_can_be_solved_and_is_not_solved_already(task: object, kernel: TaskKernel) -> None:
    task = next(one for one in TASKS if one is task)
    kernel.begin((task.setup, *task.above))
    solution = SOLUTIONS.get(task.name) or task.code.replace("\n    day", '\n    """A row."""\n    day')
    assert kernel.passes((solution, *task.below, task.check))
    kernel.begin((task.setup, *task.above))
    assert not kernel.passes(("pass", *task.below, task.check))
    if task.command == "fix":
        assert kernel.error(task.code)


def test_what_does_not_end_is_wrong_and_the_kernel_goes_on(
    kernel: TaskKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.answers.kernels._SECONDS", 0.5)
    kernel.begin(())
    assert not kernel.passes(("while True: pass", "x = 1"))
    monkeypatch.undo()
    kernel.begin(("x = 1",))
    assert kernel.passes(("assert x == 1",))


@pytest.mark.parametrize(
    ("code", "passed"),
    [
        ("def total(xs):\n    return sum(xs)", 1),
        ("    return sum(xs)", 1),
        ("def total(xs: List[int]):\n    return sum(xs)", 1),
        ("def total(xs):\n    return 3", 0),
        ("def total(xs):\n    while True: pass", 0),
        ("def total(xs):\n    return sum(xs) + len(' ' * 10**11) * 0", 0),
        ("no code (", 0),
    ],
)
def test_a_function_is_judged_by_its_tests(code: str, passed: int) -> None:
    assert sandbox.run(TASK.program(code), seconds=1).passed == passed


def test_the_error_names_the_assertion() -> None:
    assert "assert candidate([1, 2]) == 3" in sandbox.run(TASK.program("    return 5")).error


def test_tests_are_run_as_pytest_runs_them() -> None:
    parametrized = "import pytest\n@pytest.mark.parametrize('x', [1, 2])\ndef test_x(x):\n    assert x"
    assert sandbox.run(parametrized, pytest=True).passed
    assert not sandbox.run(parametrized.replace("1, 2", "1, 0"), pytest=True).passed
    assert not sandbox.run("x = 1", pytest=True).passed


def test_faults_are_single_and_valid_and_leave_words_alone() -> None:
    code = 'def f(a, b):\n    """Add 1."""\n    if a < b and a > 0:\n        return a + 1\n    return True'
    found = list(faults.faulty(code))
    assert len(found) == len(set(found)) >= 6
    plain = ast.unparse(ast.parse(code))
    for one in found:
        ast.parse(one)
        assert '"""Add 1."""' in one
        pairs = zip(plain.splitlines(), one.splitlines(), strict=True)
        assert sum(a != b for a, b in pairs) == 1


DOCUMENTED = '''\
import re


def one(x):
    """ What it does.
    >>> one(1)
    1
    """
    # why
    return 'text', x


class Two:
    'Its words.'
    def empty(self):
        """Nothing."""
'''
UNDOCUMENTED = '''\
import re


def one(x):
    # why
    return 'text', x


class Two:
    def empty(self):
        """Nothing."""
'''


def test_docstrings_are_taken_out_and_all_else_stays() -> None:
    assert faults.undocumented(DOCUMENTED) == UNDOCUMENTED


def test_both_sides_read_the_same_cells() -> None:
    above = ("a" * 6000, "b" * 2000, "c" * 1000)
    assert [cell.source[0] for cell in nearest(above)] == ["b", "c"]
    text = pasted(Asked("fix", code="x", error="NameError", above=above))
    assert "a" * 6000 not in text
    assert "b" * 2000 in text
    assert "NameError" in text


def test_the_table_counts_what_is_offered_and_what_of_it_is_right() -> None:
    def answer(code: str) -> Answer:
        return Answer(code=code, text="", tokens=10, seconds=1.0)

    ours = bench.Tally([answer("x"), answer(""), answer("y"), answer("z")], [1.0, 0.0, 1.0, 0.0])
    theirs = bench.Tally([answer("x")] * 4, [1.0, 0.0, 0.0, 0.0])
    assert bench.row("fix", ours, theirs) == (
        "| fix | 4 | 75 % / 100 % | 67 % / 25 % | 50 % / 25 % | 10 / 10 | 1.0 / 1.0 |"
    )
    assert bench.HEAD.splitlines()[0].count("|") == bench.row("fix", ours, theirs).count("|")


def test_the_same_code_again_is_no_change() -> None:
    assert changed(Asked("fix", code="x = 1\n"), "x = 1") == ""
    assert changed(Asked("test", code="x = 1"), "x = 1") == "x = 1"


def test_a_suite_that_does_not_exist_is_named() -> None:
    from pathlib import Path
    from typing import Any, cast

    from tests.benchmarks.setting import Setting

    with pytest.raises(InvalidArgument, match="nothing"):
        list(bench.run(Setting(cast("Any", None), traces=Path(), suites=("nothing",))))
