"""What the Jupyter server knows of its notebooks: that one was renamed, and which one a kernel belongs to."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.web import HTTPError

CONTENTS_EVENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"


class Renames:
    """Listens to the contents service of a server.

    Parameters
    ----------
    serverapp
        The server.
    moved
        Is told the old and the new path of a file or a folder. It is called at the first rename, not before.
    """

    def __init__(self, serverapp: Any, moved: Callable[[str, str], Awaitable[None]]) -> None:
        self._sessions = serverapp.session_manager
        self._logger = serverapp.event_logger
        self._moved = moved
        self._paths: dict[str, str] = {}
        """Of kernels whose notebook was renamed: nobody may have told the session, as from another page."""
        self._logger.add_listener(schema_id=CONTENTS_EVENTS, listener=self._on_contents_event)

    def close(self) -> None:
        """Listen no more."""
        self._logger.remove_listener(listener=self._on_contents_event)

    async def path_of_kernel(self, kernel: str) -> str:
        """Path of the notebook of a kernel; empty where it has none that is known."""
        known = self._paths.get(kernel, "")
        if known:
            return known
        # A kernel without a session, as of a console of another program.
        with contextlib.suppress(HTTPError, KeyError):
            session = await self._sessions.get_session(kernel_id=kernel)
            if session["type"] == "notebook":
                return str(session["path"]).strip("/")
        return ""

    async def _on_contents_event(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if data.get("action") != "rename":
            return
        old, new = str(data["source_path"]).strip("/"), str(data["path"]).strip("/")
        await self._follow(old, new)
        await self._moved(old, new)

    async def _follow(self, old: str, new: str) -> None:
        from ..history.notebooks import moved_path

        sessions = await self._sessions.list_sessions()
        before = {
            session["kernel"]["id"]: str(session["path"]).strip("/")
            for session in sessions
            if session["type"] == "notebook" and session["kernel"]
        }
        # What was told before counts, where the page has not told the server.
        before.update({kernel: path for kernel, path in self._paths.items() if kernel in before})
        after = {kernel: moved_path(path, old, new) for kernel, path in before.items()}
        self._paths = {
            kernel: path for kernel, path in after.items() if path != before[kernel] or kernel in self._paths
        }
