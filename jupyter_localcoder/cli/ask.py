"""``ask``, ``chat``, ``generate`` and ``test``: what is asked for in words, or answered with new code."""

from __future__ import annotations

from typing import Any

from traitlets import Unicode

from ..contract import generation, history, registry
from ..text import answers
from ..text.plain_text import plain
from .exits import ExitCode
from .generation import WHOLE_ANSWER, GeneratingCommand, answer, generation_aliases
from .source import STDIN, read_source, read_text

_LAST, _NEW = "last", "new"


class WordsCommand(GeneratingCommand):
    """Base of the commands that take words in place of a file."""

    arguments = (1, 1000)

    def words(self) -> str:
        """What was asked; a lone dash is standard input."""
        given = self.extra_args
        return read_text(STDIN, self.console) if given == [STDIN] else " ".join(given)

    def show(self, text: str) -> None:
        """Print a piece of the answer."""
        self.console.out(text, end="")


class Ask(WordsCommand):
    """Ask anything, once."""

    usage = "ask TEXT... [options]"
    description = "Ask a single question; `-` reads it from standard input. The question is not remembered."
    examples = """
jupyter localcoder ask what does a context manager do
"""
    operation = registry.GENERATE

    def run(self) -> ExitCode:
        """Ask it."""
        request = self.options() | {
            "command": "prompt",
            "instruction": self.words(),
            "language": self.language or "python",
            "sampling": self.sampling(),
        }
        done = self.generate(request, self.show)
        self.console.out("")
        self.console.document(answer(done))
        return self.finish(done)


class Chat(WordsCommand):
    """Ask within a conversation that is remembered."""

    usage = "chat TEXT... [options]"
    description = """Ask the next question of a conversation; `-` reads it from standard input. The
    conversation is saved in the history (`history chats`); continue it with `--conversation`. The
    ids of the conversation and the turn are printed on stderr."""
    examples = """
jupyter localcoder chat what does a context manager do
jupyter localcoder chat and as a decorator --conversation=last
"""
    operation = registry.CHAT
    # A chat is in the words of people.
    aliases = {
        name: trait for name, trait in GeneratingCommand.aliases.items() if name != "language"
    } | generation_aliases("Chat", "conversation", "after")

    conversation = Unicode(_NEW, config=True, help="Id of a conversation, `last`, or `new` (default).")
    after = Unicode(None, allow_none=True, config=True, help="Id of an earlier turn to branch from.")

    def run(self) -> ExitCode:
        """Ask it."""
        request: dict[str, Any] = self.options() | {
            "messages": [{"role": "user", "content": self.words()}],
            "conversation": self._place(),
            "parent": self.after,
            "sampling": self.sampling(),
        }
        done = self.generate(request, self.show)
        self.console.out("")
        self.console.document(answer(done))
        ended = self.finish(done)
        if done.left_out_turns:
            self.note(
                f"Note: {done.left_out_turns} of the earlier turns did not fit into the context window "
                "and were not read."
            )
        if done.conversation:
            self.note(f"Conversation {done.conversation}, turn {done.run}.")
        return ended

    def _place(self) -> str:
        if self.conversation != _LAST:
            return self.conversation
        with self.client() as client:
            page: history.ConversationList = client.call(
                registry.CONVERSATION_LIST, history.ConversationListRequest(limit=1)
            )
        return page.conversations[0].id if page.conversations else _NEW


class Generate(WordsCommand):
    """Write code from a description."""

    usage = "generate TEXT... [options]"
    description = """Write code from the description TEXT; `-` reads the description from standard
    input. The complete code is printed on stdout. It is never run."""
    examples = """
jupyter localcoder generate a function that reverses the words of a sentence
"""
    operation = registry.GENERATE

    def run(self) -> ExitCode:
        """Write it."""
        language = self.language or "python"
        request = {"command": "generate", "instruction": self.words(), "language": language}
        return print_code(self, request, language)


class Test(GeneratingCommand):
    """Write tests for the code in a file."""

    usage = "test FILE [options]"
    description = """Write tests for the code in FILE; `-` reads standard input. The complete tests
    are printed on stdout. They are never run."""
    examples = """
jupyter localcoder test analysis.py > test_analysis.py
"""
    operation = registry.GENERATE
    aliases = GeneratingCommand.aliases | generation_aliases("Test", "instruction")

    instruction = Unicode("", config=True, help="Instruction: what to test.")

    def run(self) -> ExitCode:
        """Write them."""
        source = read_source(self.extra_args[0], self.console)
        language = self.language or source.language
        fields = {"code": source.code, "instruction": self.instruction, "language": language}
        return print_code(self, {"command": "test", **fields}, language)


def print_code(command: GeneratingCommand, request: dict[str, Any], language: str) -> ExitCode:
    """Ask, and print the code of the answer."""
    done: generation.Done = command.generate(
        command.options() | request | {"sampling": command.sampling()}, lambda text: None
    )
    code = answers.code_of(plain(done.text), language)
    change = done.change
    refused = change.problem if change is not None and done.finish == "stop" else ""
    if not refused:
        command.console.out(code)
    command.console.document(answer(done) | {"code": code})
    ended = command.finish(done)
    if refused and change is not None and ended is ExitCode.OK:
        command.console.note(f"{refused} {change.recovery} {WHOLE_ANSWER}")
        return ExitCode.FAILED
    return ended
