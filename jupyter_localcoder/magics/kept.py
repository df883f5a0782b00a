"""`%localcoder history`: what was answered before, in any notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..contract import codec, history, registry
from ..errors import ResponseNotFound
from ..text.plain_text import plain
from ..text.safe_markdown import inert
from .table import table
from .view import folded

USAGE = (
    "%localcoder history [list [N] | search WORDS | show ID | title ID [WORDS] | delete ID|all "
    "| export [PATH]]"
)
_LISTED = 20
_LAST = "last"
_ALL = "all"
_HEADS = ["When", "Command", "Model", "Notebook", "Title", "Id"]


def look(shell: InteractiveShell, client: Client, words: Sequence[str]) -> None:
    """Do what the words behind ``history`` say.

    Raises
    ------
    UsageError
        They say nothing that can be done.
    LocalCoderError
    """
    verb, *rest = words or ["list"]
    if verb == "list" and len(rest) <= 1 and all(word.isdigit() for word in rest):
        _list(shell, client, int(rest[0]) if rest else _LISTED)
    elif verb == "search" and rest:
        _search(shell, client, " ".join(rest))
    elif verb == "show" and len(rest) == 1:
        _show(shell, client, rest[0])
    elif verb == "title" and len(rest) == 1:
        print(plain(client.call(registry.TITLE_GENERATE, _request(client, rest[0])).title))
    elif verb == "title" and rest:
        request = {"id": _id(client, rest[0]), "title": " ".join(rest[1:])}
        titled = client.call(registry.TITLE_SET, codec.decode(history.TitleSetRequest, request))
        print(plain(titled.title))
    elif verb == "delete" and rest == [_ALL]:
        _delete_all(client)
    elif verb == "delete" and len(rest) == 1:
        client.call(registry.RESPONSE_DELETE, _request(client, rest[0]))
        print("Deleted.")
    elif verb == "export" and len(rest) <= 1:
        # Relative to the kernel's folder, which the server does not know.
        path = str(Path(rest[0] if rest else ".").expanduser().absolute())
        made = client.call(registry.RESPONSE_EXPORT, history.ResponseExportRequest(path=path))
        print(plain(f"{made.path}: {made.count} answer{'' if made.count == 1 else 's'}."))
    else:
        raise UsageError(USAGE)


def _list(shell: InteractiveShell, client: Client, count: int) -> None:
    page = client.call(
        registry.RESPONSE_GET_HISTORY, codec.decode(history.ResponseListRequest, {"limit": count})
    )
    if page.responses:
        shell.display_pub.publish(table(_HEADS, [_row(info) for info in page.responses]))
    else:
        print("The history is empty.")


def _search(shell: InteractiveShell, client: Client, words: str) -> None:
    request = codec.decode(history.ResponseSearchRequest, {"query": words, "limit": _LISTED})
    page = client.call(registry.RESPONSE_SEARCH, request)
    if not page.found:
        print("No results.")
        return
    rows = [(*_row(found.response), "".join(piece.text for piece in found.excerpt)) for found in page.found]
    shell.display_pub.publish(table([*_HEADS, "Found"], rows))


def _show(shell: InteractiveShell, client: Client, id_: str) -> None:
    found = client.call(registry.RESPONSE_GET, _request(client, id_))
    beside = ", ".join(reference.name or reference.kind for reference in found.references)
    head = f"{found.title} · {_when(found)} · {found.model}"
    asked = found.prompt + (f"\n\n(with {beside})" if beside else "")
    text = f"{head}\n\n{asked}\n\n---\n\n{found.content}"
    if found.not_offered:
        text += f"\n\n---\n\n{found.not_offered}"
    shell.display_pub.publish({"text/markdown": inert(text), "text/plain": plain(text)})
    if found.reasoning.strip():
        shell.display_pub.publish(folded(found.reasoning))


def _delete_all(client: Client) -> None:
    try:
        sure = input("Delete the whole history of all notebooks? This cannot be undone. [y/N] ")
    except (StdinNotImplementedError, EOFError):
        sure = ""
    if sure.strip().lower() not in ("y", "yes"):
        print("Nothing was deleted.")
        return
    deleted = client.call(registry.RESPONSE_DELETE_ALL, history.ResponseDeleteAllRequest(all=True))
    print(f"Deleted: {deleted.count}.")


def _request(client: Client, id_: str) -> history.ResponseRequest:
    return codec.decode(history.ResponseRequest, {"id": _id(client, id_)})


def _id(client: Client, id_: str) -> str:
    if id_ != _LAST:
        return id_
    page = client.call(registry.RESPONSE_GET_HISTORY, history.ResponseListRequest(limit=1))
    if not page.responses:
        raise ResponseNotFound("The history is empty.")
    return str(page.responses[0].id)


def _row(info: history.ResponseInfo) -> tuple[str, ...]:
    title = info.title if info.title_source != "model" else info.preview or info.title
    return (_when(info), info.command or info.kind, info.model, info.notebook, title, info.id)


def _when(info: history.ResponseInfo) -> str:
    """In the time of this machine, to the minute."""
    moment = datetime.fromisoformat(info.created_at.replace("Z", "+00:00"))
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
