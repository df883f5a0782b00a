"""``queue list``: what runs, what waits, and what has ended."""

from __future__ import annotations

from datetime import datetime, timezone

from traitlets import Bool

from ...contract import queue, registry
from ...plain_text import plain
from ..command import options
from ..exits import Exit
from ..load import ServerCommand
from ..table import table
from ..units import duration

_ENDED = 10


class QueueList(ServerCommand):
    """List the requests."""

    usage = "queue list [options]"
    description = """List the requests of the queue: those that run, those that wait in the order of
    their turns, and the last ones that ended. Requests that stream, such as those of
    magics, do not wait in the queue and are not listed."""
    flags = ServerCommand.flags | options(all=("QueueList.all", "All that ended and are still known."))
    alone = "Only a running server has a queue."

    all = Bool(False, config=True, help=f"List all that ended, not only the last {_ENDED}.")

    def run(self) -> Exit:
        """Print them."""
        with self.server() as client:
            view: queue.QueueView = client.call(registry.QUEUE_LIST, queue.QueueListRequest())
        self.console.document(view)
        ended = view.ended if self.all else view.ended[:_ENDED]
        shown = (*view.running, *view.waiting, *ended)
        if not shown:
            self.console.out("Nothing runs and nothing waits.")
            return Exit.OK
        head = ("ID", "STATE", "PLACE", "PROVIDER", "MODEL", "PRIORITY", "AGE", "FOR")
        self.console.out(table(head, [_row(item) for item in shown], width=self.console.width))
        for item in ended:
            if item.state == "failed" and item.error is not None:
                self.note(f"{item.id}: {plain(item.error.message)}")
        return Exit.OK


def _row(item: queue.QueueItem) -> tuple[str, ...]:
    """One line; what it was asked for is its notebook's path, or the prompt's id."""
    added = datetime.fromisoformat(item.added)
    age = max(0.0, (datetime.now(timezone.utc) - added).total_seconds())
    what = item.path or (item.prompt_id if item.prompt_id != item.id else "")
    place = str(item.position) if item.position else "-"
    row = (item.id, item.state, place, item.provider, item.model or "-", item.priority, duration(age), what)
    return tuple(plain(cell) for cell in row)
