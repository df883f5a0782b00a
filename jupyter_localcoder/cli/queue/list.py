"""``queue list``: what runs, what waits, and what has ended."""

from __future__ import annotations

from datetime import datetime, timezone

from traitlets import Bool

from ...contract import queue, registry
from ...text.plain_text import plain
from ...text.units import duration
from ..command import options
from ..exits import ExitCode
from ..load import ServerCommand
from ..table import table

_ENDED = 10


class QueueList(ServerCommand):
    """List the requests."""

    usage = "queue list [options]"
    description = """List the requests of the queue: running, waiting in order, and recently
    finished. Commands and chats in progress are listed first; they stream and do not wait in the
    queue."""
    flags = ServerCommand.flags | options(
        all=("QueueList.all", "List all finished requests that are still stored.")
    )
    alone = "Only a running server has a queue."

    all = Bool(False, config=True, help=f"List all finished requests, not only the last {_ENDED}.")

    def run(self) -> ExitCode:
        """Print them."""
        with self.server() as client:
            view: queue.QueueView = client.call(registry.QUEUE_LIST, queue.QueueListRequest())
        self.console.document(view)
        ended = view.ended if self.all else view.ended[:_ENDED]
        rows = [_stream_row(item) for item in view.streams]
        rows += [_row(item) for item in (*view.running, *view.waiting, *ended)]
        if not rows:
            self.console.out("No requests are running or waiting.")
            return ExitCode.OK
        head = ("ID", "STATE", "PLACE", "PROVIDER", "MODEL", "PRIORITY", "AGE", "FOR")
        self.console.out(table(head, rows, width=self.console.width))
        for item in ended:
            if item.state == "failed" and item.error is not None:
                self.note(f"{item.id}: {plain(item.error.message)}")
        return ExitCode.OK


def _row(item: queue.QueueItem) -> tuple[str, ...]:
    """One line; what it was asked for is its notebook's path, or the prompt's id."""
    what = item.path or (item.prompt_id if item.prompt_id != item.id else "")
    place = str(item.position) if item.position else "-"
    age = _age(item.added)
    row = (item.id, item.state, place, item.provider, item.model or "-", item.priority, age, what)
    return tuple(plain(cell) for cell in row)


def _stream_row(item: queue.StreamItem) -> tuple[str, ...]:
    what = " ".join(filter(None, (item.command or item.kind, item.path)))
    row = (item.id, "streaming", "-", item.provider, "-", "-", _age(item.started), what)
    return tuple(plain(cell) for cell in row)


def _age(since: str) -> str:
    passed = datetime.now(timezone.utc) - datetime.fromisoformat(since)
    return duration(max(0.0, passed.total_seconds()))
