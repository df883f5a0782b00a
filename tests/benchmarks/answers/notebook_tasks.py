"""Tasks in notebooks that run offline: what a person asks below some cells, and assertions about the result.

The frames have columns as people have them: with spaces, units, capitals, numbers, several languages. None of
the values or columns that the check needs can be guessed without the cells or the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_localcoder.contract.generation import Command


@dataclass(frozen=True, kw_only=True)
class NotebookTask:
    """A command in a notebook."""

    name: str
    above: tuple[str, ...]
    """Cells that have run."""
    setup: str = ""
    """Runs before them, and is not in the notebook: the modules and files that it has."""
    command: Command = "generate"
    code: str = ""
    instruction: str = ""
    below: tuple[str, ...] = ()
    """Cells that run after the answer."""
    check: str
    """Fails where the result is wrong."""


_SHOP = """import pandas as pd
from shop_data import load_orders

orders = load_orders()"""
_SHOP_FILE = """import sys, types
import pandas as _pd
_module = types.ModuleType("shop_data")
def _load():
    return _pd.DataFrame({
        "Order No.": [101, 102, 103, 104, 105, 106],
        "cust_ID": ["a7", "b2", "a7", "c9", "b2", "a7"],
        "Unit Price (EUR)": [10.0, 4.5, 3.0, 20.0, 4.5, 1.0],
        "qty": [1, 4, 2, 1, 2, 10],
        "ordered_on": _pd.to_datetime(["2024-01-05", "2024-01-20", "2024-02-03", "2024-02-14", "2024-03-01",
                                       "2024-03-31"]),
        "Ship Region": ["North", "South", "North", None, "South", "West"],
    })
_module.load_orders = _load
sys.modules["shop_data"] = _module"""
_CUSTOMERS = """customers = pd.DataFrame({
    "ID": ["a7", "b2", "c9", "d4"],
    "Full Name": ["Ada", "Bo", "Cy", "Di"],
    "member_since": pd.to_datetime(["2020-05-01", "2021-07-15", "2019-01-31", "2023-12-24"]),
})"""
_SENSOR = """import numpy as np
import pandas as pd
from sensor_data import load_readings

readings = load_readings()"""
_SENSOR_FILE = """import sys, types
import numpy as _np
import pandas as _pd
_module = types.ModuleType("sensor_data")
def _load():
    return _pd.DataFrame({
        "t [s]": _np.arange(12.0),
        "T_in °C": [20, 21, 22, _np.nan, 24, 25, 26, 27, 28, 29, 30, 31.0],
        "T_out °C": [10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15.0],
        "valve": list("oocoocoocooc"),
    })
_module.load_readings = _load
sys.modules["sensor_data"] = _module"""
_GRADES = """import pandas as pd

grades = pd.DataFrame(
    {2021: [1.7, 2.3, 3.0], 2022: [1.3, 2.0, 3.7], 2023: [1.0, 2.7, 2.3]},
    index=pd.Index(["Kim", "Lee", "Max"], name="student"),
)"""
_TEXT = """lines = [
    "2024-03-01 12:00:01 ERROR disk=sda1 code=17",
    "2024-03-01 12:00:02 INFO  disk=sda1 code=0",
    "2024-03-01 12:00:09 ERROR disk=sdb2 code=17",
    "2024-03-02 08:10:00 ERROR disk=sda1 code=4",
]"""

TASKS: tuple[NotebookTask, ...] = (
    NotebookTask(
        name="revenue column",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        instruction="Add a column `revenue` to orders: unit price times quantity.",
        check="assert orders['revenue'].tolist() == [10.0, 18.0, 6.0, 20.0, 9.0, 10.0]",
    ),
    NotebookTask(
        name="group by customer",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        instruction="Compute the total quantity per customer as a Series named `per_customer`.",
        check="assert per_customer.to_dict() == {'a7': 13, 'b2': 6, 'c9': 1}",
    ),
    NotebookTask(
        name="per month",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        instruction="Count the orders of each month into a dict `per_month` with the month number as key.",
        check="assert {int(k): int(v) for k, v in dict(per_month).items()} == {1: 2, 2: 2, 3: 2}",
    ),
    NotebookTask(
        name="missing region",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        instruction="Replace the missing ship regions in orders by 'unknown'.",
        check="assert orders['Ship Region'].tolist()[3] == 'unknown' and orders.shape[0] == 6",
    ),
    NotebookTask(
        name="join customers",
        setup=_SHOP_FILE,
        above=(_SHOP, _CUSTOMERS),
        instruction="Join orders with customers into `joined`, so that each order has the customer's name.",
        check="assert len(joined) == 6 and joined.sort_values('Order No.')['Full Name'].tolist() == "
        "['Ada', 'Bo', 'Ada', 'Cy', 'Bo', 'Ada']",
    ),
    NotebookTask(
        name="no orders",
        setup=_SHOP_FILE,
        above=(_SHOP, _CUSTOMERS),
        instruction="Put the full names of the customers without any order into a list `silent`.",
        check="assert list(silent) == ['Di']",
    ),
    NotebookTask(
        name="most expensive",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        instruction="Find the order number of the order with the highest unit price; call it `top_order`.",
        check="assert int(top_order) == 104",
    ),
    NotebookTask(
        name="mean temperature",
        setup=_SENSOR_FILE,
        above=(_SENSOR,),
        instruction="Compute the mean inner temperature while the valve is 'o', as `mean_open`.",
        check="assert abs(mean_open - (20 + 21 + 24 + 26 + 27 + 29 + 30) / 7) < 1e-9",
    ),
    NotebookTask(
        name="fill gaps",
        setup=_SENSOR_FILE,
        above=(_SENSOR,),
        instruction="Interpolate the missing inner temperature in readings linearly.",
        check="assert readings['T_in °C'].tolist()[3] == 23.0",
    ),
    NotebookTask(
        name="difference",
        setup=_SENSOR_FILE,
        above=(_SENSOR,),
        instruction="Add a column `delta` to readings: inner minus outer temperature.",
        check="assert readings['delta'].tolist()[:3] == [10.0, 11.0, 11.0]",
    ),
    NotebookTask(
        name="best year",
        above=(_GRADES,),
        instruction="Find the year with the lowest mean grade of all students; call it `best_year`.",
        check="assert int(best_year) == 2023",
    ),
    NotebookTask(
        name="improvement",
        above=(_GRADES,),
        instruction="Add a column 'change' to grades: the grade of 2023 minus the grade of 2021.",
        check="assert [round(x, 1) for x in grades['change']] == [-0.7, 0.4, -0.7]",
    ),
    NotebookTask(
        name="parse log",
        above=(_TEXT,),
        instruction="Count the lines with ERROR per disk in a dict `errors`, such as {'sda1': 1}.",
        check="assert dict(errors) == {'sda1': 2, 'sdb2': 1}",
    ),
    NotebookTask(
        name="log frame",
        above=("import pandas as pd", _TEXT),
        instruction="Make a DataFrame `log` of the lines with the columns time, level, disk and code (int).",
        check="assert list(log.columns) == ['time', 'level', 'disk', 'code'] and "
        "log['code'].tolist() == [17, 0, 17, 4] and log['level'].str.strip().tolist()[1] == 'INFO'",
    ),
    NotebookTask(
        name="use the helper",
        above=(
            "def normalised(values, *, low=0.0, high=1.0):\n"
            '    """Scale values so that the least is low and the greatest is high."""\n'
            "    least, most = min(values), max(values)\n"
            "    return [low + (v - least) / (most - least) * (high - low) for v in values]",
            "samples = [3, 7, 5]",
        ),
        instruction="Scale samples to the range -1 to 1 with the function above; call the result `scaled`.",
        check="assert scaled == [-1.0, 1.0, 0.0]",
    ),
    NotebookTask(
        name="fix wrong column",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        command="fix",
        code="total = (orders['unit_price'] * orders['qty']).sum()\nprint(f'{total:.2f}')",
        below=("share = total / 2",),
        check="assert abs(total - 73.0) < 1e-9 and share == total / 2",
    ),
    NotebookTask(
        name="fix merge keys",
        setup=_SHOP_FILE,
        above=(_SHOP, _CUSTOMERS),
        command="fix",
        code="named = orders.merge(customers, on='cust_ID')\nnames = named['Full Name'].tolist()",
        below=("print(names[0])",),
        check="assert sorted(names) == ['Ada', 'Ada', 'Ada', 'Bo', 'Bo', 'Cy']",
    ),
    NotebookTask(
        name="fix integer columns",
        above=(_GRADES,),
        command="fix",
        code="last = grades['2023']\nbest = last.idxmin()",
        check="assert best == 'Kim' and last.tolist() == [1.0, 2.7, 2.3]",
    ),
    NotebookTask(
        name="fix month of a series",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        command="fix",
        code="by_month = orders.groupby(orders['ordered_on'].month)['qty'].sum()",
        check="assert by_month.to_dict() == {1: 5, 2: 3, 3: 12}",
    ),
    NotebookTask(
        name="fix removed method",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        command="fix",
        code="extra = pd.DataFrame({'Order No.': [107], 'cust_ID': ['d4']})\n"
        "everything = orders.append(extra, ignore_index=True)",
        below=("count = len(everything)",),
        check="assert len(everything) == 7 and everything['Order No.'].tolist()[-1] == 107",
    ),
    NotebookTask(
        name="fix a string number",
        above=('prices = {"tea": "3.50", "cake": "4.25", "juice": "2"}',),
        command="fix",
        code="total = 0\nfor name in prices:\n    total += prices[name]\nprint('total', total)",
        below=("assert total > 0",),
        check="assert total == 9.75",
    ),
    NotebookTask(
        name="improve a loop over rows",
        setup=_SHOP_FILE,
        above=(_SHOP,),
        command="improve",
        code="values = []\nfor i in range(len(orders)):\n"
        "    values.append(orders['Unit Price (EUR)'][i] * orders['qty'][i])\norders['value'] = values\n"
        "mean_value = sum(values) / len(values)",
        below=("print(mean_value, max(values))",),
        check="assert orders['value'].tolist() == [10.0, 18.0, 6.0, 20.0, 9.0, 10.0] and "
        "abs(mean_value - 73 / 6) < 1e-9 and max(values) == 20.0",
    ),
    NotebookTask(
        name="improve a filter",
        setup=_SENSOR_FILE,
        above=(_SENSOR,),
        command="improve",
        code="warm = []\nfor i, row in readings.iterrows():\n    if row['T_out °C'] >= 13:\n"
        "        warm.append(row['t [s]'])\nn_warm = len(warm)",
        below=("first_warm = warm[0]",),
        check="assert list(warm) == [6.0, 7.0, 8.0, 9.0, 10.0, 11.0] and n_warm == 6 and first_warm == 6.0",
    ),
    NotebookTask(
        name="document with later names",
        above=(_TEXT,),
        command="document",
        code="def parsed(line):\n    day, clock, level, *rest = line.split()\n"
        "    return {'level': level, **dict(one.split('=') for one in rest)}\n\n"
        "rows = [parsed(line) for line in lines]",
        below=("codes = [int(row['code']) for row in rows]",),
        check="assert codes == [17, 0, 17, 4] and parsed.__doc__",
    ),
    NotebookTask(
        name="improve a counting loop",
        above=('words = "the cat and the dog and the bird".split()',),
        command="improve",
        code="counts = {}\nfor w in words:\n    if w in counts.keys():\n        counts[w] = counts[w] + 1\n"
        "    else:\n        counts[w] = 1\nbest = None\nfor w in counts:\n"
        "    if best is None or counts[w] > counts[best]:\n        best = w",
        below=("print(best, counts[best])",),
        check="assert dict(counts) == {'the': 3, 'cat': 1, 'and': 2, 'dog': 1, 'bird': 1} and best == 'the'",
    ),
)
