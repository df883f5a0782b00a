"""What `improve`, `fix` and `document` would write into a cell: is it the cell's own code, and all of it?

Twelve cells, asked greedily as JupyterLab asks: four with magics, four that fail below three others, and four
that are plain. What is counted is what a person could accept; a change that is withheld writes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import Command, Done, GenerateRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.notebook import NotebookCell
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD
from jupyter_localcoder.text.answers import code_of

from .figure import Figure, Target
from .server import Server
from .setting import Setting

_ANSWER = 300


@dataclass(frozen=True)
class Case:
    """A cell, what is above it, and what is asked."""

    command: Command
    code: str
    above: tuple[str, ...] = ()
    error: str = ""
    magics: tuple[str, ...] = ()
    """Lines that must be there afterwards, in this order."""
    is_python: bool = True


_READ = """import pandas as pd

sales = pd.read_csv("sales.csv", parse_dates=["day"])
sales["revenue"] = sales["price"] * sales["count"]"""
_CLEAN = '''def without_outliers(frame, column, most=3.0):
    """Drop the rows that are more than so many deviations away from the mean."""
    middle = frame[column].mean()
    deviation = frame[column].std()
    near = (frame[column] - middle).abs() <= most * deviation
    return frame[near]'''
_APPLY = """tidy = without_outliers(sales, "revenue")
print(len(sales) - len(tidy), "rows dropped")
tidy.describe()"""
_ABOVE = (_READ, _CLEAN, _APPLY)

CASES = (
    # With magics
    Case(
        "improve",
        "%%bash\nfor f in $(ls *.csv)\ndo\n  echo $f\n  cat $f | wc -l\ndone",
        (_READ,),
        magics=("%%bash",),
        is_python=False,
    ),
    Case(
        "improve",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nxs = []\nfor i in range(10):\n"
        "    xs.append(i * i)\nplt.plot(xs)\nplt.show()",
        magics=("%matplotlib inline",),
    ),
    Case(
        "document",
        "!pip install --quiet rich\nfrom rich.table import Table\n\ndef table_of(rows):\n"
        "    table = Table(*rows[0])\n    for row in rows:\n        table.add_row(*row.values())\n"
        "    return table\n\n%timeit table_of([{'a': '1'}])\nTable?",
        magics=("!pip install --quiet rich", "%timeit table_of([{'a': '1'}])", "Table?"),
    ),
    Case(
        "improve",
        "%%time\ntotal = 0\nfor row in range(len(sales)):\n    total = total + sales['revenue'][row]\n"
        "print(total)",
        (_READ,),
        magics=("%%time",),
    ),
    # The last of four cells fails
    Case(
        "fix",
        "by_month = tidy.groupby(tidy.day.month)['revenue'].sum()\nby_month.plot(kind='bar')",
        _ABOVE,
        error="Cell In[4], line 1\n----> 1 by_month = tidy.groupby(tidy.day.month)['revenue'].sum()\n"
        "AttributeError: 'Series' object has no attribute 'month'",
    ),
    Case(
        "fix",
        "top = tidy.groupby('product')['revenue'].sum().sort(ascending=False)\nprint(top.head(5))",
        _ABOVE,
        error="Cell In[4], line 1\nAttributeError: 'Series' object has no attribute 'sort'",
    ),
    Case(
        "fix",
        "fig, ax = plt.subplots()\nax.hist(tidy['revenue'], bins=20)\nax.set_xlabel('revenue')",
        _ABOVE,
        error="Cell In[4], line 1\n----> 1 fig, ax = plt.subplots()\nNameError: name 'plt' is not defined",
    ),
    Case(
        "fix",
        "share = tidy['revenue'] / tidy['revenue'].sum\nprint(share.max())",
        _ABOVE,
        error="Cell In[4], line 1\nTypeError: unsupported operand type(s) for /: 'float' and 'method'",
    ),
    # Plain
    Case(
        "improve",
        "result = []\nfor w in words:\n    if len(w) > 3:\n        if w not in result:\n"
        "            result.append(w.lower())\nprint(result)",
        ("words = open('text.txt').read().split()",),
    ),
    Case(
        "document",
        "def moving_average(values, width):\n    total = sum(values[:width])\n"
        "    averages = [total / width]\n    for i in range(width, len(values)):\n"
        "        total += values[i] - values[i - width]\n"
        "        averages.append(total / width)\n    return averages",
        _ABOVE,
    ),
    Case(
        "improve",
        "def read(path):\n    f = open(path)\n    lines = f.readlines()\n    f.close()\n    out = {}\n"
        "    for i in range(len(lines)):\n        key = lines[i].split('=')[0]\n"
        "        value = lines[i].split('=')[1]\n        out[key] = value\n    return out",
        _ABOVE,
    ),
    Case(
        "document",
        "class Queue:\n    def __init__(self):\n        self.items = []\n\n    def put(self, item):\n"
        "        self.items.append(item)\n\n    def get(self):\n        return self.items.pop(0)",
        (_CLEAN,),
    ),
)


def run(setting: Setting) -> Iterator[Figure]:
    """Ask for all of them, and count."""
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        written = [(case, _written(client, case)) for case in CASES]
    offered = [(case, code) for case, code in written if code is not None]
    magics = [float(_keeps(case, code)) for case, code in written if case.magics]
    foreign = [float(_foreign(case, code)) for case, code in offered if case.above]
    parsed = [float(_parses(code)) for case, code in offered if case.is_python]
    changed = [float(code is not None and code.strip() != case.code.strip()) for case, code in written]
    yield _share("cells with magics that keep them all", magics, Target(1.0, at_least=True))
    yield Figure(
        bench="edits",
        name="lines of other cells in a change that is offered",
        unit="lines",
        ours=foreign,
        of="worst",
        target=Target(0.0),
        note=f"{sum(count > 0 for count in foreign)} of {len(foreign)} changes, {sum(foreign):.0f} lines",
    )
    yield _share("changes offered that parse", parsed, Target(1.0, at_least=True))
    yield _share("cells for which a change is offered", changed)


def _share(name: str, samples: list[float], target: Target | None = None) -> Figure:
    return Figure(
        bench="edits",
        name=name,
        unit="share",
        ours=samples,
        of="mean",
        target=target,
        note=f"{sum(samples):.0f} of {len(samples)}",
    )


def _written(client: Client, case: Case) -> str | None:
    """What the cell becomes; None where nothing is offered."""
    request = GenerateRequest(
        command=case.command,
        code=case.code,
        context=tuple(NotebookCell(source=source) for source in case.above),
        error=case.error,
        max_tokens=_ANSWER,
        sampling=SamplingOptions(temperature=0.0, seed=1),
        private=True,
    )
    with client.stream(GENERATE, request) as frames:
        done = next(frame for frame in frames if isinstance(frame, Done))
    change = getattr(done, "change", None)
    if done.finish != "stop":
        return None
    if change is None:
        return code_of(done.text) or None
    return None if change.problem else change.code


def _keeps(case: Case, code: str | None) -> bool:
    """Whether all magics are there in their order; where nothing is written they are."""
    if code is None:
        return True
    found = [line.strip() for line in code.strip().splitlines() if line.strip() in case.magics]
    first = case.magics[0]
    at_top = not first.startswith("%%") or code.lstrip().startswith(first)
    return found == list(case.magics) and at_top


def _foreign(case: Case, code: str) -> int:
    """Lines that stand in a cell above, and not in this one."""
    elsewhere = {line.strip() for source in case.above for line in source.splitlines()}
    own = {line.strip() for line in case.code.splitlines()}
    return sum(
        line.strip() in elsewhere - own
        for line in code.splitlines()
        if len(line.strip()) > 3 and not line.startswith(("import ", "from ", "#"))
    )


def _parses(code: str) -> bool:
    try:
        ast.parse(TransformerManager().transform_cell(code))
    except (SyntaxError, ValueError):
        return False
    return True
