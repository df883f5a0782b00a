"""What is asked of both sides, and when an answer is right.

A suite yields its cases one by one; each knows the command and judges a code. A judgement is a share: 1 for
right, 0 for wrong, and for tests how many of the faults they find.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jupyter_localcoder.contract.generation import Command

from . import faults, human_eval, sandbox
from .kernels import TaskKernel
from .notebook_tasks import TASKS, NotebookTask
from .sides import Asked

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
_FAULTS = 4
"""Of each function, for the tests that are written for it."""
_MIN_CELLS, _MAX_CELLS = 10, 60


@dataclass(frozen=True)
class Case:
    """A command, and who judges its answer."""

    name: str
    asked: Asked
    judge: Callable[[str], float]
    """Judges code that is offered."""


def generate(limit: int) -> Iterator[Case]:
    """HumanEval: write the function."""
    for task in human_eval.tasks(limit):
        asked = Asked("generate", instruction=f"Write this function.\n\n{task.prompt.strip()}")
        yield Case(task.name, asked, partial(_passes, task))


def improve(limit: int) -> Iterator[Case]:
    """Solutions of HumanEval that are to be improved."""
    return _kept("improve", limit)


def document(limit: int) -> Iterator[Case]:
    """Solutions of HumanEval without their docstrings, which are to be documented."""
    return _kept("document", limit, faults.undocumented)


def fix(limit: int) -> Iterator[Case]:
    """Solutions of HumanEval with one fault, and the error that their tests then raise."""
    for task in human_eval.tasks(limit):
        for code in faults.faulty(task.solution):
            outcome = sandbox.run(task.program(code))
            if not outcome.passed:
                asked = Asked("fix", code=code, error=outcome.error)
                yield Case(task.name, asked, partial(_passes, task))
                break


def test(limit: int) -> Iterator[Case]:
    """Tests for solutions of HumanEval: right are those that pass, and find faults."""
    for task in human_eval.tasks(limit):
        wrong = (code for code in faults.faulty(task.solution) if not _passes(task, code))
        spread = list(itertools.islice(wrong, 3 * _FAULTS))[:: max(1, 3 * _FAULTS // _FAULTS)]

        yield Case(task.name, Asked("test", code=task.solution), partial(_found, task, spread))


def notebooks(limit: int) -> Iterator[Case]:
    """Commands in notebooks with frames, joins, dates and text, in a real kernel."""
    step = max(1, len(TASKS) // limit)
    with TaskKernel() as kernel:
        for task in TASKS[::step][:limit]:
            kernel.begin((task.setup, *task.above))
            variables = kernel.variables()
            error = kernel.error(task.code) if task.command == "fix" else None

            asked = Asked(
                task.command,
                code=task.code,
                instruction=task.instruction,
                error=_short(error or ""),
                above=task.above,
                below=task.below,
                variables=variables,
            )
            yield Case(task.name, asked, partial(_works, kernel, task))


def copies(limit: int) -> Iterator[Case]:
    """Commands on cells of long notebooks: no line of another cell may be in what is offered."""
    cells = [source for path in sorted(NOTEBOOKS.glob("*.ipynb")) for source in _cells(path)]
    for number in range(limit):
        size = _MIN_CELLS + (_MAX_CELLS - _MIN_CELLS) * number // max(1, limit - 1)
        start = number * 7 % max(1, len(cells) - size)
        part = tuple(cells[start : start + size])
        at = max(range(len(part) * 2 // 3, len(part)), key=lambda i: (len(part[i]) < 700, len(part[i])))
        command: Command = "document" if number % 3 == 1 else "improve"

        asked = Asked(command, code=part[at], above=part[:at], below=part[at + 1 :])
        yield Case(f"{command} of cell {at} of {len(part)}", asked, partial(_is_own, part, at))


SUITES: dict[str, Callable[[int], Iterator[Case]]] = {
    "generate": generate,
    "improve": improve,
    "document": document,
    "fix": fix,
    "test": test,
    "notebooks": notebooks,
    "copies": copies,
}


def _kept(command: Command, limit: int, shown: Callable[[str], str] = str) -> Iterator[Case]:
    for task in human_eval.tasks(limit):
        asked = Asked(command, code=shown(task.solution))
        yield Case(task.name, asked, partial(_passes, task))


def _passes(task: human_eval.Task, code: str) -> float:
    return float(sandbox.run(task.program(code)).passed)


def _found(task: human_eval.Task, wrong: list[str], tests: str) -> float:
    if not sandbox.run(f"{task.solution}\n\n{tests}", pytest=True).passed:
        return 0.0
    runs = [sandbox.run(f"{code}\n\n{tests}", pytest=True).passed for code in wrong]
    return runs.count(False) / max(1, len(runs))


def _works(kernel: TaskKernel, task: NotebookTask, code: str) -> float:
    kernel.begin((task.setup, *task.above))
    return float(kernel.passes((code, *task.below, task.check)))


def _is_own(cells: tuple[str, ...], at: int, code: str) -> float:
    return float(not _foreign(code, cells[at], [*cells[:at], *cells[at + 1 :]]))


def _short(error: str) -> str:
    """A traceback without its middle, as the page sends it."""
    return error if len(error) <= 1500 else f"{error[:500]}\n...\n{error[-1000:]}"


def _cells(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [source for source in sources if source.strip()]


def _foreign(code: str, own: str, others: list[str]) -> list[str]:
    """Lines of other cells, and not of this one, that are long enough not to be the same by chance."""
    elsewhere = {line.strip() for source in others for line in source.splitlines()}
    elsewhere -= {line.strip() for line in own.splitlines()}
    return [
        line
        for line in code.splitlines()
        if len(line.strip()) > 12 and line.strip() in elsewhere and not line.startswith(("import ", "from "))
    ]
