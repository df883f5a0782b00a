"""What the commands over the history share: which answer is meant, and how it stands in a list."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from traitlets import Integer

from ...contract import codec, history, registry
from ...errors import ResponseNotFound
from ...text.plain_text import plain
from ...text.units import duration
from ..command import LocalCoderCommand

if TYPE_CHECKING:
    from ...client import Client

LAST = "last"
HEAD = ("ID", "AGE", "KIND", "MODEL", "TITLE")


class PagedCommand(LocalCoderCommand):
    """Base of the commands that print a page of a list."""

    aliases = LocalCoderCommand.aliases | {"limit": "PagedCommand.limit", "offset": "PagedCommand.offset"}

    limit = Integer(20, config=True, help="Number of entries to print.")
    offset = Integer(0, config=True, help="Number of newest entries to skip.")

    def page(self) -> dict[str, int]:
        """The fields of a request for a page."""
        return {"limit": self.limit, "offset": self.offset}


def request_for(client: Client, id_: str) -> history.ResponseRequest:
    """The answer of this id, or the newest one.

    Raises
    ------
    ValidationError
        It is no id.
    ResponseNotFound
        There is no answer yet.
    """
    if id_ == LAST:
        newest: history.ResponseList = client.call(
            registry.RESPONSE_GET_HISTORY, history.ResponseListRequest(limit=1)
        )
        if not newest.responses:
            raise ResponseNotFound("The history is empty.")
        id_ = newest.responses[0].id
    return codec.decode(history.ResponseRequest, {"id": id_})


def row(info: history.ResponseInfo) -> tuple[str, ...]:
    """One line of a list; where there is no title, the beginning of the question stands for it."""
    title = info.title if info.title_source != "model" else info.preview or info.title
    return tuple(
        plain(cell) for cell in (info.id, age(info.created_at), info.command or info.kind, info.model, title)
    )


def age(moment: str) -> str:
    """How long ago a moment of the history is; a clock that was put back makes it now."""
    passed = (
        datetime.now(timezone.utc) - datetime.fromisoformat(moment.replace("Z", "+00:00"))
    ).total_seconds()
    return duration(max(0.0, passed))
