"""The probe, in a real kernel, among objects that mean no good."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from jupyter_localcoder.context import probes
from jupyter_localcoder.context.probes import python
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookContext

SECONDS = 120
LOOK = "time.monotonic()"
LIMIT = f"SECONDS = {python.SECONDS}"


class Kernel:
    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, code: str, **options: Any) -> dict[str, Any]:
        """Run code, and return the content of the reply."""
        return self.client.execute_interactive(  # type: ignore[no-any-return]
            code, timeout=SECONDS, output_hook=lambda _: None, **options
        )["content"]

    def value(self, expression: str) -> Any:
        """A JSON value out of the kernel, silently."""
        asked = {"it": f"__import__('json').dumps({expression})"}
        told = self.run("", silent=True, user_expressions=asked)["user_expressions"]["it"]
        return json.loads(eval(told["data"]["text/plain"]))

    def probe(self, seconds: float = SECONDS, *, ticks: bool = False) -> dict[str, KernelVariable]:
        """What the probe tells, as a front end reads it, with all the time that a busy machine takes.

        Parameters
        ----------
        ticks
            Have its clock go on by a second with each look at it, and not by itself.
        """
        probe = probes.of("python")
        assert (probe.expression.count(LIMIT), probe.expression.count(LOOK)) == (1, 2)
        patient = probe.expression.replace(LIMIT, f"SECONDS = {seconds}; TICKS = iter(range(100_000))")
        if ticks:
            patient = patient.replace(LOOK, "next(TICKS)")
        reply = self.run(probe.code, silent=True, store_history=False, user_expressions={"it": patient})
        told = reply["user_expressions"]["it"]
        assert told["status"] == "ok", told
        text = told["data"]["text/plain"]
        assert text[0] == text[-1] == "'"
        variables = msgspec.json.decode(base64.b64decode(text[1:-1]), type=tuple[KernelVariable, ...])
        return {variable.name: variable for variable in variables}


@pytest.fixture(scope="module")
def running() -> Iterator[Kernel]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield Kernel(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """With none of the names of the tests before."""
    assert running.run("%reset -f")["status"] == "ok"
    return running


def test_what_the_user_defined_is_told_and_nothing_else(kernel: Kernel) -> None:
    kernel.run("""
import os, math
from math import sqrt
from collections import OrderedDict
n, ratio, name, nothing, _hidden = 3, 0.5, "secret value", None, 1
numbers, mixed, table = [1, 2], ("a", 1), {"a": [1], "b": [2]}
class Thing: pass
thing = Thing()
""")
    told = kernel.probe()
    assert {name: (v.type, v.shape) for name, v in told.items()} == {
        "n": ("int", ()), "ratio": ("float", ()), "name": ("str", ()), "nothing": ("NoneType", ()),
        "numbers": ("list[int]", (2,)), "mixed": ("tuple[str]", (2,)), "table": ("dict[str, list]", (2,)),
        "Thing": ("class", ()), "thing": ("Thing", ()),
    }  # fmt: skip
    assert "secret" not in str(told)


def test_functions_and_classes_come_with_signatures_and_without_the_values_of_defaults(
    kernel: Kernel,
) -> None:
    kernel.run("""
from dataclasses import dataclass
def plain(): pass
def full(a, b: int, /, c: "str" = "secret", *args: float, d=None, e: bool = True, **more) -> dict: pass
def keywords(*, key, other=1): pass
@dataclass
class Point:
    x: int
    y: float = 0.0
class Child(Point): pass
class Bare: pass
class Made:
    def __init__(self, layers=2): pass
anonymous = lambda v: v
""")
    assert {name: v.signature for name, v in kernel.probe().items()} == {
        "plain": "()",
        "full": "(a, b: int, /, c: str = ..., *args: float, d=None, e: bool = True, **more) -> dict",
        "keywords": "(*, key, other=...)",
        "Point": "(x: int, y: float = ...)",
        "Child": "(x: int, y: float = ...)",
        "Bare": "()",
        "Made": "(layers=...)",
        "anonymous": "(v)",
    }


def test_frames_and_arrays_come_with_columns_types_and_shapes(kernel: Kernel) -> None:
    reply = kernel.run("""
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
df = pd.DataFrame({"longitude": [1.5], "ocean": ["NEAR BAY"], "when": pd.to_datetime(["2020-01-01"])})
df["kind"] = pd.Categorical(["secret"])
odd = pd.DataFrame({1: [1], "two": [2], ("a", "b"): [3]})
wide = pd.DataFrame(np.zeros((1, 700)), columns=[f"c{i}" for i in range(700)])
column = df["longitude"]
pf = pl.DataFrame({"a": [1], "b": ["x"], "c": pl.Series(["secret"], dtype=pl.Enum(["secret"]))})
lazy = pf.lazy()
table = pa.table({"a": [1], "d": pa.array(["secret"]).dictionary_encode()})
X = np.zeros((16, 8), dtype="float32")
""")
    assert reply["status"] == "ok", reply
    told = kernel.probe()
    df = told["df"]
    assert (df.type, df.shape) == ("DataFrame", (1, 4))
    assert [column.name for column in df.columns] == ["longitude", "ocean", "when", "kind"]
    dtypes = [column.dtype for column in df.columns]
    assert dtypes[0] == "float64"
    assert dtypes[2].startswith("datetime64")
    assert dtypes[3] == "category"
    assert [column.name for column in told["odd"].columns] == ["two"]
    assert (told["wide"].shape, len(told["wide"].columns)) == ((1, 700), 500)
    assert told["column"] == KernelVariable(name="column", type="Series[float64]", shape=(1,))
    assert told["pf"].type == "polars.DataFrame"
    assert told["pf"].columns == (
        Column(name="a", dtype="Int64"), Column(name="b", dtype="String"), Column(name="c", dtype="Enum"),
    )  # fmt: skip
    assert told["lazy"] == KernelVariable(name="lazy", type="LazyFrame")
    assert told["table"].type == "pyarrow.Table"
    assert [column.name for column in told["table"].columns] == ["a", "d"]
    assert told["X"] == KernelVariable(name="X", type="ndarray[float32]", shape=(16, 8))
    assert "secret" not in str(told)
    assert "NEAR BAY" not in str(told)


def test_what_was_used_last_comes_first(kernel: Kernel) -> None:
    kernel.run("a = b = c = 1")
    kernel.run("b + 1")
    assert list(kernel.probe()) == ["b", "c", "a"]


HOSTILE = """
import sys, types
touched = []
class Meta(type):
    def __getattribute__(cls, name):
        touched.append(("Meta", name)); return super().__getattribute__(name)
    def __instancecheck__(cls, other): touched.append("instancecheck"); return True
    def __subclasscheck__(cls, other): touched.append("subclasscheck"); return True
    def __repr__(cls): touched.append("repr of a class"); return "!"
    def __eq__(cls, other): touched.append("eq of a class"); return True
    __hash__ = type.__hash__
class Trap(metaclass=Meta):
    def __getattribute__(self, name): touched.append(name); raise RuntimeError(name)
    def __getattr__(self, name): touched.append(name); return self
    def __repr__(self): touched.append("repr"); raise SystemExit
    def __len__(self): touched.append("len"); return 10**9
    def __bool__(self): touched.append("bool"); return True
    def __eq__(self, other): touched.append("eq"); return True
    def __hash__(self): touched.append("hash"); return 1
    def __iter__(self): touched.append("iter"); return iter(int, 1)
    @property
    def shape(self): touched.append("shape"); return (1,)
    columns = dtypes = dtype = __class__ = shape
trap = Trap()
class LazyModule(types.ModuleType):
    def __getattribute__(self, name): touched.append(("module", name)); return super().__getattribute__(name)
lazy_module = LazyModule("lazy")
import pandas as pd
class Frame(pd.DataFrame):
    @property
    def columns(self): touched.append("columns"); raise KeyboardInterrupt
    @property
    def shape(self): touched.append("frame shape"); raise KeyboardInterrupt
    @property
    def dtypes(self): touched.append("dtypes"); raise KeyboardInterrupt
frame = Frame.__new__(Frame)
class Label(str):
    def __str__(self): touched.append("label"); return "!"
    __repr__ = __str__
odd = pd.DataFrame([[1, 2]]); odd.columns = pd.Index([Label("x"), "y"], dtype=object)
class Sub(list):
    def __len__(self): touched.append("sub len"); return 1
    def __getitem__(self, i): touched.append("sub item"); return 1
sub, holder, keyed = Sub([1]), [trap], {"k": trap}
def with_trap(a: Trap = trap, *, b: trap = trap) -> trap: touched.append("called")
with_trap.__signature__ = trap
with_trap.__wrapped__ = trap
def named(): pass
named.__module__ = trap
sys.modules["polars"] = trap
len = type = list = dict = print = str = sorted = trap
touched.clear()
"""


def test_no_code_of_the_user_is_run_whatever_it_tries(kernel: Kernel) -> None:
    assert kernel.run(HOSTILE)["status"] == "ok"
    told = kernel.probe()
    touched = kernel.value("touched")
    kernel.run("del len, type, list, dict, print, str, sorted; import sys; del sys.modules['polars']")
    assert touched == []
    assert told["trap"] == KernelVariable(name="trap", type="Trap")
    assert told["frame"].type == "Frame"
    assert told["sub"].type == "Sub"
    assert told["holder"].type == "list[Trap]"
    assert told["with_trap"].signature == "(a: Trap = ..., *, b=...)"
    assert [column.name for column in told["odd"].columns] == ["y"]
    assert not {"lazy_module", "named"} & set(told)


def test_nothing_is_left_behind(kernel: Kernel) -> None:
    kernel.run("x = 1")
    kernel.run("41 + 1")
    before = kernel.value("[sorted(globals()), In[-1], len(In), _, get_ipython().execution_count]")
    modules = kernel.value("sorted(__import__('sys').modules)")
    for _ in range(3):
        kernel.probe()
    assert kernel.value("[sorted(globals()), In[-1], len(In), _, get_ipython().execution_count]") == before
    assert kernel.value("sorted(__import__('sys').modules)") == modules


def test_it_is_bounded_in_names_columns_and_time(kernel: Kernel) -> None:
    kernel.run("""
import numpy as np, pandas as pd
for i in range(5000):
    globals()[f"v{i}"] = i
for i in range(20):
    globals()[f"f{i}"] = pd.DataFrame(np.zeros((1, 400)), columns=[f"c{j}" for j in range(400)])
x = "y" * 10_000_000
""")
    told = kernel.probe()
    assert 0 < len(told) <= 200
    assert sum(len(v.columns) for v in told.values()) <= 2000
    NotebookContext(variables=tuple(told.values()))
    # On a clock that goes on by a second with each look: it looks before each name.
    assert len(kernel.probe(0, ticks=True)) == 0 < len(kernel.probe(10, ticks=True)) <= 10 < len(told)
    assert python.SECONDS < 1


def test_names_of_any_script_arrive(kernel: Kernel) -> None:
    kernel.run("größe = 1\n数 = pd = __import__('pandas').DataFrame({'列': [1], \"it's\": [2]})")
    told = kernel.probe()
    assert {"größe", "数"} <= set(told)
    assert [column.name for column in told["数"].columns] == ["列", "it's"]


def test_another_language_has_no_probe() -> None:
    assert probes.of("R").code == probes.of("julia").expression == ""
    assert probes.of("Python") == probes.of("python")
