"""``queue``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Queue(LocalCoderGroup):
    """Make, see and end requests of the running Jupyter server."""

    usage = "queue COMMAND [options]"
    description = "Manage the waiting and running requests of the Jupyter server."
    subcommands = {
        "add": (lazy("queue.asked.QueueAdd"), "Queue a prompt for a provider."),
        "show": (lazy("queue.asked.QueueShow"), "Print the answer to a queued prompt, or the prompt itself."),
        "retry": (lazy("queue.asked.QueueRetry"), "Queue a failed or cancelled prompt again."),
        "list": (lazy("queue.list.QueueList"), "List running, waiting and finished requests."),
        "cancel": (lazy("queue.cancel.QueueCancel"), "Cancel a request."),
        "cancel-all": (lazy("queue.cancel.QueueCancelAll"), "Cancel all requests, including streaming ones."),
    }
