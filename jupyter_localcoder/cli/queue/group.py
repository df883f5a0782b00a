"""``queue``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Queue(LocalCoderGroup):
    """See and end the requests of the running Jupyter server."""

    usage = "queue COMMAND [options]"
    description = "The requests that wait and run in the running Jupyter server."
    subcommands = {
        "list": (lazy("queue.list.QueueList"), "List what runs, what waits, and what has ended."),
        "cancel": (lazy("queue.cancel.QueueCancel"), "End one request."),
        "cancel-all": (lazy("queue.cancel.QueueCancelAll"), "End all of them, those that stream too."),
    }
