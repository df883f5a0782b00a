"""One request of a magic, from sending it to what is shown after the answer."""

from __future__ import annotations

import msgspec
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
from ..trial.verdict import Verdict
from .options import Options
from .record import Record, Records, record_of, saved
from .trying import MAX_ROUNDS, Trials, error_of, next_draft, next_request
from .view import View, view_of

_ENDINGS = {
    "stop": "",
    "filter": "truncated by the provider",
    "length": "truncated at the token limit (increase it with `--max-tokens`)",
    "timeout": "stopped at the time limit",
    "canceled": "cancelled",
}


def answer(
    shell: InteractiveShell,
    client: Client,
    request: GenerateRequest,
    options: Options,
    records: Records,
    trials: Trials | None = None,
) -> None:
    """Ask, show the answer as it comes, do with it what the options say, and keep how it was made.

    Parameters
    ----------
    trials
        Tries the code in a copy before it is offered; None does not.

    Raises
    ------
    LocalCoderError
        The partial answer is shown.
    KeyboardInterrupt
        The request is cancelled; the partial answer is shown.

    """
    if trials is not None and options.until_runs and request.command == "fix" and not request.error:
        request = _with_error(request, trials)
    view, done, change = _show_answer(shell, client, request, options, records)
    verdict, tried, unfit = None, None, ""
    if trials is not None and change is not None and (options.until_runs or _offered(change)):
        if options.until_runs:
            view, done, change, tried, unfit = _until_it_runs(
                shell, client, request, options, records, trials, (view, done, change)
            )
        if tried is not None and request.command not in CHANGES:
            # There is no old code to compare it with, and it was run.
            verdict = tried
            if not options.quiet:
                view.verdict(verdict.sentence, verdict.notes)
        elif not unfit and _offered(change):
            verdict = trials.judge(request, change, None if options.quiet else view)
            unfit = _unfit(request, verdict)
    if options.out:
        code = change.code.rstrip() if change else code_of(done.text, request.language)
        shell.user_ns[options.out] = plain(code if options.format == "code" else done.text)
    if request.command in CHANGES and change and not options.quiet:
        if (not change.problem or done.finish != "stop") and not (unfit and verdict is None):
            view.diff(diff(request.code, change.code))
        for sentence in change.notes:
            view.note(sentence)
    refused = _apply(shell, options, change, unfit)
    if not options.quiet:
        view.note(summary(done))
        if not refused and change and change.problem and done.finish == "stop":
            refused = f"{change.problem} {change.recovery}"
    if refused:
        view.note(refused)


def _show_answer(
    shell: InteractiveShell, client: Client, request: GenerateRequest, options: Options, records: Records
) -> tuple[View, Done, Change | None]:
    """One answer, shown and kept."""
    view = view_of(shell, options.format, request.language)
    done, record = show(client, request, view, quiet=options.quiet)
    records.add(record, done.text)
    # A server of an older version does not say what may be written.
    change = done.change
    if change is None and request.command != "explain":
        change = change_of(request, target_of(request), done.text, done.finish)
    return view, done, change


def _offered(change: Change) -> bool:
    return bool(change.code.strip()) and not change.problem


def _with_error(request: GenerateRequest, trials: Trials) -> GenerateRequest:
    """The request with the error that the code raises in a copy."""
    error = error_of(trials.attempt(request.code))
    return msgspec.structs.replace(request, error=error) if error else request


def _until_it_runs(
    shell: InteractiveShell,
    client: Client,
    request: GenerateRequest,
    options: Options,
    records: Records,
    trials: Trials,
    first: tuple[View, Done, Change],
) -> tuple[View, Done, Change, Verdict | None, str]:
    """The first answer whose code runs in a copy, with what it did there; or the last one, and why not."""
    view, done, change = first
    for number in range(1, MAX_ROUNDS + 1):
        tried = trials.attempt(change.code) if _offered(change) else None
        error = error_of(tried) if tried else ""
        if tried and not error:
            return view, done, change, tried, ""
        if number == MAX_ROUNDS or done.finish != "stop":
            break
        if not options.quiet:
            why = tried.sentence if tried else change.problem
            view.note(f"{why} Asking again ({number + 1} of {MAX_ROUNDS}).")
        again = next_request(request, change, error, number) if tried else next_draft(request, number)
        view, done, following = _show_answer(shell, client, again, options, records)
        if following is None:
            break
        change = following
    if tried and not options.quiet:
        view.verdict(tried.sentence, tried.notes)
    return view, done, change, None, f"Nothing that runs was found (answers: {number})."


def _unfit(request: GenerateRequest, verdict: Verdict) -> str:
    """Why code is not written into a cell by itself after its trial; empty if it may be."""
    wanted = request.command in ("fix", "generate")
    if verdict.kind == "broken" or (verdict.kind == "fails" and wanted):
        return "The new code does not run."
    return ""


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


def _apply(shell: InteractiveShell, options: Options, change: Change | None, unfit: str) -> str:
    """Put the code into a cell if that was asked for; a sentence where it is not done."""
    if unfit:
        return f"Not applied: {unfit[0].lower()}{unfit[1:]}" if options.apply else unfit
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
