"""Writes docs/reliability.md: ``python -m tests.faults.table`` runs the tests of all rows first.

``--check`` runs nothing: it fails where a test that the table names does not exist, a row has none, or the
document does not have the rows as they are here. ``--results FILE…`` takes the results of JUnit files, and
leaves those of rows whose tests are not in them as they stand.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
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
        ran = [outcome for test in tests_of(row) for outcome in _outcomes(outcomes, test)]
        if ran:
            found[row.number] = _summary(ran)
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


def run_all() -> dict[int, str]:
    """Run the tests of all rows; those in the browser in a process of their own."""
    tests = {test for row in ROWS for test in tests_of(row)}
    browser = {test for test in tests if test.startswith("tests/browser")}
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate((tests - browser, browser)):
            if not part:
                continue
            junit = Path(folder) / f"{number}.xml"
            subprocess.run(
                [sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *sorted(part)],
                cwd=REPOSITORY,
                check=False,
            )
        return results_of(*Path(folder).glob("*.xml"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults.table", description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path, nargs="+")
    arguments = parser.parse_args()
    wrong = list(problems())
    results = results_in_document()
    if not arguments.check:
        results |= results_of(*arguments.results) if arguments.results else run_all()
    if not wrong:
        text = render(results)
        if not arguments.check:
            DOCUMENT.write_text(text)
        elif text != DOCUMENT.read_text():
            wrong.append("docs/reliability.md is behind: python -m tests.faults.table --results /dev/null")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
