"""Which files of the machine a request may name.

Only the fields that an operation declares (`Operation.reads`, `Operation.writes`) ever become the path of a
file that is opened. The path of a notebook leads to the rules of its project, for those who may read
contents: `AGENTS.md` and `.localcoder/rules/*.md` in its folder and those above it, up to the root folder.

Who may have the service open one of them could open it in Jupyter already:

- what the file browser shows (below the root folder of Jupyter's contents manager, not hidden, links followed
  to where they lead): who may read, or write, `contents`;
- any other file: who may run code on this server (`execute` on `kernels`), which reaches every file anyway,
  unless the administrator says otherwise, or kernels run elsewhere.

A contents manager that keeps its documents anywhere but on this machine's disk shows no file of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import is_hidden
from jupyter_server.services.contents.fileio import FileManagerMixin

from ..contract.generation import GenerationOptions
from ..contract.registry import Action, Operation
from ..errors import AuthError, InvalidArgument

MayDo = Callable[[Action, str], Awaitable[bool]]
"""Asks Jupyter's authorizer: an action, and the resource it is done to."""


class FileAccess:
    """Decides about the paths of requests.

    Parameters
    ----------
    contents
        Jupyter's contents manager.
    outside
        Whether who may run code may name files that the contents manager does not show.
    """

    def __init__(self, contents: Any, *, outside: bool) -> None:
        self._contents = contents
        self._outside = outside

    async def admit(self, op: Operation[Any, Any], request: Any, may: MayDo) -> Any:
        """The request with its paths whole, and without rules of a project that may not be read.

        A relative path is one of the file browser: it begins at the root folder.

        Raises
        ------
        AuthError
            Who asks may not name this file, whether it is there or not.
        InvalidArgument
            It is no path, or a relative one where there is no root folder on this machine.
        """
        whole: dict[str, str] = {}
        actions: tuple[tuple[Action, tuple[str, ...]], ...] = (("read", op.reads), ("write", op.writes))
        for action, names in actions:
            for name in names:
                if not (text := getattr(request, name)):
                    continue
                path, shown = await asyncio.to_thread(self._visible_path, text, name)
                if not await self._allowed(action, shown, may):
                    raise AuthError(
                        f"You are not allowed to use this file: Jupyter does not let you {action} it.",
                        recovery="Choose a file in a folder of the file browser, or ask the administrator.",
                        field=name,
                    )
                whole[name] = str(path)
        if isinstance(request, GenerationOptions) and request.rules and not await may("read", "contents"):
            request = msgspec.structs.replace(request, rules=False)
        return msgspec.structs.replace(request, **whole) if whole else request

    async def _allowed(self, action: Action, shown: bool, may: MayDo) -> bool:
        if shown and await may(action, "contents"):
            return True
        return self._outside and await may("execute", "kernels")

    def _visible_path(self, text: str, field: str) -> tuple[Path, bool]:
        """The path that a text stands for, and whether Jupyter shows it."""
        root = self.root
        try:
            os.fsencode(text)
            path = Path(text).expanduser()
        except (RuntimeError, ValueError):
            raise InvalidArgument("This is not a valid file path.", field=field) from None
        if "\0" in text or (root is None and not path.is_absolute()):
            raise InvalidArgument("The path must be absolute, without NUL characters.", field=field)
        path = path if root is None else root / path
        return path, root is not None and self._shows(path, root)

    @property
    def root(self) -> Path | None:
        """The folder of the file browser; None where it shows something else than this machine's disk."""
        if not isinstance(self._contents, FileManagerMixin):
            # Its `root_dir`, where it has one, means a place in its own store, or nothing: it begins as `/`.
            return None
        root: Any = self._contents.root_dir  # type: ignore[attr-defined]
        return Path(root).absolute()

    def _shows(self, path: Path, root: Path) -> bool:
        try:
            path, root = path.resolve(), root.resolve()
            if not path.is_relative_to(root):
                return False
            return bool(self._contents.allow_hidden) or not is_hidden(path, root)
        except (OSError, RuntimeError):
            return False  # Links that lead in a circle, or what may not be looked at.
