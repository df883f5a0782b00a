"""Puts the service together: the one place where its parts are made and handed to each other."""

from __future__ import annotations

import getpass
import logging
from typing import Any

from traitlets.config import Config, LoggingConfigurable

from .contract import registry
from .contract.backend import Notice
from .events import EventHub
from .models.store import ModelStore
from .service import Service
from .settings import LocalCoderSettings
from .supervisor import Supervisor

CONFIGURABLES: tuple[type[LoggingConfigurable], ...] = (LocalCoderSettings, ModelStore, Supervisor, Service)
"""The classes whose traits configure the service, for `--help-all` and configuration files."""


def build_service(
    *,
    config: Config | None = None,
    command_line: Config | None = None,
    log: logging.Logger | logging.LoggerAdapter[Any] | None = None,
    parent: LoggingConfigurable | None = None,
) -> Service:
    """Make a service; nothing is started before the first request.

    Parameters
    ----------
    config
        Configuration from files and command line together. Default: the one of ``parent``.
    command_line
        The part of it that came from the command line: it wins over what was changed at run time.
    """
    log = log or logging.getLogger("jupyter_localcoder")
    shared: dict[str, Any] = {"log": log}
    if parent is not None:
        shared["parent"] = parent
    if config is not None:
        shared["config"] = config
    events = EventHub(log)

    def restarted(model: str) -> None:
        message = f"The inference worker was started again, and {model} is loaded."
        events.tell(registry.NOTICE, Notice(severity="info", message=message))

    settings = LocalCoderSettings(command_line=command_line, **shared)
    return Service(
        settings=settings,
        store=ModelStore(command_line=command_line, **shared),
        supervisor=Supervisor(
            on_state=lambda state: events.tell(registry.BACKEND_STATE, state), on_restart=restarted, **shared
        ),
        events=events,
        accepted_by=_user(),
        **shared,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
