"""Runs in the user's kernel: tells what the user has defined, with types, shapes, columns, signatures.

It must do no harm there. It tells no value. It runs no code of the user: of a value it asks only `type`, and
of a class only what CPython keeps in the class itself, past any `__getattr__` or metaclass; properties are
asked for only of classes that it knows, found in modules that are loaded already, and of exactly these, since
a subclass may have been written by anybody. It imports nothing that is not there, and stops after a time and
a number of names.

It needs nothing of this package, and Python 3.8.
"""

from __future__ import annotations

import binascii
import json
import re
import sys
import time
import types
from typing import Any

SECONDS = 0.15
MOST_NAMES = 200
MOST_COLUMNS = 500
"""Of one frame."""
MOST_COLUMNS_OF_ALL = 2000
MOST_CHARS = 80
"""Of a name or the name of a type."""
MOST_SIGNATURE_CHARS = 300
MOST_CELLS = 40
"""So many of the last inputs are read to learn which names were used last."""
MOST_CELL_CHARS = 5000

_NAME = type.__dict__["__name__"].__get__
_MODULE = type.__dict__["__module__"].__get__
_MRO = type.__dict__["__mro__"].__get__
_DICT = type.__dict__["__dict__"].__get__
_SCALARS = (int, float, complex, bool, str, bytes, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict)


def answer(names: dict[Any, Any]) -> str:
    """Base64 of the JSON of what there is: a list as of `KernelVariable`."""
    deadline = time.monotonic() + SECONDS
    told: list[dict[str, Any]] = []
    columns = MOST_COLUMNS_OF_ALL
    for name, value in _last_used_first(_own(names))[:MOST_NAMES]:
        if time.monotonic() > deadline:
            break
        try:
            facts = _facts(value, min(columns, MOST_COLUMNS))
        except Exception:
            facts = {"type": _type_name(type(value))}
        if facts is not None:
            facts["name"] = name
            columns -= len(facts.get("columns", ()))
            told.append(facts)
    return binascii.b2a_base64(json.dumps(told).encode(), newline=False).decode()


def _own(names: dict[Any, Any]) -> list[tuple[str, Any]]:
    """What the user has defined, as (name, value), the oldest first."""
    shell = _shell()
    hidden = shell.user_ns_hidden if shell is not None else {}
    missing = object()
    return [
        (name, value)
        for name, value in list(names.items())
        if type(name) is str
        and not name.startswith("_")
        and len(name) <= MOST_CHARS
        and hidden.get(name, missing) is not value
        and not _is_module(type(value))
    ]


def _shell() -> Any:
    known = _loaded("IPython.core.getipython")
    return known["get_ipython"]() if "get_ipython" in known else None


def _last_used_first(own: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Ordered by the last input that says the name; what none of them says was defined long ago."""
    shell = _shell()
    cells = list(shell.history_manager.input_hist_raw)[-MOST_CELLS:] if shell is not None else []
    used: dict[str, int] = {}
    for age, cell in enumerate(reversed(cells)):
        for word in re.findall(r"[^\W\d]\w*", cell[:MOST_CELL_CHARS]):
            used.setdefault(word, age)
    order = sorted(range(len(own)), key=lambda i: (used.get(own[i][0], MOST_CELLS), -i))
    return [own[i] for i in order]


def _facts(value: Any, most_columns: int) -> dict[str, Any] | None:
    """What is told of a value; None where it is nothing of the user's."""
    kind = type(value)
    if kind is types.FunctionType:
        return {"type": "function", "signature": _signature(value, 0)} if _is_own(value.__module__) else None
    if kind is types.BuiltinFunctionType:
        return None
    if _one_of(type, _MRO(kind)):
        return _class_facts(value)
    if _one_of(kind, _SCALARS):
        return {"type": _type_name(kind)}
    if _one_of(kind, _CONTAINERS):
        return {"type": _container(value, kind), "shape": [len(value)]}
    for module, describe in _KNOWN:
        known = _loaded(module)
        facts = describe(value, kind, known, most_columns) if known else None
        if facts is not None:
            return facts
    return {"type": _type_name(kind)}


def _class_facts(cls: Any) -> dict[str, Any] | None:
    if not _is_own(_MODULE(cls)):
        return None
    for base in _MRO(cls):
        made_by = _DICT(base).get("__init__") if _is_own(_MODULE(base)) else None
        if type(made_by) is types.FunctionType:
            return {"type": "class", "signature": _signature(made_by, 1)}
    return {"type": "class", "signature": "()"}


def _one_of(cls: type, classes: tuple[type, ...]) -> bool:
    """By identity: a metaclass may have an `==` of its own."""
    return any(cls is other for other in classes)


def _is_own(module: Any) -> bool:
    return type(module) is str and module == "__main__"


def _is_module(kind: type) -> bool:
    return _one_of(types.ModuleType, _MRO(kind))


def _type_name(kind: type) -> str:
    name = _NAME(kind)
    return str(name)[:MOST_CHARS]


def _container(value: Any, kind: type) -> str:
    """`list[int]`, `dict[str, DataFrame]`: by the first of its elements, which is not looked into."""
    name = _type_name(kind)
    if kind is dict:
        for key, element in value.items():
            return f"{name}[{_type_name(type(key))}, {_type_name(type(element))}]"
    elif (kind is list or kind is tuple) and value:
        return f"{name}[{_type_name(type(value[0]))}]"
    return name


def _signature(function: types.FunctionType, skip: int) -> str:
    """Parameters of a function; of a default value only that there is one, or that it is None or a bool."""
    code = function.__code__
    positional, keyword = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    defaults = function.__defaults__ or ()
    given = dict(zip(names[positional - len(defaults) : positional], defaults))  # noqa: B905 - Python 3.8
    given.update(function.__kwdefaults__ or {})
    # From Python 3.14 on they are computed when asked for, which is code of the user.
    notes = function.__annotations__ if sys.version_info < (3, 14) else {}
    parameters = [_parameter(name, notes, given) for name in names[:positional]]
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    at = positional + keyword
    if code.co_flags & 0x04:
        parameters.append("*" + _parameter(names[at], notes, {}))
        at += 1
    elif keyword:
        parameters.append("*")
    parameters += [_parameter(name, notes, given) for name in names[positional : positional + keyword]]
    if code.co_flags & 0x08:
        parameters.append("**" + _parameter(names[at], notes, {}))
    returned = _annotation(notes.get("return"))
    end = f" -> {returned}" if returned else ""
    return f"({', '.join(parameters[skip:])}){end}"[:MOST_SIGNATURE_CHARS]


def _parameter(name: str, notes: dict[str, Any], given: dict[str, Any]) -> str:
    note = _annotation(notes.get(name))
    told = f"{name}: {note}" if note else name
    if name not in given:
        return told
    default = given[name]
    shown = repr(default) if default is None or type(default) is bool else "..."
    return told + (" = " if note else "=") + shown


def _annotation(note: Any) -> str:
    """The name of a class, or what was written as a string; others could only be told by their own code."""
    if type(note) is str:
        return note[:MOST_CHARS]
    return _type_name(note) if _one_of(type, _MRO(type(note))) else ""


# Frames and arrays


def _loaded(module: str) -> dict[str, Any]:
    """Names of a module that somebody has imported; of nothing that only looks like one."""
    found = sys.modules.get(module)
    return found.__dict__ if type(found) is types.ModuleType else {}


def _frame(kind: str, shape: Any, columns: list[tuple[Any, str]]) -> dict[str, Any]:
    return {
        "type": kind,
        "shape": [int(size) for size in shape],
        "columns": [
            {"name": name, "dtype": dtype[:MOST_CHARS]}
            for name, dtype in columns
            if type(name) is str and len(name) <= MOST_CHARS * 4
        ],
    }


def _pandas(value: Any, kind: type, known: dict[str, Any], most: int) -> dict[str, Any] | None:
    if kind is known.get("Series"):
        return {"type": f"Series[{_dtype(value.dtype)}]", "shape": [int(size) for size in value.shape]}
    if kind is not known.get("DataFrame") and kind is not known.get("GeoDataFrame"):
        return None
    dtypes = [_dtype(dtype) for dtype in value.dtypes.values[:most]]
    return _frame(_type_name(kind), value.shape, _pairs(value.columns[:most].tolist(), dtypes))


def _polars(value: Any, kind: type, known: dict[str, Any], most: int) -> dict[str, Any] | None:
    if kind is known.get("Series"):
        return {"type": f"polars.Series[{_polars_dtype(value.dtype)}]", "shape": [len(value)]}
    if kind is not known.get("DataFrame"):
        return None
    dtypes = [_polars_dtype(dtype) for dtype in value.dtypes[:most]]
    return _frame("polars.DataFrame", value.shape, _pairs(value.columns[:most], dtypes))


def _polars_dtype(dtype: Any) -> str:
    # An enumeration spells out its categories, which are values.
    return re.sub(r"\b(Enum|Categorical)\(.*", r"\1", str(dtype), flags=re.DOTALL)


def _pyarrow(value: Any, kind: type, known: dict[str, Any], most: int) -> dict[str, Any] | None:
    if kind is not known.get("Table") and kind is not known.get("RecordBatch"):
        return None
    schema = value.schema
    columns = _pairs(schema.names[:most], [str(dtype) for dtype in schema.types[:most]])
    return _frame(f"pyarrow.{_type_name(kind)}", (value.num_rows, value.num_columns), columns)


def _numpy(value: Any, kind: type, known: dict[str, Any], most: int) -> dict[str, Any] | None:
    if kind is not known.get("ndarray"):
        return None
    return {"type": f"ndarray[{_dtype(value.dtype)}]", "shape": [int(size) for size in value.shape]}


def _torch(value: Any, kind: type, known: dict[str, Any], most: int) -> dict[str, Any] | None:
    if kind is not known.get("Tensor"):
        return None
    dtype = str(value.dtype).replace("torch.", "")
    return {"type": f"Tensor[{dtype[:MOST_CHARS]}]", "shape": [int(size) for size in value.shape]}


def _pairs(names: list[Any], dtypes: list[str]) -> list[tuple[Any, str]]:
    return list(zip(names, dtypes))  # noqa: B905 - Python 3.8


def _dtype(dtype: Any) -> str:
    """Name of a type of numpy or pandas; of anybody else's only that of its class."""
    kind = type(dtype)
    module = _MODULE(kind)
    trusted = type(module) is str and module.partition(".")[0] in ("numpy", "pandas", "pyarrow", "geopandas")
    return str(dtype)[:MOST_CHARS] if trusted else _type_name(kind)


_KNOWN = (
    ("pandas", _pandas),
    ("geopandas", _pandas),
    ("polars", _polars),
    ("pyarrow", _pyarrow),
    ("numpy", _numpy),
    ("torch", _torch),
)
