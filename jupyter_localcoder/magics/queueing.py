"""`%localcoder queue`: prompts that are answered in their turn, while the notebook goes on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, NoReturn, get_args

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..contract.codec import decode, error_of
from ..contract.generation import LlmCancelRequest
from ..contract.queue import (
    CallRequest,
    Priority,
    QueueAnswer,
    Queued,
    QueueGetRequest,
    QueueItem,
    QueueListRequest,
    QueueView,
    RetryRequest,
)
from ..contract.registry import LLM_CALL, LLM_CANCEL, LLM_RETRY, QUEUE_GET, QUEUE_LIST
from ..errors import InvalidArgument, PromptNotFound
from ..text.plain_text import plain
from ..text.safe_markdown import inert
from .origin import origin_of
from .table import table
from .view import folded

USAGE = (
    "%localcoder queue [list | show ID | prompt ID | wait ID | retry ID | cancel ID | "
    "add [--provider ID] [--model NAME] [--priority high|normal|low] [--set VARIABLE]… [--private] PROMPT]"
)
_LAST = "last"
_WAIT_MS = 10_000
_MOST_FAILED = 10
_HEADS = ["Place", "State", "Provider", "Model", "Notebook", "Id"]


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}: {USAGE}")


class QueueWords:
    """Does what the words behind ``queue`` say."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._last = ""
        """The request that this kernel queued last."""

    def do(self, client: Client, words: list[str], cell: str | None) -> None:
        """Do it.

        Parameters
        ----------
        cell
            The text below the line: the prompt of ``add``.

        Raises
        ------
        UsageError
            They say nothing that can be done.
        LocalCoderError
        """
        verb, *rest = words or ["list"]
        if verb == "add":
            self._add(client, rest, cell)
        elif cell is not None:
            raise UsageError(USAGE)
        elif verb == "list" and not rest:
            self._list(client)
        elif verb in ("show", "wait") and len(rest) == 1:
            self._show(client, self._id(rest[0]), wait=verb == "wait")
        elif verb == "prompt" and len(rest) == 1:
            self._prompt(client, self._id(rest[0]))
        elif verb == "retry" and len(rest) == 1:
            # As with `add`: the cell has ended long before the answer comes.
            again = decode(RetryRequest, {"id": self._id(rest[0]), "keep": True})
            self._print_position(client.call(LLM_RETRY, again))
        elif verb == "cancel" and len(rest) == 1:
            client.call(LLM_CANCEL, LlmCancelRequest(id=self._id(rest[0])))
            print("Cancelled.")
        else:
            raise UsageError(USAGE)

    def _list(self, client: Client) -> None:
        view = client.call(QUEUE_LIST, QueueListRequest())
        rows = [("-", "streaming", item.provider, "-", item.path, item.id) for item in view.streams]
        rows += [
            (str(item.position or "-"), item.state, item.provider, item.model or "-", item.path, item.id)
            for item in (*view.running, *view.waiting, *_failed(view))
        ]
        if rows:
            self._shell.display_pub.publish(table(_HEADS, rows))
        else:
            print("No requests are running or waiting in the queue.")

    def _add(self, client: Client, words: list[str], cell: str | None) -> None:
        parser = _Parser(add_help=False, allow_abbrev=False)
        for name in ("--provider", "--model"):
            parser.add_argument(name, default="")
        parser.add_argument("--priority", choices=get_args(Priority), default="normal")
        parser.add_argument("--set", action="append", dest="names")
        parser.add_argument("--private", action="store_true")
        # What follows the first word of the prompt is prompt, dashes included.
        parser.add_argument("words", nargs="...")
        given = parser.parse_args(words)
        prompt = "\n\n".join(filter(None, (" ".join(given.words), (cell or "").strip())))
        origin = origin_of(self._shell)
        request = decode(
            CallRequest,
            {
                "prompt": prompt,
                "parameters": self._texts(given.names),
                "provider": given.provider,
                "model": given.model,
                "priority": given.priority,
                "private": given.private,
                "path": origin.notebook,
                "cell": origin.cell,
                # The cell has ended long before the answer comes.
                "keep": True,
            },
        )
        self._print_position(client.call(LLM_CALL, request))

    def _print_position(self, queued: Queued) -> None:
        self._last = queued.id
        place = "It runs" if queued.position == 1 else f"Its position is {queued.position}"
        print(plain(f"{place}. `%localcoder queue wait {queued.id}` shows its answer."))

    def _texts(self, names: list[str] | None) -> dict[str, str] | None:
        """Variables of the notebook, for the places of the prompt that have their names."""
        if names is None:
            return None
        missing = [name for name in names if name not in self._shell.user_ns]
        if missing:
            raise InvalidArgument(
                f"There is no variable `{missing[0]}`.", recovery="`--set` expects the name of a variable."
            )
        return {name: str(self._shell.user_ns[name]) for name in names}

    def _show(self, client: Client, id_: str, *, wait: bool) -> None:
        request = decode(QueueGetRequest, {"id": id_, "wait_ms": _WAIT_MS if wait else 0})
        answer = client.call(QUEUE_GET, request)
        while wait and answer.item.position:
            answer = client.call(QUEUE_GET, request)
        if answer.item.error is not None:
            if answer.item.prompt_kept:
                print(plain(_way_back(id_)))
            raise error_of(answer.item.error)
        if answer.reasoning.strip():
            self._shell.display_pub.publish(folded(answer.reasoning))
        if answer.text:
            bundle = {"text/markdown": inert(answer.text), "text/plain": plain(answer.text)}
            self._shell.display_pub.publish(bundle)
        print(plain(_facts(answer)))

    def _prompt(self, client: Client, id_: str) -> None:
        answer = client.call(QUEUE_GET, decode(QueueGetRequest, {"id": id_, "with_prompt": True}))
        if not answer.item.prompt_kept:
            raise PromptNotFound("The prompt of this request was not saved.", recovery="Queue it again.")
        print(plain(answer.prompt))

    def _id(self, word: str) -> str:
        if word != _LAST:
            return word
        if not self._last:
            raise InvalidArgument(
                "No prompt has been queued in this kernel yet.",
                recovery="`%localcoder queue` lists all requests.",
            )
        return self._last


def _failed(view: QueueView) -> list[QueueItem]:
    """The last requests that failed and can be asked again."""
    return [item for item in view.ended if item.state == "failed" and item.prompt_kept][:_MOST_FAILED]


def _way_back(id_: str) -> str:
    return (
        f"`%localcoder queue prompt {id_}` shows its prompt, `%localcoder queue retry {id_}` sends it again."
    )


def _facts(answer: QueueAnswer) -> str:
    item, written = answer.item, answer.usage.completion_tokens
    if item.position:
        return f"{item.state}, position {item.position} at {item.provider}"
    parts: list[Any] = [
        None if answer.finish in (None, "stop") else f"ended by {answer.finish}",
        None if written is None else f"{written} tokens",
        f"{answer.milliseconds / 1000:.1f} s",
        item.provider,
        None if answer.cost_usd is None else f"about {answer.cost_usd:.4f} USD",
        f"kept as {answer.response_id}" if answer.response_id else None,
    ]
    return " · ".join(filter(None, parts))
