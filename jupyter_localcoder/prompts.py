"""What the model is told: the words of each command. Pure.

The models this is written for are small. They follow a short instruction better than a long one, keep
code as it is when told so last, and answer in one code block when the block is asked for by name.
"""

from __future__ import annotations

from .context.comments import comment
from .contract.generation import ChatRequest, GenerateRequest
from .contract.notebook import NotebookCell
from .contract.wire import ChatPrompt, Span, Turn
from .errors import InvalidArgument

SYSTEM = (
    "You are a careful programming assistant inside a Jupyter notebook. "
    "Be correct and brief. Write no more than what was asked for."
)

_CODE_ONLY = "Answer with one ```{language} code block that holds the whole new code, and nothing else."

_INSTRUCTIONS: dict[str, str] = {
    "explain": (
        "Explain what this {language} code does, step by step, for somebody who will have to change it. "
        "Name anything surprising or wrong. Use short paragraphs or a list."
    ),
    "improve": (
        "Improve this {language} code: make it clearer, more idiomatic and, where that is easy, faster. "
        "Keep its behaviour, its names and its comments unless one of them is wrong. " + _CODE_ONLY
    ),
    "fix": (
        "This {language} code fails. Find the cause and correct it, changing as little as possible. "
        + _CODE_ONLY
    ),
    "document": (
        "Add docstrings and, where the code is not obvious, short comments to this {language} code. "
        "Do not change the code itself. " + _CODE_ONLY
    ),
    "test": (
        "Write tests with pytest for this {language} code: the usual case, the edge cases, and the "
        "failures. Do not repeat the code itself. Answer with one ```{language} code block and nothing else."
    ),
    "generate": (
        "Write the {language} code that is described below. Answer with one ```{language} code block "
        "and nothing else."
    ),
}

REPEATS_ITS_PROMPT = frozenset({"improve", "fix", "document"})
"""Commands whose answer is mostly the code that was sent."""

PROPOSES_CODE = frozenset({"improve", "fix", "document", "test", "generate"})
"""Commands whose answer is code, to be put into a cell."""


def command_prompt(request: GenerateRequest) -> ChatPrompt:
    """Build the conversation that a command starts.

    Raises
    ------
    InvalidArgument
        There is nothing to work on.
    """
    if request.command == "prompt":
        return ChatPrompt((Turn("system", SYSTEM), _user(_free_prompt(request))))
    if request.command == "generate":
        if not (request.instruction.strip() or request.code.strip()):
            raise InvalidArgument("Nothing says what code to write: the description is empty.")
    elif not request.code.strip():
        raise InvalidArgument(f"There is no code to {request.command}: the cell is empty.")
    sections = [("instructions", _INSTRUCTIONS[request.command].format(language=request.language))]
    if request.instruction.strip():
        sections.append(("question", request.instruction.strip()))
    sections += _context(request.context, request.language)
    if request.code.strip():
        sections.append(("code", _fenced(request.code, request.language)))
    if request.error.strip():
        sections.append(("error", "It failed with:\n" + _fenced(request.error, "text")))
    return ChatPrompt((Turn("system", SYSTEM), _user(sections)))


def asked(request: GenerateRequest) -> str:
    """What a person asked with a command: their words, their code and its error, and nothing of ours."""
    parts = [request.instruction.strip()]
    if request.code.strip():
        parts.append(_fenced(request.code, request.language))
    if request.error.strip():
        parts.append("It failed with:\n" + _fenced(request.error, "text"))
    return "\n\n".join(part for part in parts if part)


def chat_prompt(request: ChatRequest) -> ChatPrompt:
    """Build the prompt of a conversation's next turn.

    Raises
    ------
    InvalidArgument
        The last turn is not the user's, or is empty.
    """
    last = request.messages[-1]
    if last.role != "user" or not last.content.strip():
        raise InvalidArgument("The last message must be the user's, and say something.")
    turns = tuple(Turn(m.role, m.content) for m in request.messages)
    if turns[0].role != "system":
        turns = (Turn("system", SYSTEM), *turns)
    return ChatPrompt(turns)


Section = tuple[str, str]
"""A part of a prompt: where it comes from, and its text."""


def _user(sections: list[Section]) -> Turn:
    """One turn of all sections, a blank line between them."""
    ends = ["\n\n"] * (len(sections) - 1) + [""]
    texts = [(source, text + end) for (source, text), end in zip(sections, ends, strict=True)]
    return Turn("user", "".join(text for _, text in texts), tuple(Span(s, len(text)) for s, text in texts))


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
    return [("cells above", f"For context, earlier cells of the notebook:\n{code}")]


def _as_code(cell: NotebookCell, language: str) -> str:
    """Return a cell as code; Markdown becomes comments."""
    return cell.source.rstrip() if cell.kind == "code" else comment(cell.source.strip(), language)


def _fenced(code: str, language: str) -> str:
    """Return a code block whose fence is longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"
