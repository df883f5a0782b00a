"""``queue cancel`` and ``queue cancel-all``."""

from __future__ import annotations

from ...contract import codec, generation, registry
from ..exits import ExitCode
from ..load import ServerCommand


class QueueCancel(ServerCommand):
    """End one request."""

    usage = "queue cancel ID [options]"
    description = "End the request of this id, whether it waits or runs. What came of its answer is not kept."
    arguments = (1, 1)
    alone = "Only a running server has a queue."

    def run(self) -> ExitCode:
        """Cancel it."""
        request = codec.decode(generation.LlmCancelRequest, {"id": self.extra_args[0]})
        with self.server() as client:
            client.call(registry.LLM_CANCEL, request)
        self.console.document({"id": request.id, "canceled": True})
        self.console.out(f"{request.id} is cancelled.")
        return ExitCode.OK


class QueueCancelAll(ServerCommand):
    """End all requests."""

    usage = "queue cancel-all [options]"
    description = """End all requests of the running Jupyter server, those of all notebooks: what waits
    and what runs in the queue, and every answer that is being streamed."""
    alone = "Only a running server has a queue."

    def run(self) -> ExitCode:
        """Cancel them."""
        with self.server() as client:
            count = client.call(registry.LLM_CANCEL_ALL, generation.LlmCancelAllRequest())
        self.console.document(count)
        self.console.out("There was nothing to cancel." if count.count == 0 else f"Cancelled: {count.count}.")
        return ExitCode.OK
