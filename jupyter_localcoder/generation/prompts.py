"""The prompts of commands and chats: instructions, rules, context and code, in their order. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..context import kernel
from ..context.checks.changed import relevant
from ..context.comments import comment
from ..context.target import CellTarget
from ..contract.generation import ChatRequest, GenerateRequest, Message
from ..contract.history import Response
from ..contract.notebook import KernelVariable, NotebookCell, Reference, ReferenceKind
from ..contract.wire import SOURCE_EARLIER, ChatPrompt, PromptTurn, Span
from ..errors import InvalidArgument
from .instructions import SHIPPED, Instructions

SOURCE_RULES = "project rules"
"""Source of the rules of a project, in the parts of a prompt."""

_PROBLEM = "An earlier answer could not be used, so answer differently. What was wrong with it: {problem}"
_KERNEL = "Variables that exist, with the exact names of their columns:"
_FRAMES = 3
"""Data frames that `generate` reads about, where the description names none."""
_KERNEL_CHARS = 2000

_ABOVE = "Earlier cells of the notebook. They have run, stay as they are, and are not to be repeated:"
_TARGET = "The code of this cell:"
_READS_ALL = frozenset({"explain", "generate", "prompt"})
"""Commands that are shown the magics too."""

_REFERENCES: dict[ReferenceKind, str] = {
    "cell": "Cell",
    "selection": "Selected code",
    "output": "Output of",
    "error": "Error",
    "file": "File",
    "variable": "Variable",
    "text": "",
}

PROPOSES_CODE = frozenset({"improve", "fix", "document", "test", "generate"})
"""Commands whose answer is code, to be put into a cell."""


def command_prompt(
    request: GenerateRequest,
    target: CellTarget | None = None,
    *,
    problem: str = "",
    rules: str = "",
    instructions: Instructions = SHIPPED,
) -> ChatPrompt:
    """Build the conversation that a command starts.

    Parameters
    ----------
    target
        What of the code is to be changed, where not all of it is, and its language.
    problem
        Why the first answer could not be used, as a sentence. The model then reads only those of the other
        cells that define what it needs.
    rules
        Rules of the project (`generation.rules`); empty where there are none.
    instructions
        What the model is told to do.

    Raises
    ------
    InvalidArgument
        There is nothing to work on.
    """
    if request.command == "prompt":
        return ChatPrompt((_system(instructions.system, rules), _user(_free_prompt(request))))
    if request.command == "generate":
        if not (request.instruction.strip() or request.code.strip()):
            raise InvalidArgument("The description of the code to write is empty.")
    elif not request.code.strip():
        raise InvalidArgument(f"There is no code to {request.command}: the cell is empty.")
    language = target.language if target else request.language
    code = target.code if target and request.command not in _READS_ALL else request.code
    # The code itself stands last: what a small model has read last is what it works on.
    cells = request.context
    if problem:
        cells = relevant(cells, f"{code}\n{request.instruction}")
    sections = _context(cells, request.language)
    said = "\n".join((code, request.instruction, request.error))
    sections += _kernel(
        request.variables, said, cells, frames=_FRAMES if request.command == "generate" else 0
    )
    words = instructions.of(request.command, language)
    if problem:
        words = f"{words}\n\n{_PROBLEM.format(problem=problem)}"
    sections.append(("instructions", words))
    if rules:
        # Next to the task: small models follow them less often where they stand before everything.
        sections.append((SOURCE_RULES, rules))
    if request.instruction.strip():
        sections.append(("question", request.instruction.strip()))
    if code.strip():
        sections.append(
            ("code", f"{_TARGET}\n{_fenced(code, language)}" if request.context else _fenced(code, language))
        )
    if request.error.strip():
        sections.append(("error", "It failed with:\n" + _fenced(request.error, "text")))
    return ChatPrompt((_system(instructions.system), _user(sections)))


def request_text(request: GenerateRequest) -> str:
    """What a person asked with a command: their words, their code and its error, and nothing of ours."""
    parts = [request.instruction.strip()]
    if request.code.strip():
        parts.append(_fenced(request.code, request.language))
    if request.error.strip():
        parts.append("It failed with:\n" + _fenced(request.error, "text"))
    return "\n\n".join(part for part in parts if part)


def chat_prompt(request: ChatRequest, *, rules: str = "", instructions: Instructions = SHIPPED) -> ChatPrompt:
    """Build the prompt of a chat's next turn out of all its messages; parameters as of `command_prompt`.

    Raises
    ------
    InvalidArgument
        The last turn is not the user's, or is empty.
    """
    check_asks(request)
    before = [PromptTurn(m.role, m.content) for m in request.messages[:-1]]
    if not before or before[0].role != "system":
        before.insert(0, PromptTurn("system", instructions.system))
    before[0] = _system(before[0].content, rules)
    asked = question(request.messages[-1].content, request.references, request.variables)
    return ChatPrompt((*before, asked))


def check_asks(request: ChatRequest) -> None:
    """Refuse a chat that asks nothing.

    Raises
    ------
    InvalidArgument
        The last turn is not the user's, or is empty.
    """
    if not request.messages or request.messages[-1].role != "user" or not last_text(request.messages):
        raise InvalidArgument("The last message must be a user message that is not empty.")


def turn_prompt(
    before: Sequence[Response],
    words: str,
    references: Sequence[Reference],
    *,
    instruction: str = "",
    reserve_tokens: int = 0,
    variables: Sequence[KernelVariable] = (),
    rules: str = "",
    instructions: Instructions = SHIPPED,
) -> ChatPrompt:
    """Build the prompt of a conversation's next turn.

    Parameters
    ----------
    before
        The turns so far, oldest first; the worker leaves the oldest out where they do not fit.
    reserve_tokens
        Room to leave for the answer.
    variables
        What the kernel knows now; told with the last question only.
    rules, instructions
        As of `command_prompt`.
    """
    turns = [_system(instruction or instructions.system, rules)]
    for turn in before:
        asked = question(turn.prompt, turn.references).content
        turns += [_earlier("user", asked), _earlier("assistant", turn.content)]
    turns.append(question(words, references, variables))
    return ChatPrompt(tuple(turns), earlier_turns=len(before), reserve_tokens=reserve_tokens)


def question(
    words: str, references: Sequence[Reference], variables: Sequence[KernelVariable] = ()
) -> PromptTurn:
    """A person's turn: what they put beside their question, what the kernel knows of it, then their words."""
    sections = [("references", _reference(reference)) for reference in references if reference.text.strip()]
    said = "\n".join([words, *(reference.text for reference in references)])
    sections += _kernel(variables, said)
    return _user([*sections, ("question", words)])


def last_text(messages: Sequence[Message]) -> str:
    """The words of the last message."""
    return messages[-1].content if messages and messages[-1].content.strip() else ""


Section = tuple[str, str]
"""A part of a prompt: where it comes from, and its text."""


def _system(instruction: str, rules: str = "") -> PromptTurn:
    if not rules:
        return PromptTurn("system", instruction)
    return _turn("system", [("instructions", instruction), (SOURCE_RULES, rules)])


def _user(sections: list[Section]) -> PromptTurn:
    return _turn("user", sections)


def _turn(role: str, sections: list[Section]) -> PromptTurn:
    """One turn of all sections, a blank line between them."""
    ends = ["\n\n"] * (len(sections) - 1) + [""]
    texts = [(source, text + end) for (source, text), end in zip(sections, ends, strict=True)]
    return PromptTurn(
        role, "".join(text for _, text in texts), tuple(Span(s, len(text)) for s, text in texts)
    )


def _earlier(role: str, content: str) -> PromptTurn:
    return PromptTurn(role, content, (Span(SOURCE_EARLIER, len(content)),))


def _reference(reference: Reference) -> str:
    name = " ".join(reference.name.split())
    head = f"{_REFERENCES[reference.kind]} {name}".strip()
    return f"{head}:\n{_fenced(reference.text, reference.language or 'text')}"


def _free_prompt(request: GenerateRequest) -> list[Section]:
    words = request.instruction.strip() or request.code.strip()
    if not words:
        raise InvalidArgument("The prompt is empty.")
    sections = _context(request.context, request.language)
    if request.instruction.strip() and request.code.strip():
        sections.append(("code", _fenced(request.code, request.language)))
    return [*sections, ("question", words)]


def _context(cells: tuple[NotebookCell, ...], language: str) -> list[Section]:
    shown = [_as_code(cell, language) for cell in cells if cell.source.strip()]
    if not shown:
        return []
    code = _fenced("\n\n".join(shown), language)
    return [("cells above", f"{_ABOVE}\n{code}")]


def _kernel(
    variables: Sequence[KernelVariable], said: str, cells: Sequence[NotebookCell] = (), *, frames: int = 0
) -> list[Section]:
    """What the kernel knows of the names that are said: types and columns, never values."""
    if not variables:
        return []
    chosen = kernel.named(variables, said, frames=frames)
    if not chosen:
        return []
    lines, _ = kernel.lines(chosen, [said, *(cell.source for cell in cells)], "python", _KERNEL_CHARS)
    if not lines:
        return []
    return [("kernel", f"{_KERNEL}\n{_fenced(chr(10).join(lines), 'python')}")]


def _as_code(cell: NotebookCell, language: str) -> str:
    """Return a cell as code; Markdown becomes comments."""
    return cell.source.rstrip() if cell.kind == "code" else comment(cell.source.strip(), language)


def _fenced(code: str, language: str) -> str:
    """Return a code block whose fence is longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"
