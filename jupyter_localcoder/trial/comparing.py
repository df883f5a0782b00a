"""Compare what two runs have left behind. Inside of a copy, because reading their values runs code.

Equal means: the same type and the same value; floating-point numbers and frames may differ by rounding.
"""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from .report import NEWLY, Comparison, CopiedValue, Difference, RunReport

RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Rounding that does not count as a difference."""
MAX_DEPTH = 50
MAX_TEXT = 80


class Uncomparable(Exception):
    """It is not known whether two values are the same."""


def compare_runs(folders: list[Path]) -> Comparison:
    """Compare the old and the new run; a third one tells what differs from run to run."""
    reports = [msgspec.json.decode((one / "report.json").read_bytes(), type=RunReport) for one in folders]
    values = [_values(report, folder) for report, folder in zip(reports, folders, strict=True)]
    differences, uncompared = _between(reports[0], reports[1], values[0], values[1])
    varying: list[str] = []
    if len(folders) > 2:
        again, _ = _between(reports[0], reports[2], values[0], values[2])
        changing = {one.name for one in again}
        varying = [one.name for one in differences if one.name in changing]
        differences = [one for one in differences if one.name not in changing]
    return Comparison(differences=tuple(differences), uncompared=tuple(uncompared), varying=tuple(varying))


def difference(old: Any, new: Any) -> str:
    """How two values differ, as a phrase; empty where they are the same.

    Raises
    ------
    Uncomparable
        It is not known.
    """
    return _Comparer().difference(old, new)


def _values(report: RunReport, folder: Path) -> dict[str, tuple[CopiedValue, bytes]]:
    data = (folder / "values").read_bytes() if report.values else b""
    return {one.name: (one, data[one.offset : one.offset + one.size]) for one in report.values}


def _between(
    old: RunReport,
    new: RunReport,
    before: Mapping[str, tuple[CopiedValue, bytes]],
    after: Mapping[str, tuple[CopiedValue, bytes]],
) -> tuple[list[Difference], list[str]]:
    differences: list[Difference] = []
    uncompared: list[str] = []
    if old.output != new.output:
        differences.append(Difference(name="", detail=_texts(old.output, new.output)))
    elif old.displays != new.displays:
        differences.append(Difference(name="", detail="displayed objects"))
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            differences.append(Difference(name=name, detail="no longer defined"))
        elif name not in before:
            differences.append(Difference(name=name, detail=NEWLY))
        else:
            try:
                found = _stored_difference(before[name], after[name])
            except Exception:  # of the values' own methods, too
                uncompared.append(name)
            else:
                if found:
                    differences.append(Difference(name=name, detail=found))
    return differences, uncompared


def _stored_difference(old: tuple[CopiedValue, bytes], new: tuple[CopiedValue, bytes]) -> str:
    if old[0].reason or new[0].reason:
        if old[0].type != new[0].type:
            return f"{new[0].type} instead of {old[0].type}"
        raise Uncomparable
    if old[1] == new[1]:
        return ""
    (kind, one), (other_kind, other) = pickle.loads(old[1]), pickle.loads(new[1])  # noqa: S301
    if kind == other_kind == "code":
        if one == other:
            return ""
        raise Uncomparable
    return difference(one, other)


def _texts(old: str, new: str) -> str:
    lines, others = old.splitlines(), new.splitlines()
    if len(lines) != len(others):
        return f"{len(others)} instead of {len(lines)} lines"
    count = sum(one != other for one, other in zip(lines, others, strict=True))
    return f"{count} line{'' if count == 1 else 's'}" if count else "white space"


class _Comparer:
    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()
        self._depth = 0

    def difference(self, old: Any, new: Any) -> str:
        if old is new:
            return ""
        key = (id(old), id(new))
        if key in self._seen:
            return ""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Uncomparable
        self._seen.add(key)
        try:
            return self._difference(old, new)
        finally:
            self._depth -= 1

    def _difference(self, old: Any, new: Any) -> str:
        old, new = _plain_number(old), _plain_number(new)
        if _name(type(old)) != _name(type(new)):
            return f"{type(new).__name__} instead of {type(old).__name__}"
        for kind, compare in self._kinds():
            if isinstance(old, kind):
                return compare(old, new)
        return self._objects(old, new)

    def _kinds(self) -> list[tuple[Any, Callable[[Any, Any], str]]]:
        kinds: list[tuple[Any, Callable[[Any, Any], str]]] = [
            (float, self._floats),
            (complex, self._complexes),
            (bool | int | str | bytes | type(None), self._exact),
            (dict, self._mappings),
            (list | tuple, self._sequences),
            (set | frozenset, self._exact),
        ]
        pandas: Any = sys.modules.get("pandas")
        if pandas is not None:
            kinds += [
                (pandas.DataFrame, self._frames),
                (pandas.Series, self._series),
                (pandas.Index, self._indexes),
            ]
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None:
            kinds.append((numpy.ndarray, self._arrays))
        polars: Any = sys.modules.get("polars")
        if polars is not None:
            kinds += [(polars.DataFrame, self._polars_frames), (polars.Series, self._polars_series)]
        return kinds

    def _floats(self, old: float, new: float) -> str:
        if _close(old, new):
            return ""
        return f"{new!r} instead of {old!r}"

    def _complexes(self, old: complex, new: complex) -> str:
        same = _close(old.real, new.real) and _close(old.imag, new.imag)
        return "" if same else f"{new!r} instead of {old!r}"

    def _exact(self, old: Any, new: Any) -> str:
        if old == new:
            return ""
        if isinstance(old, set | frozenset):
            return f"{len(old ^ new)} elements"
        return f"{_short(new)} instead of {_short(old)}"

    def _mappings(self, old: Any, new: Any) -> str:
        if (missing := [key for key in old if key not in new]) or any(key not in old for key in new):
            more = [key for key in new if key not in old]
            return f"without the key {_short(missing[0])}" if missing else f"with the key {_short(more[0])}"
        for key in old:
            if found := self.difference(old[key], new[key]):
                return f"{found} at {_short(key)}"
        return ""

    def _sequences(self, old: Any, new: Any) -> str:
        if len(old) != len(new):
            return f"{len(new)} instead of {len(old)} elements"
        found = [self.difference(one, other) for one, other in zip(old, new, strict=True)]
        return _count(sum(map(bool, found)), "element")

    def _arrays(self, old: Any, new: Any) -> str:
        if old.shape != new.shape:
            return f"shape {new.shape} instead of {old.shape}"
        if old.dtype.kind != new.dtype.kind:
            return f"{new.dtype} instead of {old.dtype}"
        if old.dtype.kind == "O":
            return self._sequences(old.ravel().tolist(), new.ravel().tolist())
        import numpy

        if old.dtype.kind in "fc":
            same = numpy.isclose(old, new, rtol=_tolerance(old.dtype), atol=ABSOLUTE, equal_nan=True)
        elif old.dtype.kind in "mM":
            same = (old == new) | (numpy.isnat(old) & numpy.isnat(new))
        else:
            same = old == new
        return _count(int((~numpy.asarray(same)).sum()), "element")

    def _frames(self, old: Any, new: Any) -> str:
        columns, others = list(old.columns), list(new.columns)
        if gone := [one for one in columns if one not in others]:
            return f"without the column {_short(gone[0])}"
        if more := [one for one in others if one not in columns]:
            return f"with the column {_short(more[0])}"
        if len(old) != len(new):
            return f"{len(new)} instead of {len(old)} rows"
        if columns != others:
            return "another order of columns"
        kinds = [
            f"column {_short(name)}: {new.dtypes.iloc[at]} instead of {old.dtypes.iloc[at]}"
            for at, name in enumerate(columns)
            if _kind(old.dtypes.iloc[at]) != _kind(new.dtypes.iloc[at])
        ]
        if kinds:
            return kinds[0]
        rows = {
            at for column in range(len(columns)) for at in _unlike(old.iloc[:, column], new.iloc[:, column])
        }
        if rows:
            return _count(len(rows), "row")
        return f"index: {found}" if (found := self._indexes(old.index, new.index)) else ""

    def _series(self, old: Any, new: Any) -> str:
        if len(old) != len(new):
            return f"{len(new)} instead of {len(old)} elements"
        if _kind(old.dtype) != _kind(new.dtype):
            return f"{new.dtype} instead of {old.dtype}"
        if found := _count(len(_unlike(old, new)), "element"):
            return found
        if old.name != new.name:
            return f"named {_short(new.name)} instead of {_short(old.name)}"
        return f"index: {found}" if (found := self._indexes(old.index, new.index)) else ""

    def _indexes(self, old: Any, new: Any) -> str:
        if len(old) != len(new):
            return f"{len(new)} instead of {len(old)} labels"
        if list(old.names) != list(new.names):
            return f"named {_short(list(new.names))} instead of {_short(list(old.names))}"
        return _count(
            len(_unlike(old.to_series(index=range(len(old))), new.to_series(index=range(len(new))))), "label"
        )

    def _polars_frames(self, old: Any, new: Any) -> str:
        if old.columns != new.columns:
            gone = [one for one in old.columns if one not in new.columns]
            more = [one for one in new.columns if one not in old.columns]
            return (
                f"without the column {_short(gone[0])}" if gone
                else f"with the column {_short(more[0])}" if more
                else "another order of columns"
            )  # fmt: skip
        if old.height != new.height:
            return f"{new.height} instead of {old.height} rows"
        for name in old.columns:
            if old[name].dtype != new[name].dtype:
                return f"column {_short(name)}: {new[name].dtype} instead of {old[name].dtype}"
        rows = {
            at for name in old.columns for at in self._unlike_lists(old[name].to_list(), new[name].to_list())
        }
        return _count(len(rows), "row")

    def _polars_series(self, old: Any, new: Any) -> str:
        if old.dtype != new.dtype or len(old) != len(new):
            return f"{len(new)} of {new.dtype} instead of {len(old)} of {old.dtype}"
        return _count(len(self._unlike_lists(old.to_list(), new.to_list())), "element")

    def _unlike_lists(self, old: list[Any], new: list[Any]) -> list[int]:
        return [
            at for at, (one, other) in enumerate(zip(old, new, strict=True)) if self.difference(one, other)
        ]

    def _objects(self, old: Any, new: Any) -> str:
        kind = type(old)
        own = kind.__module__ == "__main__" or hasattr(kind, "__dataclass_fields__")
        if own and hasattr(old, "__dict__") and hasattr(new, "__dict__"):
            return self._mappings(vars(old), vars(new))
        if getattr(kind, "__eq__", None) is object.__eq__:
            raise Uncomparable
        same = old == new
        if same is True:
            return ""
        if same is False:
            return f"{_short(new)} instead of {_short(old)}"
        raise Uncomparable


def _unlike(old: Any, new: Any) -> list[int]:
    """Positions at which two columns of pandas differ."""
    import numpy

    if _kind(old.dtype) == "f":
        one, other = (
            old.to_numpy(dtype=float, na_value=math.nan),
            new.to_numpy(dtype=float, na_value=math.nan),
        )
        same = numpy.isclose(one, other, rtol=_tolerance(old.dtype), atol=ABSOLUTE, equal_nan=True)
        return [int(at) for at in numpy.flatnonzero(~same)]
    if _kind(old.dtype) == "O":
        comparer = _Comparer()
        return [
            at
            for at, (one, other) in enumerate(zip(old.tolist(), new.tolist(), strict=True))
            if not _both_missing(one, other) and comparer.difference(one, other)
        ]
    gone, missing = old.isna().to_numpy(), new.isna().to_numpy()
    equal = numpy.asarray(
        (old.reset_index(drop=True) == new.reset_index(drop=True)).fillna(False), dtype=bool
    )
    return [int(at) for at in numpy.flatnonzero(~(equal | (gone & missing)))]


def _both_missing(old: Any, new: Any) -> bool:
    pandas: Any = sys.modules["pandas"]
    return pandas.api.types.is_scalar(old) and pandas.api.types.is_scalar(new) and bool(
        pandas.isna(old) and pandas.isna(new)
    )  # fmt: skip


def _kind(dtype: Any) -> str:
    """The kind of a column: integers of two sizes are of one kind."""
    name = str(dtype)
    if name.startswith(("Float", "float")):
        return "f"
    if name in ("object", "str") or name.startswith("string"):
        return "O"
    if name.startswith(("Int", "int", "UInt", "uint")):
        return "i"
    return name


def _tolerance(dtype: Any) -> float:
    """Single precision rounds earlier."""
    return (
        1e-5
        if any(part in str(dtype) for part in ("float32", "Float32", "complex64", "float16"))
        else RELATIVE
    )


def _plain_number(value: Any) -> Any:
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic) and value.ndim == 0:
        plain = value.item()
        if isinstance(plain, bool | int | float | complex | str):
            return plain
    return value


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _close(old: float, new: float) -> bool:
    return math.isclose(old, new, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(old) and math.isnan(new))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""
