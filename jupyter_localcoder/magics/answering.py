"""One request of a magic, from sending it to what is shown after the answer."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..context.target import target_of
from ..contract.generation import CHANGES, Change, Delta, Done, GenerateRequest
from ..contract.provenance import METADATA_KEY
from ..contract.providers import EMBEDDED
from ..contract.registry import GENERATE
from ..errors import LocalCoderError
from ..text.answers import change_of, code_of, diff
from ..text.plain_text import plain
from ..text.units import tokens_per_second
from .options import Options
from .record import Record, Records, record_of, saved
from .view import View, view_of

_ENDINGS = {
    "stop": "",
    "filter": "truncated by the provider",
    "length": "truncated at the token limit (increase it with `--max-tokens`)",
    "timeout": "stopped at the time limit",
    "canceled": "cancelled",
}


def answer(
    shell: InteractiveShell, client: Client, request: GenerateRequest, options: Options, records: Records
) -> None:
    """Ask, show the answer as it comes, do with it what the options say, and keep how it was made.

    Raises
    ------
    LocalCoderError
        The partial answer is shown.
    KeyboardInterrupt
        The request is cancelled; the partial answer is shown.

    """
    view = view_of(shell, options.format, request.language)
    done, record = show(client, request, view, quiet=options.quiet)
    records.add(record, done.text)
    # A server of an older version does not say what may be written.
    change = done.change
    if change is None and request.command != "explain":
        change = change_of(request, target_of(request), done.text, done.finish)
    if options.out:
        code = change.code.rstrip() if change else code_of(done.text, request.language)
        shell.user_ns[options.out] = plain(code if options.format == "code" else done.text)
    if request.command in CHANGES and change and not options.quiet:
        if not change.problem or done.finish != "stop":
            view.diff(diff(request.code, change.code))
        for sentence in change.notes:
            view.note(sentence)
    refused = _apply(shell, options, change)
    if not options.quiet:
        view.note(summary(done))
        if not refused and change and change.problem and done.finish == "stop":
            refused = f"{change.problem} {change.recovery}"
    if refused:
        view.note(refused)


def show(client: Client, request: GenerateRequest, view: View, *, quiet: bool = False) -> tuple[Done, Record]:
    """Ask, and show the answer as it comes, with its record in the metadata; raises as `answer` does."""
    done: Done | None = None
    try:
        with client.stream(GENERATE, request) as stream:
            view.begin()
            attempt = 1
            for frame in stream:
                if isinstance(frame, Delta):
                    if frame.attempt != attempt:
                        attempt = frame.attempt
                        view.begin_again()
                    show_piece(view, frame)
                elif isinstance(frame, Done):
                    done = frame
                    view.settle(done.text, done.reasoning)
    except KeyboardInterrupt:
        view.end({METADATA_KEY: {"command": request.command, "finish": "canceled"}})
        if not quiet:
            view.note("cancelled")
        raise
    except LocalCoderError as error:
        view.end({METADATA_KEY: {"command": request.command, "error": error.code}})
        raise
    if done is None:  # a stream ends with Done or raises
        raise LocalCoderError()
    record = record_of(request, done)
    view.end({METADATA_KEY: saved(record)})
    return done, record


def show_piece(view: View, frame: Delta) -> None:
    """Show a piece of the reasoning or of the answer."""
    if frame.reasoning:
        view.reason(frame.reasoning)
    if frame.text:
        view.add(frame.text)


def _apply(shell: InteractiveShell, options: Options, change: Change | None) -> str:
    """Put the code into a cell if that was asked for; a sentence where it is not done."""
    if options.apply is None:
        return ""
    if change is None:
        return "Not applied: the answer of this command is not code."
    if change.problem:
        return f"Not applied: {change.problem[0].lower()}{change.problem[1:]} {change.recovery}"
    shell.set_next_input(change.code.rstrip(), replace=options.apply == "replace")
    return ""


def summary(done: Done) -> str:
    """One line: tokens, speed, time, provider, and the finish reason if it is not the normal one."""
    written, speed = done.usage.completion_tokens, done.timings.decode_tokens_per_second
    parts = [
        # A provider does not always say how many.
        "" if written is None else f"{written} tokens",
        "" if written is None else tokens_per_second(speed),
        f"{done.timings.total_ms / 1000:.1f} s",
        done.model.id if done.provider == EMBEDDED else f"{done.model.id} by {done.provider}",
        "" if done.cost_usd is None else f"about {done.cost_usd:.4f} USD",
        _ENDINGS[done.finish],
    ]
    return plain(" · ".join(part for part in parts if part))
