"""How to reach the service: over HTTP inside a Jupyter server, in this process elsewhere.

`connect` chooses; `base` is the interface; `connection` says where a server is. Importing this package
imports neither an HTTP library nor the service.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from ..errors import ConnectionFailed
from .base import AnswerFrame, Client, Stream
from .connection import candidates, from_environment

if TYPE_CHECKING:
    from traitlets.config import Config

__all__ = ["AnswerFrame", "Client", "Stream", "connect"]


def connect(
    *,
    config: Config | None = None,
    command_line: Config | None = None,
    allow_local: bool = True,
    any_server: bool = False,
) -> Client:
    """A client of the server that runs this kernel, or else of a service inside this process.

    Parameters
    ----------
    config
        Configuration of a service inside this process.
    command_line
        The part of it that came from a command line, which wins over what was changed at run time.
    allow_local
        Whether the service may run inside this process when there is no server.
    any_server
        Also take a server of this user that did not start this process (the command line does).

    Returns
    -------
    Client
        Close it, or use it in a ``with`` block.

    Raises
    ------
    ConnectionFailed, AuthError
        No server responds, and `allow_local` is false; or a server does not respond in time; or the server
        that started this process is running but cannot be reached: a second model would use additional
        memory.

    """
    found = candidates(any_server=any_server)
    if found:
        from .http import first_that_answers, unreachable

        client = first_that_answers(found, any_server=any_server)
        if client is not None:
            return client
        parent = from_environment(os.environ)
        if parent is not None and not parent.has_ended:
            raise unreachable(parent)
        if parent is not None and allow_local:
            warnings.warn(
                f"The Jupyter server that started this process ({parent.sock or parent.url}) has stopped: "
                "the model now runs inside this process.",
                stacklevel=2,
            )
        elif allow_local and (there := next((one for one in found if one.runs), None)):
            warnings.warn(
                f"The {there.where} is running but is not used, because authentication between it and "
                "this process failed: the model now runs inside this process. Restart that server if "
                "jupyter_localcoder was updated while it was running.",
                stacklevel=2,
            )
    if not allow_local:
        raise ConnectionFailed(
            "No running Jupyter server with jupyter_localcoder was found.",
            recovery="Start one with `jupyter lab`.",
        )
    from .local import LocalClient

    return LocalClient(config, command_line)
