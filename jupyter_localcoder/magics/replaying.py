"""`%localcoder replay`: ask again for an answer, and say whether the same text came."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..text.answers import diff
from ..text.digest import text_digest
from .answering import show
from .record import Record, Records, reasons, request_again
from .view import view_of


def replay(shell: InteractiveShell, client: Client, records: Records, name: str) -> None:
    """Run a recorded request again with its model, seed and sampling; show the answer and the verdict.

    Parameters
    ----------
    name
        As for `Records.find`.

    Raises
    ------
    LocalCoderError
        There is no such record, or its model cannot answer.

    """
    record, text = records.find(name)
    request = request_again(record)
    view = view_of(shell, "markdown", request.language)
    done, again = show(client, request, view)
    records.add(again, done.text)
    same = record.get("text_sha256") == text_digest(done.text)
    if not same and text is not None:
        view.diff(diff(text, done.text))
    view.note(verdict(record, again, same=same))


def verdict(record: Record, again: Record, *, same: bool) -> str:
    """The sentences below a replay."""
    asked = f"{record.get('model')}, seed {record.get('seed')}, {record.get('time')}"
    if not same:
        return f"The text differs ({asked}). {' '.join(reasons(record, again))}"
    if record.get("digest") != again["digest"]:
        return f"The text is identical ({asked}), although the model file differs."
    if not record.get("seeded"):
        return f"The text is identical ({asked}). This was not guaranteed, because the request had no seed."
    return f"The text is identical ({asked})."
