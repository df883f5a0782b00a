"""``queue cancel`` and ``queue cancel-all``."""

from __future__ import annotations

from ...contract import codec, generation, registry
from ..exits import ExitCode
from ..load import ServerCommand


class QueueCancel(ServerCommand):
    """End one request."""

    usage = "queue cancel ID [options]"
    description = "Cancel a waiting or running request. A partial answer is not saved."
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
    description = """Cancel all requests of the running Jupyter server from all notebooks: waiting
    and running requests in the queue, and all streaming answers."""
    alone = "Only a running server has a queue."

    def run(self) -> ExitCode:
        """Cancel them."""
        with self.server() as client:
            count = client.call(registry.LLM_CANCEL_ALL, generation.LlmCancelAllRequest())
        self.console.document(count)
        self.console.out("No requests to cancel." if count.count == 0 else f"Cancelled: {count.count}.")
        return ExitCode.OK
