"""How to reach the service: over HTTP inside a Jupyter server, in this process elsewhere.

`connect` chooses; `base` is the interface; `connection` says where a server is. Importing this package
imports neither an HTTP library nor the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConnectionFailed
from .base import AnswerFrame, Client, Stream
from .connection import candidates

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

    Raises
    ------
    ConnectionFailed
        No server answers, and `allow_local` is false; or a server is there, and does not answer in time.

    """
    found = candidates(any_server=any_server)
    if found:
        from .http import first_that_answers

        client = first_that_answers(found, any_server=any_server)
        if client is not None:
            return client
    if not allow_local:
        raise ConnectionFailed(
            "No running Jupyter server with jupyter_localcoder was found.",
            recovery="Start one with `jupyter lab`.",
        )
    from .local import LocalClient

    return LocalClient(config, command_line)
