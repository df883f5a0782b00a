"""What commands reach the rest of the product through; a test hands in its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_core.application import JupyterApp

    from ..client import Client
    from ..models.store import ModelStore


@dataclass(frozen=True)
class Ports:
    """How to get a client, and a model store, for a command with its configuration."""

    connect: Callable[[JupyterApp, bool], Client]
    """Takes also whether the service may run in this process."""
    store: Callable[[JupyterApp], ModelStore]


def real_ports() -> Ports:
    """The product's own, imported when a command first asks for them."""
    return Ports(connect=_connect, store=_store)


def _connect(command: JupyterApp, allow_local: bool) -> Client:
    from ..client import connect

    # A person at a terminal means the server that is running, whichever folder it serves.
    return connect(
        config=command.config, command_line=command.cli_config, allow_local=allow_local, any_server=True
    )


def _store(command: JupyterApp) -> ModelStore:
    from ..models.store import ModelStore

    return ModelStore(config=command.config, command_line=command.cli_config, log=command.log)
