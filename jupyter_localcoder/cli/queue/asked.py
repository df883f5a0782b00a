"""``queue add`` and ``queue show``: put a prompt into the queue, and see what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from traitlets import Bool, Dict, Enum, Float, Integer, Unicode

from ...contract import codec, generation, queue, registry
from ...plain_text import plain
from ..command import options
from ..exits import Exit
from ..load import ServerCommand
from ..source import STDIN, read_text

if TYPE_CHECKING:
    from ...client import Client

_WAIT_MS = 10_000
"""For one question whether it has ended; Ctrl-C is heard meanwhile."""


class QueueCommand(ServerCommand):
    """Base of both."""

    alone = "Only a running server has a queue."

    def watch(self, client: Client, id_: str, *, wait: bool) -> Exit:
        """Print what there is of an answer, once it has ended if that is wanted."""
        request = codec.decode(queue.QueueGetRequest, {"id": id_, "wait_ms": _WAIT_MS if wait else 0})
        answer = client.call(registry.QUEUE_GET, request)
        while wait and answer.item.position:
            answer = client.call(registry.QUEUE_GET, request)
        item = answer.item
        if item.error is not None:
            raise codec.error_of(item.error)
        self.console.document(answer)
        self.console.out(plain(answer.text))
        if item.position:
            self.note(f"{id_} is {item.state}, place {item.position} at {item.provider}.")
        else:
            self.note(_facts(answer))
        return Exit.OK


class QueueAdd(QueueCommand):
    """Queue a prompt."""

    usage = "queue add TEXT... [options]"
    description = """Queue a prompt for a provider; `-` reads it from standard input. Prints the id of the
    request, and leaves: the answer is kept in the history, and `queue show` prints it. With `--wait`
    the answer is printed, and Ctrl-C cancels the request. `{{name}}` in the prompt is a place
    for a text where `--set` is given, and is text like any other where it is not."""
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
        wait=("QueueAdd.wait", "Wait for the answer, and print it."),
        private=("QueueAdd.private", "Keep nothing of it in the history."),
    )
    examples = """
jupyter localcoder queue add "Name three sorting algorithms" --wait
jupyter localcoder queue add - --set city=Bern --priority=low < prompt.txt
"""

    parameters = Dict(
        value_trait=Unicode(),
        config=True,
        help="NAME=TEXT for the place {{NAME}} of the prompt; once for each.",
    )
    provider = Unicode("", config=True, help="Id of the provider. Default: the active one.")
    model = Unicode("", config=True, help="The model, as its provider calls it. Default: the provider's own.")
    priority = Enum(
        get_args(queue.Priority), "normal", config=True, help="Its turn at the provider: high, normal or low."
    )
    max_tokens = Integer(None, allow_none=True, config=True, help="Longest answer, in tokens.")
    temperature = Float(None, allow_none=True, config=True, help="0 (always the likeliest token) to 2.")
    seed = Integer(None, allow_none=True, config=True, help="The same seed gives the same text.")
    timeout = Float(None, allow_none=True, config=True, help="Seconds that it may run.")
    prompt_id = Unicode("", config=True, help="Name under which its answers are kept together.")
    wait = Bool(False, config=True, help="Wait for the answer, and print it.")
    private = Bool(False, config=True, help="Keep nothing of it in the history.")

    def run(self) -> Exit:
        """Queue it."""
        request = codec.decode(queue.CallRequest, self._fields())
        with self.server() as client:
            queued: queue.Queued = client.call(registry.LLM_CALL, request)
            if self.wait:
                return self._awaited(client, queued)
        self.console.document(queued)
        self.console.out(queued.id)
        self.note("It runs." if queued.position == 1 else f"Its place is {queued.position}.")
        return Exit.OK

    def _awaited(self, client: Client, queued: queue.Queued) -> Exit:
        try:
            return self.watch(client, queued.id, wait=True)
        except KeyboardInterrupt:
            client.call(registry.LLM_CANCEL, generation.LlmCancelRequest(id=queued.id))
            raise

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
    description = """Print what there is of the answer to a queued prompt. How a request failed is an error of
    this command too. The server remembers the last ones that ended; older answers are in the history."""
    arguments = (1, 1)
    flags = QueueCommand.flags | options(wait=("QueueShow.wait", "Wait until it has ended."))

    wait = Bool(False, config=True, help="Wait until it has ended.")

    def run(self) -> Exit:
        """Print it."""
        with self.server() as client:
            return self.watch(client, self.extra_args[0], wait=self.wait)


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
