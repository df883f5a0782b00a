"""The options that all coding magics share, in the form that IPython's own magics have.

Unlike them, the words of a line are not split as a shell would: they are an instruction in a human language,
with apostrophes and arrows in it.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import msgspec
from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser, argument, magic_arguments
from msgspec.structs import asdict

from ..contract.codec import decode
from ..contract.generation import ChatRequest, Command, GenerateRequest, Origin
from ..contract.notebook import KernelVariable, NotebookCell, Reference

Format = Literal["markdown", "code", "text"]
F = TypeVar("F", bound=Callable[..., Any])

_NOT_AN_OPTION = re.compile(r"-(?!-[A-Za-z]|o|\d)")
# IPython leaves these two without types.
_argument = cast("Callable[..., Callable[[F], F]]", argument)
_arguments = cast("Callable[[], Callable[[F], F]]", magic_arguments)
_NOWHERE = Origin()
_WORD_MARK = "\0"  # stands before a word that would look like an option


def coding_arguments(
    *, applies: bool, chats: bool = False, verifies: bool = False, repeats: bool = False
) -> Callable[[F], F]:
    """Decorate a magic with the shared options.

    Parameters
    ----------
    applies
        Whether its answer is code that can go into a cell.
    chats
        Whether it is a turn of a conversation.
    verifies
        Whether the code can be tried in a copy of the notebook.
    repeats
        Whether it can be asked for again until it runs there.

    """
    arguments = [
        _argument("words", nargs="*", help="Target (line magic only), followed by an instruction."),
        _argument(
            "--provider",
            default="",
            help="Id of the provider (`%%localcoder providers`). Default: the active one.",
        ),
        _argument(
            "--model", help="Id of the model (`%%localcoder models`). Default: the model from the settings."
        ),
        _argument("--profile", help="Profile to use. Default: the profile from the settings."),
        _argument("--max-tokens", type=int, help="Maximum length of the answer, in tokens."),
        _argument("--temperature", type=float, help="Sampling temperature, 0 (greedy) to 2."),
        _argument("--seed", type=int, help="Random seed: the same seed and prompt give the same answer."),
        _argument(
            "--context",
            type=int,
            default=0,
            metavar="N",
            help="Number of preceding cells to send as context. Default: 0.",
        ),
        _argument(
            "--format",
            choices=("markdown", "code", "text"),
            default="markdown",
            help="Show the answer as Markdown (default), only its code, or plain text.",
        ),
        _argument("--quiet", action="store_true", help="Show only the answer."),
        _argument("--private", action="store_true", help="Do not save the answer in the history."),
        _argument("-o", "--out", metavar="NAME", help="Store the answer as a string in this variable."),
    ]
    if applies:
        arguments.append(
            _argument(
                "--apply",
                choices=("next", "replace"),
                help="Insert the new code into the next cell, or replace this cell. The code is never run.",
            )
        )
    if verifies:
        arguments.append(
            _argument(
                "--verify",
                action="store_true",
                help="Run the code in an isolated copy of the notebook (a fresh process with the variables "
                "that it reads), and show what it does there.",
            )
        )
    if repeats:
        arguments.append(
            _argument(
                "--until-runs",
                action="store_true",
                help="With `--verify`: if the code fails in the copy, ask again, up to three times in all.",
            )
        )
    if chats:
        arguments += [
            _argument("--new", action="store_true", help="Start a new conversation."),
            _argument("--again", action="store_true", help="Answer the last question again."),
        ]

    def decorate(function: F) -> F:
        for add in reversed(arguments):
            function = add(function)
        return _arguments()(function)

    return decorate


class Options:
    """The line of a magic, parsed.

    Raises
    ------
    UsageError
        The line cannot be parsed.

    """

    def __init__(self, function: Callable[..., Any], line: str) -> None:
        parser: MagicArgumentParser = function.parser  # type: ignore[attr-defined]
        tokens = [_WORD_MARK + token if _NOT_AN_OPTION.match(token) else token for token in line.split()]
        parsed: Namespace = parser.parse_intermixed_args(tokens)
        self.words = [word.removeprefix(_WORD_MARK) for word in parsed.words]
        self.format: Format = parsed.format
        self.quiet: bool = parsed.quiet
        self.out: str | None = parsed.out
        self.apply: Literal["next", "replace"] | None = getattr(parsed, "apply", None)
        self.context: int = parsed.context
        self.until_runs: bool = getattr(parsed, "until_runs", False)
        self.verify: bool = getattr(parsed, "verify", False) or self.until_runs
        self.verifies = hasattr(parsed, "verify")
        """Whether the magic has the option."""
        self.new: bool = getattr(parsed, "new", False)
        self.again: bool = getattr(parsed, "again", False)
        self._parsed = parsed
        if self.out is not None and not self.out.isidentifier():
            raise UsageError(f"argument -o/--out: {self.out!r} is not a valid variable name")
        if self.context < 0:
            raise UsageError("argument --context: a number of cells, 0 or more")

    def request(
        self,
        command: Command,
        *,
        code: str = "",
        instruction: str = "",
        error: str = "",
        language: str = "python",
        context: tuple[NotebookCell, ...] = (),
        below: tuple[NotebookCell, ...] = (),
        variables: tuple[KernelVariable, ...] = (),
        origin: Origin = _NOWHERE,
    ) -> GenerateRequest:
        """The request, checked here already, so that a wrong option costs no round trip.

        Raises
        ------
        ValidationError
            It names the option that is out of its range.

        """
        return decode(
            GenerateRequest,
            {
                "command": command,
                "code": code,
                "instruction": instruction,
                "error": error,
                "language": language,
                "context": _cells(context),
                "below": _cells(below),
                "variables": msgspec.to_builtins(variables),
                **self._how(origin),
            },
        )

    def chat_request(
        self,
        words: str = "",
        *,
        origin: Origin,
        conversation: str,
        references: tuple[Reference, ...] = (),
        variables: tuple[KernelVariable, ...] = (),
        regenerate: str | None = None,
    ) -> ChatRequest:
        """The next turn of a conversation, checked here already.

        Raises
        ------
        ValidationError
            It names the option that is out of its range.

        """
        return decode(
            ChatRequest,
            {
                "messages": [{"role": "user", "content": words}] if words else [],
                "references": [asdict(reference) for reference in references],
                "variables": msgspec.to_builtins(variables),
                "conversation": conversation,
                "regenerate": regenerate,
                **self._how(origin),
            },
        )

    def _how(self, origin: Origin) -> dict[str, Any]:
        parsed = self._parsed
        return {
            "provider": parsed.provider,
            "model": parsed.model,
            "profile": parsed.profile,
            "max_tokens": parsed.max_tokens,
            "sampling": {"temperature": parsed.temperature, "seed": parsed.seed},
            "origin": asdict(origin),
            "private": parsed.private,
        }


def _cells(cells: tuple[NotebookCell, ...]) -> list[dict[str, Any]]:
    return [{"source": cell.source, "execution_count": cell.execution_count} for cell in cells]
