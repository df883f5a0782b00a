"""Puts the service together: the one place where its parts are made and handed to each other."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets.config import Config, Configurable, LoggingConfigurable

from ..contract import registry
from ..contract.backend import Notice
from ..credentials.store import Credentials
from ..engine.calibration_store import Calibrations
from ..engine.crash_cause import CrashEvidence
from ..engine.memory_usage import KernelPids
from ..engine.planner import Planner
from ..engine.pool import CoexistencePolicy, WorkerPool
from ..engine.process import WorkerProcess
from ..engine.supervisor import Supervisor
from ..engine.tuning import Tuning
from ..engine.worker_link import Spawn
from ..events import EventHub
from ..history import HistoryStore
from ..history.notebooks import PathOfKernel, unknown_path
from ..history.title_file import TitleFile
from ..models import memory
from ..models.store import ModelStore
from ..providers.configured import LocalCoderProviders
from ..providers.installed import INSTALLED
from ..queueing.queue import RequestQueue
from ..service import Service
from ..settings import LocalCoderSettings
from ..text.plain_text import keep_plain
from . import configuration
from .parts import PartsBuilder

CONFIGURABLES: tuple[type[LoggingConfigurable], ...] = (
    LocalCoderSettings,
    ModelStore,
    Supervisor,
    WorkerPool,
    Service,
    RequestQueue,
    LocalCoderProviders,
    Tuning,
    HistoryStore,
)
"""The classes whose traits configure the service, for `--help-all` and configuration files."""


def check_configuration(config: Config, *more: type[Configurable]) -> None:
    """Refuse a configuration with which nothing would work.

    Parameters
    ----------
    more
        Classes whose traits are looked at beside those of the service.

    Raises
    ------
    ConfigInvalid
        It names the traits, their values and what is allowed.
    """
    configuration.check((*more, *CONFIGURABLES), config, os.environ)


def build_service(
    *,
    config: Config | None = None,
    command_line: Config | None = None,
    log: logging.Logger | logging.LoggerAdapter[Any] | None = None,
    parent: LoggingConfigurable | None = None,
    kernel_pids: KernelPids = tuple,
    path_of_kernel: PathOfKernel = unknown_path,
    root: Callable[[], Path | None] = Path.cwd,
    spawn: Spawn = WorkerProcess.spawn,
    evidence: CrashEvidence | None = None,
) -> Service:
    """Make a service; nothing is started before the first request.

    Parameters
    ----------
    config
        Configuration from files and command line together. Default: the one of ``parent``.
    command_line
        The part of it that came from the command line: it wins over what was changed at run time.
    kernel_pids
        Answers the process ids of the open kernels, whose memory is told beside that of the model.
    path_of_kernel
        Returns the path of the notebook of a kernel, by its id; empty where it is not known.
    root
        Returns the folder that Jupyter serves; None where it is not on this machine's disk. Default: the
        current folder.
    spawn
        Starts a worker process.
    evidence
        Tells why a worker was killed; by default, what this system counts.

    Raises
    ------
    ConfigInvalid
        A value of the configuration is wrong.
    """
    given = config if config is not None else parent.config if parent is not None else Config()
    check_configuration(given)
    log = log or logging.getLogger("jupyter_localcoder")
    keep_plain(log)
    shared: dict[str, Any] = {"log": log}
    if parent is not None:
        shared["parent"] = parent
    if config is not None:
        shared["config"] = config
    INSTALLED.load(log.warning)
    events = EventHub(log)

    def restarted(model: str) -> None:
        message = f"The inference worker was restarted, and {model} is loaded."
        events.notify(registry.NOTICE, Notice(severity="info", message=message))

    history = HistoryStore(**shared)
    earlier = TitleFile(history.root / "titles.json", log.warning)
    settings = LocalCoderSettings(command_line=command_line, earlier=earlier, **shared)
    store = ModelStore(command_line=command_line, **shared)
    calibrations = Calibrations(settings.path.with_name("calibration.json"))

    def make_pool(neighbours: Callable[[], CoexistencePolicy | None]) -> WorkerPool:
        return WorkerPool(
            on_state=lambda state: events.notify(registry.BACKEND_STATE, state),
            on_restart=restarted,
            neighbours=neighbours,
            evidence=evidence or CrashEvidence(free=memory.available),
            spawn=spawn,
            **shared,
        )

    builder = PartsBuilder(
        settings=settings,
        store=store,
        events=events,
        planner=Planner(store, settings, Tuning(**shared), calibrations),
        history=history,
        credentials=Credentials(settings.path.parent, os.environ, log),
        accepted_by=_user(),
        kernel_pids=kernel_pids,
        path_of_kernel=path_of_kernel,
        root=root,
        make_pool=make_pool,
    )
    return Service(events=events, make_parts=builder.build, **shared)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
