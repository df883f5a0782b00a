"""``queue``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Queue(LocalCoderGroup):
    """Make, see and end requests of the running Jupyter server."""

    usage = "queue COMMAND [options]"
    description = "The requests that wait and run in the running Jupyter server."
    subcommands = {
        "add": (lazy("queue.asked.QueueAdd"), "Queue a prompt for a provider."),
        "show": (lazy("queue.asked.QueueShow"), "Print the answer to a queued prompt, or the prompt."),
        "retry": (lazy("queue.asked.QueueRetry"), "Queue a prompt again that failed or was cancelled."),
        "list": (lazy("queue.list.QueueList"), "List what runs, what waits, and what has ended."),
        "cancel": (lazy("queue.cancel.QueueCancel"), "End one request."),
        "cancel-all": (lazy("queue.cancel.QueueCancelAll"), "End all of them, those that stream too."),
    }
