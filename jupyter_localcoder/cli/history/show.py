"""``history show``: one answer, with what is known of it."""

from __future__ import annotations

from traitlets import Bool

from ...contract import history, registry
from ...text.plain_text import plain
from ..command import LocalCoderCommand, options
from ..exits import ExitCode
from .answers import request_for


class HistoryShow(LocalCoderCommand):
    """Print one answer."""

    usage = "history show ID|last [options]"
    description = """Print an answer on stdout, and its question and details on stderr: model,
    time, tokens, notebook. `last` is the newest answer."""
    arguments = (1, 1)
    flags = LocalCoderCommand.flags | options(
        question=("HistoryShow.question", "Print the question instead of the answer.")
    )
    examples = """
jupyter localcoder history show last
jupyter localcoder history show 5f0c3a9e17b2d484 > answer.md
"""

    question = Bool(False, config=True, help="Print the question instead of the answer.")

    def run(self) -> ExitCode:
        """Print it."""
        with self.client() as client:
            request = request_for(client, self.extra_args[0])
            found: history.Response = client.call(registry.RESPONSE_GET, request)
        self.console.document(found)
        for line in _facts(found):
            self.note(self.console.paint(plain(line), "dim", self.console.stderr))
        if not self.question:
            self.note(plain(found.prompt) + "\n")
        self.console.out(plain(found.prompt if self.question else found.content))
        return ExitCode.OK


def _facts(found: history.Response) -> list[str]:
    where = " ".join(part for part in (found.notebook, found.cell and f"cell {found.cell}") if part)
    tokens = "" if found.completion_tokens is None else f"{found.completion_tokens} tokens"
    cost = "" if found.cost_usd is None else f"{found.cost_usd:.4f} USD"
    how = (
        found.model,
        found.provider,
        found.quantization,
        tokens,
        f"{found.milliseconds / 1000:.1f} s",
        cost,
    )
    seed = found.sampling.get("seed")
    facts = {
        "Title": found.title,
        "When": found.created_at,
        "How": " · ".join(part for part in how if part),
        "Seed": "" if seed is None else str(seed),
        "Where": where,
        "Chat": found.conversation_id,
        "References": ", ".join(reference.name or reference.kind for reference in found.references),
        "Not read": _left_out(found.left_out_turns),
        "Reasoning": f"{len(found.reasoning)} characters" if found.reasoning else "",
        "End": "" if found.finish == "stop" else found.finish,
        "No change": found.not_offered,
    }
    return [f"{name + ':':<11}{value}" for name, value in facts.items() if value]


def _left_out(turns: int) -> str:
    """What of the conversation there was no room for."""
    if not turns:
        return ""
    return "the first turn of the chat" if turns == 1 else f"the first {turns} turns of the chat"
