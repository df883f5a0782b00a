"""What the generating commands share: their options, the stream of an answer, and the metrics line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from traitlets import Bool, Float, Integer, Unicode

from ..contract import codec, generation
from ..contract.providers import EMBEDDED
from ..contract.registry import Operation
from ..errors import BackendUnavailable
from ..text.plain_text import PlainText, plain
from ..text.units import tokens_per_second
from .command import LocalCoderCommand, options
from .exits import ExitCode

WHOLE_ANSWER = "The whole answer is in the history (`history show last`)."


def generation_aliases(cls: str, *names: str) -> dict[str, str]:
    """Options of the command line for traits of the same name: ``max_tokens`` is ``--max-tokens``."""
    return {name.replace("_", "-"): f"{cls}.{name}" for name in names}


class GeneratingCommand(LocalCoderCommand):
    """Base of the commands that let the model write."""

    arguments = (1, 1)
    operation: ClassVar[Operation[Any, generation.Done]]

    aliases = LocalCoderCommand.aliases | generation_aliases(
        "GeneratingCommand",
        "provider",
        "model",
        "profile",
        "language",
        "max_tokens",
        "temperature",
        "seed",
        "timeout",
    )

    flags = LocalCoderCommand.flags | options(
        reasoning=(
            "GeneratingCommand.reasoning",
            "Also print the reasoning of the model on stderr.",
        ),
    )

    provider = Unicode("", config=True, help="Id of the provider. Default: the active one.")
    model = Unicode("", config=True, help="Model name at the provider. Default: the model from the settings.")
    profile = Unicode("", config=True, help="Profile used to load the model.")
    language = Unicode(
        "", config=True, help="Language of the code. Default: derived from the file extension."
    )
    max_tokens = Integer(None, allow_none=True, config=True, help="Maximum length of the answer, in tokens.")
    temperature = Float(None, allow_none=True, config=True, help="Sampling temperature, 0 (greedy) to 2.")
    seed = Integer(None, allow_none=True, config=True, help="Random seed, for reproducible output.")
    timeout = Float(
        None, allow_none=True, config=True, help="Time limit in seconds; a longer answer is truncated."
    )
    reasoning = Bool(False, config=True, help="Print the reasoning of the model on stderr.")

    def options(self) -> dict[str, Any]:
        """The fields of a request that were given on the command line."""
        fields = {
            "provider": self.provider or None,
            "model": self.model or None,
            "profile": self.profile or None,
            "max_tokens": self.max_tokens,
            "timeout_ms": None if self.timeout is None else round(self.timeout * 1000),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def sampling(self) -> dict[str, Any]:
        """The sampling that was given on the command line."""
        fields = {"temperature": self.temperature, "seed": self.seed}
        return {name: value for name, value in fields.items() if value is not None}

    def generate(self, request: dict[str, Any], show: Callable[[str], None]) -> generation.Done:
        """Ask, and hand on each piece of the answer as it comes, made safe to print.

        Leaving it early, by Ctrl-C or a closed pipe, cancels the request.
        """
        checked = codec.decode(self.operation.request, request)
        plain, thoughts = PlainText(), _Thoughts(self)
        with self.client() as client, client.stream(self.operation, checked) as frames:
            for frame in frames:
                if isinstance(frame, generation.Delta):
                    thoughts.add(frame.reasoning)
                    if frame.text:
                        thoughts.end()
                        show(plain.feed(frame.text))
                elif isinstance(frame, generation.Done):
                    thoughts.end()
                    return frame
        raise BackendUnavailable

    def finish(self, done: generation.Done) -> ExitCode:
        """Say how it went, on stderr, where it is not part of the answer."""
        if done.finish == "canceled":
            self.console.note("Cancelled.")
            return ExitCode.INTERRUPTED
        if done.finish in _CUT:
            self.note(f"Note: {_CUT[done.finish]}")
        self.note(self.console.paint(metrics(done), "dim", self.console.stderr))
        # What was asked for is not there, and no option of this command brings it.
        return ExitCode.FAILED if done.finish == "filter" else ExitCode.OK


class _Thoughts:
    """What the model reasons, on stderr: all of it where that is wanted, else a word that it does."""

    def __init__(self, command: GeneratingCommand) -> None:
        self._command = command
        self._plain = PlainText()
        self._open = False

    def add(self, reasoning: str) -> None:
        """Show more of it."""
        if not reasoning:
            return
        if not self._open and not self._command.reasoning:
            self._command.note("The model is reasoning.")
        self._open = True
        if self._command.reasoning:
            self._command.console.note(self._plain.feed(reasoning), end="")

    def end(self) -> None:
        """The answer begins."""
        if self._open and self._command.reasoning:
            self._command.console.note("")
        self._open = False


_CUT = {
    "filter": "the provider truncated the answer.",
    "length": "the answer reached the token limit; increase it with `--max-tokens`.",
    "timeout": "the answer reached the time limit; increase it with `--timeout`.",
}


def metrics(done: generation.Done) -> str:
    """One line: tokens, speed, time, who answered."""
    timings, written = done.timings, done.usage.completion_tokens
    parts = [
        # A provider does not always say how many.
        "" if written is None else f"{written} tokens",
        "" if written is None else tokens_per_second(timings.decode_tokens_per_second),
        f"{timings.total_ms / 1000:.1f} s",
        done.model.id if done.provider == EMBEDDED else f"{done.model.id} by {done.provider}",
        "" if done.cost_usd is None else f"about {done.cost_usd:.4f} USD",
    ]
    return plain(" · ".join(filter(None, parts)))


def answer(done: generation.Done) -> dict[str, Any]:
    """The JSON form of an answer."""
    fields: dict[str, Any] = msgspec.to_builtins(done)
    return fields
