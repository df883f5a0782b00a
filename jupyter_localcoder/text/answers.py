"""What is in a model's answer: the code, what of it may be written, and how it differs from the code before.

Every write of an answer, into a cell or a file, goes by what `change_of` says, or, where a person chose the
code out of an answer, `placed`. Pure.
"""

from __future__ import annotations

import ast
import difflib
import textwrap
from typing import Literal, NamedTuple

from ..context import languages, magics
from ..context.bounds import MAX_PARSED_CHARS
from ..context.checks.changed import problem_of, tests_of
from ..context.checks.other_cells import own_part
from ..context.target import CellTarget, Unplaceable, renewed, take_apart
from ..contract.generation import CHANGES, Change, Finish, GenerateRequest, PlaceRequest
from .fences import Fence, blocks
from .plain_text import plain_beside

Sign = Literal["+", "-", " ", "@"]

_SAME_LANGUAGE = {
    "python": frozenset({"", *languages.PYTHON}),
    **dict.fromkeys(("bash", "sh"), frozenset({"", "bash", "sh", "shell", "zsh", "console"})),
    "javascript": frozenset({"", "javascript", "js"}),
    "html": frozenset({"", "html", "xml", "javascript", "js"}),
    "cpp": frozenset({"", "cpp", "c++", "c"}),
    "cython": frozenset({"", "cython", "pyx", *languages.PYTHON}),
}
_OTHER = "The answer is not in the language of the code, which is {}."
_AGAIN = "Send the request again, or see the whole answer."
_OTHERWISE = "Read the answer, give an instruction, or use a larger model."


class DiffLine(NamedTuple):
    """One line of a unified diff."""

    sign: Sign
    """`@` begins a hunk, and its text says where."""
    text: str


def code_of(answer: str, language: str = "python") -> str:
    """The code in an answer, without a line end behind it.

    It is the longest fenced block in the language, else the longest of any; an answer without fences is
    taken as code, whole. A fence that is still open, because the answer still comes, counts too.
    """
    return _block_of(answer, language)[0]


def change_of(
    request: GenerateRequest, target: CellTarget, answer: str, finish: Finish = "stop", *, again: bool = False
) -> Change:
    """What may be written of an answer to a command other than `explain`.

    Parameters
    ----------
    target
        That of the request.
    answer
        The model's, whole.
    finish
        How it ended: what is not complete is not to be written.
    again
        Whether it is the second answer, since the first one could not be used either.
    """
    found = _change_of(request, target, answer, finish)
    if again and found.problem and finish == "stop":
        none = "No safe change was found" if request.command in CHANGES else "No usable code was found"
        return Change(
            code=found.code, notes=found.notes, problem=f"{none}. {found.problem}", recovery=_OTHERWISE
        )
    return found


def _change_of(request: GenerateRequest, target: CellTarget, answer: str, finish: Finish) -> Change:
    changes = request.command in CHANGES
    like = target.code if changes else ""
    code, info = _block_of(plain_beside(answer, like), target.language, like)
    notes: list[str] = []

    def refused(problem: str, recovery: str = _AGAIN) -> Change:
        return Change(code=code, notes=tuple(notes), problem=problem, recovery=recovery)

    if finish != "stop":
        return refused("The answer is not complete.", "Send the request again with a higher token limit.")
    if not code.strip():
        return refused("There is no code in the answer.")
    if changes and _is_other_language(code, info, target):
        return refused(_OTHER.format(target.language))
    if request.command not in ("test", "prompt"):
        others = [cell.source for cell in request.context if cell.kind == "code"]
        own = own_part(code, like, others, python=target.is_python, error=request.error)
        if own.left_out and not own.code.strip():
            return refused("The answer contains only code of other cells.")
        if own.left_out:
            code = own.code
            count = "1 line was" if own.left_out == 1 else f"{own.left_out} lines were"
            notes.append(f"{count} copied from other cells and left out.")
        if own.mixed:
            return refused(f"The answer also contains {own.mixed} of another cell.")
    if request.command == "test":
        tests = tests_of(code, target)
        if tests.left_out:
            count = "1 line was" if tests.left_out == 1 else f"{tests.left_out} lines were"
            notes.append(f"{count} copied from the code and left out.")
        code = tests.code
        if tests.problem:
            return refused(tests.problem)
    if request.command != "prompt":
        if problem := problem_of(request, target, code):
            return refused(problem)
        other = info in _OTHER_LANGUAGES
        short = len(code) <= MAX_PARSED_CHARS
        if not changes and target.is_python and not other and short and not _parses(code):
            return refused("The answer is not valid Python.")
        if request.command == "generate" and other and target.is_python:
            code = _with_magic(code, info, request.language)
    if request.command == "test":
        # They go into a cell of their own.
        code = _with_magic(code, target.language, request.language)
    if not changes:
        return Change(code=code, notes=tuple(notes))
    whole, problem = _put_back(code, target)
    return Change(code=whole, notes=tuple(notes)) if problem == "" else refused(problem)


def placed(request: PlaceRequest) -> Change:
    """What a cell becomes where code that a person chose out of an answer takes its place, or is a new cell.

    The magics of the cell stay, or are as the code has them. Code of another language than the notebook's
    gets the cell magic below which it runs.
    """
    cell = request.cell
    info = request.info.strip().partition(" ")[0].lower()
    code = plain_beside(request.code, cell).strip("\n").rstrip()
    if not code.strip():
        return Change(code=code, problem="There is no code in the answer.", recovery=_AGAIN)
    if cell.strip() and len(cell) + len(code) > MAX_PARSED_CHARS:
        return Change(code=code, problem="The cell is too long to preserve its magics.",
                      recovery="Copy the code, or insert it below.")  # fmt: skip
    if not cell.strip() or info not in _names_of(take_apart(cell, request.language).language):
        code = _with_magic(code, info, request.language)
    if not cell.strip():
        return Change(code=code)
    if request.language.lower() in languages.PYTHON:
        cell = renewed(cell, code)
    target = take_apart(cell, request.language)
    if _is_other_language(code, info, target):
        problem = _OTHER.format(target.language)
    else:
        whole, problem = _put_back(code, target)
        if problem == "":
            return Change(code=whole)
    return Change(code=code, problem=problem, recovery="Copy it, or insert it below.")


def _put_back(code: str, target: CellTarget) -> tuple[str, str]:
    """The code that was taken apart with other code in its place, or what is wrong with that."""
    try:
        whole = target.put_back(textwrap.dedent(code))
    except Unplaceable as missing:
        return "", f"The answer omits `{missing.line}`, and its position cannot be determined."
    short = max(len(target.whole), len(whole)) <= MAX_PARSED_CHARS
    if target.is_python and short and _parses(target.whole) and not _parses(whole):
        return "", "The answer is not valid Python, but the original code was."
    return whole, ""


def _with_magic(code: str, language: str, kernel: str) -> str:
    """Code of a language, below the cell magic that it needs in a notebook of an IPython kernel."""
    magic = languages.magic_of(language)
    first = next((line for line in code.split("\n") if line.strip()), "")
    if not magic or kernel.lower() not in languages.PYTHON or magics.is_cell_magic(first):
        return code
    return f"{magic}\n{code}"


def _block_of(answer: str, language: str, like: str = "") -> tuple[str, str]:
    """The code in an answer, and the language that its fence names; of several blocks the one most `like`."""
    fences = [block for block in blocks(answer) if isinstance(block, Fence)]
    if not fences:
        return answer.strip("\n").rstrip(), ""
    fitting = [fence for fence in fences if _named(fence) in _names_of(language)]
    chosen = fitting or fences
    if like and len(chosen) > 1:
        matcher = difflib.SequenceMatcher(None)
        matcher.set_seq2(like.split("\n"))

        def likeness(fence: Fence) -> tuple[float, int]:
            matcher.set_seq1(fence.lines)
            return matcher.ratio(), len(fence.text)

        best = max(chosen, key=likeness)
    else:
        best = max(chosen, key=lambda fence: len(fence.text))
    return best.text.strip("\n").rstrip(), _named(best)


def _named(fence: Fence) -> str:
    return fence.info.partition(" ")[0].lower()


def _names_of(language: str) -> frozenset[str]:
    return _SAME_LANGUAGE.get(language.lower(), frozenset({"", language.lower()}))


def _is_other_language(code: str, info: str, target: CellTarget) -> bool:
    """Whether Python came where another language was asked for, or another language for Python."""
    python = languages.PYTHON
    if target.is_python:
        return info in _OTHER_LANGUAGES
    if target.language in ("cython", "python2", "text"):
        return False
    if info in python or (info in _OTHER_LANGUAGES and info not in _names_of(target.language)):
        return True
    return _is_plainly_python(code) and not _is_plainly_python(target.code)


_OTHER_LANGUAGES = frozenset({
    "bash", "sh", "shell", "console", "sql", "html", "javascript", "js", "r", "julia", "c", "cpp", "java",
    "json", "yaml",
})  # fmt: skip


def _is_plainly_python(code: str) -> bool:
    if len(code) > MAX_PARSED_CHARS:
        return False
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef) for node in ast.walk(tree))


def _parses(code: str) -> bool:
    """Whether code is a valid cell: magics are taken for valid, and `await` may stand anywhere."""
    lines = code.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    while first < len(lines) and magics.is_cell_magic(lines[first]):
        lines[first] = ""
        first += 1
    try:
        source = textwrap.dedent("\n".join(magics.neutral(lines)))
        compile(source, "<cell>", "exec", flags=_FLAGS, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def diff(before: str, after: str, context_lines: int = 3) -> list[DiffLine]:
    """The unified diff of two texts; empty where they say the same, white space at the ends aside."""
    old, new = (text.strip("\n").rstrip().splitlines() for text in (before, after))
    lines = difflib.unified_diff(old, new, n=context_lines, lineterm="")
    return [_line(line) for line in list(lines)[2:]]  # the first two name files


def _line(line: str) -> DiffLine:
    signs: dict[str, Sign] = {"+": "+", "-": "-", "@": "@"}
    sign = signs.get(line[:1], " ")
    return DiffLine(sign, line if sign == "@" else line[1:])
