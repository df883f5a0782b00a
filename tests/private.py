"""Counts where tests use private names of the product: ``python -m tests.private``.

A test that knows a private name breaks with every refactoring, also where nothing that a user sees changes.
The counts in `tests/private.txt` only shrink: ``--check`` fails if a file has more uses than its count, and
``--write`` lowers the counts to what is there, and never raises one.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
COUNTS = TESTS / "private.txt"
PRODUCT = TESTS.parent / "jupyter_localcoder"
_HOOKS = ("_jupyter_", "_load_jupyter_", "_start_jupyter_", "_repr_")
"""How the names begin that Jupyter and IPython call."""
_SETTERS = frozenset({"setattr", "delattr", "getattr", "hasattr"})


def is_private(name: str) -> bool:
    """Whether a name is private, and none that Python, Jupyter or IPython defines."""
    return name.startswith("_") and name != "_" and not name.startswith(("__", *_HOOKS))


def names_of(source: str) -> Iterator[str]:
    """The private names that a module defines: functions, classes, variables and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        else:
            continue
        if is_private(name):
            yield name


def uses_in(source: str, names: frozenset[str]) -> Iterator[str]:
    """Where a test uses one of these names, of an object other than its own."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            used = [] if own else [node.attr]
        elif isinstance(node, ast.ImportFrom):
            used = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
            used = [
                str(text).rpartition(".")[2] for text in texts if called in _SETTERS and isinstance(text, str)
            ]
        else:
            continue
        yield from (name for name in used if name in names)


def counted() -> dict[str, int]:
    """Test file -> number of uses; files without any are left out."""
    names = frozenset(
        name for file in PRODUCT.rglob("*.py") for name in names_of(file.read_text(encoding="utf-8"))
    )
    counts = {
        file.relative_to(TESTS).as_posix(): sum(1 for _ in uses_in(file.read_text(encoding="utf-8"), names))
        for file in sorted(TESTS.rglob("*.py"))
    }
    return {file: count for file, count in counts.items() if count}


def allowed() -> dict[str, int]:
    """What `tests/private.txt` says."""
    lines = COUNTS.read_text(encoding="utf-8").splitlines()
    return {file: int(count) for count, file in (line.split(" ", 1) for line in lines)}


def faults(found: dict[str, int], limits: dict[str, int]) -> list[str]:
    """What is wrong, a sentence for each file."""
    return [
        f"tests/{file}: {count} uses of private names of the product, {limits.get(file, 0)} are allowed. "
        "Use public names."
        for file, count in found.items()
        if count > limits.get(file, 0)
    ]


def lowered(found: dict[str, int], limits: dict[str, int]) -> dict[str, int]:
    """The counts to allow from now on."""
    counts = {file: min(limit, found.get(file, 0)) for file, limit in limits.items()}
    return {file: count for file, count in counts.items() if count}


def main() -> int:
    """Compare, or lower the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = counted()
    if options.write:
        limits = lowered(found, allowed())
        COUNTS.write_text("".join(f"{count} {file}\n" for file, count in limits.items()), encoding="utf-8")
    wrong = faults(found, allowed()) if options.check else []
    print("\n".join([*wrong, f"{sum(found.values())} uses in {len(found)} files."]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
