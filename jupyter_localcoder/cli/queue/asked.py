"""``queue add``, ``show`` and ``retry``: queue a prompt, see what became of it, and queue it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from traitlets import Bool, Dict, Enum, Float, Integer, Unicode

from ...contract import codec, generation, queue, registry
from ...errors import PromptNotFound
from ...text.plain_text import plain
from ..command import options
from ..exits import ExitCode
from ..load import ServerCommand
from ..source import STDIN, read_text

if TYPE_CHECKING:
    from ...client import Client

_WAIT_MS = 10_000
"""For one question whether it has ended; Ctrl-C is heard meanwhile."""


class QueueCommand(ServerCommand):
    """Base of those that ask, or look at, one request."""

    alone = "Only a running server has a queue."

    def watch(self, client: Client, id_: str, *, wait: bool) -> ExitCode:
        """Print what there is of an answer, once it has ended if that is wanted."""
        request = codec.decode(queue.QueueGetRequest, {"id": id_, "wait_ms": _WAIT_MS if wait else 0})
        answer = client.call(registry.QUEUE_GET, request)
        while wait and answer.item.position:
            answer = client.call(registry.QUEUE_GET, request)
        item = answer.item
        if item.error is not None:
            if item.prompt_kept:
                id_ = plain(id_)
                self.note(
                    f"`queue show {id_} --prompt` prints its prompt, `queue retry {id_}` sends it again."
                )
            raise codec.error_of(item.error)
        self.console.document(answer)
        self.console.out(plain(answer.text))
        if item.position:
            self.note(f"{id_} is {item.state}, position {item.position} at {item.provider}.")
        else:
            self.note(_facts(answer))
        return ExitCode.OK

    def taken(self, client: Client, queued: queue.Queued, *, wait: bool) -> ExitCode:
        """Print the id of a request that was queued; or its answer, and Ctrl-C cancels it."""
        if not wait:
            self.console.document(queued)
            self.console.out(queued.id)
            self.note("It runs." if queued.position == 1 else f"Its position is {queued.position}.")
            return ExitCode.OK
        try:
            return self.watch(client, queued.id, wait=True)
        except KeyboardInterrupt:
            client.call(registry.LLM_CANCEL, generation.LlmCancelRequest(id=queued.id))
            raise


class QueueAdd(QueueCommand):
    """Queue a prompt."""

    usage = "queue add TEXT... [options]"
    description = """Queue a prompt for a provider; `-` reads it from standard input. The command
    prints the id of the request and exits: the answer is saved in the history, and `queue show`
    prints it. With `--wait`, the command prints the answer, and Ctrl-C cancels the request. With
    `--set`, `{{name}}` in the prompt is a placeholder; otherwise it is plain text."""
    arguments = (1, 1000)
    aliases = QueueCommand.aliases | {
        "set": "QueueAdd.parameters",
        "provider": "QueueAdd.provider",
        "model": "QueueAdd.model",
        "priority": "QueueAdd.priority",
        "max-tokens": "QueueAdd.max_tokens",
        "temperature": "QueueAdd.temperature",
        "seed": "QueueAdd.seed",
        "timeout": "QueueAdd.timeout",
        "prompt-id": "QueueAdd.prompt_id",
    }
    flags = QueueCommand.flags | options(
        wait=("QueueAdd.wait", "Wait for the answer and print it."),
        private=("QueueAdd.private", "Do not save the answer in the history."),
    )
    examples = """
jupyter localcoder queue add "Name three sorting algorithms" --wait
jupyter localcoder queue add - --set city=Bern --priority=low < prompt.txt
"""

    parameters = Dict(
        value_trait=Unicode(),
        config=True,
        help="Value of the placeholder {{NAME}}, as NAME=TEXT. Repeat for each placeholder.",
    )
    provider = Unicode("", config=True, help="Id of the provider. Default: the active one.")
    model = Unicode(
        "", config=True, help="Model name at the provider. Default: the provider's configured model."
    )
    priority = Enum(
        get_args(queue.Priority), "normal", config=True, help="Priority in the queue: high, normal or low."
    )
    max_tokens = Integer(None, allow_none=True, config=True, help="Maximum length of the answer, in tokens.")
    temperature = Float(None, allow_none=True, config=True, help="Sampling temperature, 0 (greedy) to 2.")
    seed = Integer(None, allow_none=True, config=True, help="Random seed, for reproducible output.")
    timeout = Float(None, allow_none=True, config=True, help="Time limit in seconds.")
    prompt_id = Unicode("", config=True, help="Group name for its answers.")
    wait = Bool(False, config=True, help="Wait for the answer and print it.")
    private = Bool(False, config=True, help="Do not save the answer in the history.")

    def run(self) -> ExitCode:
        """Queue it."""
        request = codec.decode(queue.CallRequest, self._fields())
        with self.server() as client:
            queued: queue.Queued = client.call(registry.LLM_CALL, request)
            return self.taken(client, queued, wait=self.wait)

    def _fields(self) -> dict[str, Any]:
        words = self.extra_args
        sampling = {"temperature": self.temperature, "seed": self.seed}
        return {
            "prompt": read_text(STDIN, self.console) if words == [STDIN] else " ".join(words),
            "parameters": self.parameters or None,
            "provider": self.provider,
            "model": self.model,
            "priority": self.priority,
            "max_tokens": self.max_tokens,
            "sampling": {name: value for name, value in sampling.items() if value is not None},
            "timeout_ms": None if self.timeout is None else round(self.timeout * 1000),
            "prompt_id": self.prompt_id,
            "private": self.private,
            # Nobody asks for it again, unless this waits: then Ctrl-C, or the end of this, drops it.
            "keep": not self.wait,
        }


class QueueShow(QueueCommand):
    """Print the answer to a queued prompt."""

    usage = "queue show ID [options]"
    description = """Print the answer to a queued prompt, as far as it is complete. If the request
    failed, the command fails with the same error. With `--prompt`, the prompt is printed instead,
    even if the request failed. The server remembers only recently finished requests; older answers
    are in the history."""
    arguments = (1, 1)
    flags = QueueCommand.flags | options(
        wait=("QueueShow.wait", "Wait until the request has finished."),
        prompt=("QueueShow.prompt", "Print the prompt instead of the answer."),
    )

    wait = Bool(False, config=True, help="Wait until the request has finished.")
    prompt = Bool(False, config=True, help="Print the prompt instead of the answer.")

    def run(self) -> ExitCode:
        """Print it."""
        id_ = self.extra_args[0]
        with self.server() as client:
            return self._print_prompt(client, id_) if self.prompt else self.watch(client, id_, wait=self.wait)

    def _print_prompt(self, client: Client, id_: str) -> ExitCode:
        request = codec.decode(queue.QueueGetRequest, {"id": id_, "with_prompt": True})
        answer: queue.QueueAnswer = client.call(registry.QUEUE_GET, request)
        if not answer.item.prompt_kept:
            raise PromptNotFound(
                "The prompt of this request was not saved.",
                recovery="`queue list` shows which prompts were saved.",
            )
        self.console.document(answer)
        self.console.out(plain(answer.prompt))
        return ExitCode.OK


class QueueRetry(QueueCommand):
    """Queue a prompt again."""

    usage = "queue retry ID [options]"
    description = """Queue the unchanged prompt of a finished request again: one that failed, was
    cancelled, or was open when the server stopped. The id of the new request is printed. If the
    request named no provider, the active one is used. `queue list` shows the ids, `queue show ID
    --prompt` the text."""
    arguments = (1, 1)
    flags = QueueCommand.flags | options(
        wait=("QueueRetry.wait", "Wait for the answer and print it. Ctrl-C cancels the request.")
    )

    wait = Bool(False, config=True, help="Wait for the answer and print it. Ctrl-C cancels the request.")

    def run(self) -> ExitCode:
        """Queue it."""
        request = codec.decode(queue.RetryRequest, {"id": self.extra_args[0], "keep": not self.wait})
        with self.server() as client:
            queued: queue.Queued = client.call(registry.LLM_RETRY, request)
            return self.taken(client, queued, wait=self.wait)


def _facts(answer: queue.QueueAnswer) -> str:
    written = answer.usage.completion_tokens
    parts = [
        "" if answer.finish in (None, "stop") else f"ended by {answer.finish}",
        "" if written is None else f"{written} tokens",
        f"{answer.milliseconds / 1000:.1f} s",
        answer.item.provider,
        "" if answer.cost_usd is None else f"about {answer.cost_usd:.4f} USD",
    ]
    return plain(" · ".join(filter(None, parts)))
