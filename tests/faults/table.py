"""Writes docs/reliability.md: ``python -m tests.faults.table`` runs the tests of all rows first.

Beside each result stands a fingerprint of the tests that had it. ``--stale`` runs only the rows whose tests
are others now. ``--results FILE…`` takes the results of JUnit files, and leaves those of rows whose tests are
not in them as they stand.

``--check`` runs nothing: it fails where a test that the table names does not exist, a row has none, the
document does not have the rows as they are here, or a result is not of the tests as they are now.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.faults.rows import ROWS, Row

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "reliability.md"
_OWN = REPOSITORY / "tests" / "faults"
_BEGIN, _END = "<!-- table -->\n", "<!-- end -->\n"
_CELL = re.compile(r"^\| (\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
NOT_YET = "not run yet"


@cache
def functions(path: Path) -> tuple[str, ...]:
    """Tests of a file: ``name`` or ``Class::name``; a class by itself too."""
    names: list[str] = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.ClassDef):
            names.append(node.name)
            inner = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            names += [f"{node.name}::{function.name}" for function in inner]
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return tuple(names)


def tests_of(row: Row) -> list[str]:
    """Node ids of a row: those of this folder by their number, then those that it names."""
    prefix = f"test_{row.number:02}_"
    own = [
        f"{path.relative_to(REPOSITORY)}::{name}"
        for path in sorted(_OWN.glob("test_*.py"))
        for name in functions(path)
        if name.startswith(prefix)
    ]
    return [*own, *row.tests]


def fingerprint(row: Row) -> str:
    """Changes when one of the row's tests does, or what a test uses of its file and the `conftest` beside it.

    Comments, the layout and the version of Python make no difference.
    """
    found = hashlib.sha256()
    for test in tests_of(row):
        found.update("\0".join([test, *relied_on(test)]).encode())
    return found.hexdigest()[:8]


def relied_on(test: str) -> list[str]:
    """The test (the whole class of one in a class), and all that it names, and they name, and so on."""
    file, _, name = test.partition("::")
    path = REPOSITORY / file
    known = {**definitions(path.with_name("conftest.py")), **definitions(path)}
    taken: dict[str, str] = {}
    waiting = [name.partition("::")[0]]
    while waiting:
        name = waiting.pop()
        if name in known and name not in taken:
            taken[name] = shape(known[name])
            waiting += named(known[name])
    return [taken[name] for name in sorted(taken)]


@cache
def definitions(path: Path) -> dict[str, ast.stmt]:
    """What a file defines, by name; nothing where there is no such file."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(path.read_text()).body if path.is_file() else []:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found |= dict.fromkeys(named(target), node)
    return found


def named(node: ast.AST) -> Iterator[str]:
    """Names in the code, those of fixtures among them: these are parameters, or stand in strings."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def shape(value: object) -> str:
    """Code as text. Unlike that of `ast.dump` it does not change with Python: what is empty is left out."""
    if isinstance(value, list):
        return f"[{' '.join(map(shape, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = [
        f" {name}={shape(part)}"
        for name, part in ast.iter_fields(value)
        if part not in (None, []) and name not in ("ctx", "kind", "type_comment")
    ]
    return f"({type(value).__name__}{''.join(fields)})"


def stale() -> list[Row]:
    """Rows whose result in the document is not of their tests as they are now."""
    results = results_in_document()
    return [row for row in ROWS if not results.get(row.number, "").endswith(mark(row))]


def mark(row: Row) -> str:
    """What follows a result in the document."""
    return f" <!-- {fingerprint(row)} -->"


def problems() -> Iterator[str]:
    """What is wrong with the rows."""
    if [row.number for row in ROWS] != list(range(1, len(ROWS) + 1)):
        yield "the rows are not numbered from 1 on"
    for row in ROWS:
        found = tests_of(row)
        if not found:
            yield f"row {row.number} has no test"
        for test in found:
            file, _, name = test.partition("::")
            if not (REPOSITORY / file).is_file() or name not in functions(REPOSITORY / file):
                yield f"row {row.number} names a test that does not exist: {test}"


def render(results: dict[int, str]) -> str:
    """The document with these results by row."""
    lines = ["| | when | then | tests | last result |", "| --- | --- | --- | --- | --- |"]
    area = ""
    for row in ROWS:
        if row.area != area:
            area = row.area
            lines.append(f"| | **{area}** | | | |")
        tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests_of(row))
        result = results.get(row.number, NOT_YET)
        lines.append(f"| {row.number} | {row.fault} | {row.promise} | {tests} | {result} |")
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}" + "\n".join(lines) + f"\n{_END}{after}"


def results_in_document() -> dict[int, str]:
    """What the document says of each row."""
    return {int(number): result for number, result in _CELL.findall(DOCUMENT.read_text())}


def results_of(*junits: Path) -> dict[int, str]:
    """Results by row, of the rows whose tests ran."""
    outcomes: dict[str, list[tuple[str, str]]] = {}
    cases = [
        case for path in junits if path.stat().st_size for case in ET.parse(path).getroot().iter("testcase")
    ]
    for case in cases:
        classname, name = case.get("classname", ""), case.get("name", "").partition("[")[0]
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        outcome = "fails" if failed else "skipped" if skipped is not None else "passes"
        reason = (skipped.get("message", "") if skipped is not None else "").replace("|", "/")
        outcomes.setdefault(f"{classname.replace('.', '/')}::{name}", []).append((outcome, reason))
    found: dict[int, str] = {}
    for row in ROWS:
        ran = {test: _outcomes(outcomes, test) for test in tests_of(row)}
        if any(ran.values()):
            # One that could not even be collected is not passed over.
            all_ran = [outcome for test in ran for outcome in ran[test] or [("fails", "")]]
            found[row.number] = _summary(all_ran) + mark(row)
    return found


def _outcomes(outcomes: dict[str, list[tuple[str, str]]], test: str) -> list[tuple[str, str]]:
    file, _, name = test.partition("::")
    module = file.removesuffix(".py")
    *classes, function = name.split("::")
    return outcomes.get(f"{'/'.join([module, *classes])}::{function}", []) or outcomes.get(
        f"{'/'.join([module, *classes, function])}::runTest", []
    )


def _summary(ran: list[tuple[str, str]]) -> str:
    failed = sum(outcome == "fails" for outcome, _ in ran)
    reasons = sorted({reason for outcome, reason in ran if outcome == "skipped"})
    passed = sum(outcome == "passes" for outcome, _ in ran)
    text = f"fails ({failed} of {len(ran)})" if failed else f"passes ({passed})" if passed else "not run here"
    return f"{text}; skipped: {'; '.join(reasons)}" if reasons else text


def run(rows: Sequence[Row]) -> dict[int, str]:
    """Run the tests of these rows; those in the browser in a process of their own."""
    for row in rows:
        fingerprint(row)  # That of the tests that run, and not of what they are when they have run.
    tests = {test for row in rows for test in tests_of(row)}
    browser = {test for test in tests if test.startswith("tests/browser")}
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate((tests - browser, browser)):
            if not part:
                continue
            junit = Path(folder) / f"{number}.xml"
            ended = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *sorted(part)],
                cwd=REPOSITORY,
                check=False,
            )
            if ended.returncode not in (0, 1):
                raise SystemExit("The tests did not run to their end: the document stays as it is.")
        results = results_of(*Path(folder).glob("*.xml"))
    return {row.number: results.get(row.number, NOT_YET) for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults.table", description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--stale", action="store_true")
    parser.add_argument("--results", type=Path, nargs="+")
    arguments = parser.parse_args()
    if wrong := list(problems()):
        return _told(wrong)
    results = results_in_document()
    if arguments.check:
        if render(results) != DOCUMENT.read_text():
            wrong.append("docs/reliability.md is behind: python -m tests.faults.table --results /dev/null")
        if numbers := ", ".join(str(row.number) for row in stale()):
            wrong.append(
                f"docs/reliability.md has results of other tests than today's in row {numbers}: "
                "python -m tests.faults.table --stale"
            )
        return _told(wrong)
    new = results_of(*arguments.results) if arguments.results else run(stale() if arguments.stale else ROWS)
    DOCUMENT.write_text(render(results | new))
    return _told(
        [f"row {number} {text}" for number, text in new.items() if text.startswith(("fails", NOT_YET))]
    )


def _told(wrong: list[str]) -> int:
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
