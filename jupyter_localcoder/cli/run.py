"""From an argument list to an exit code: the only place that turns exceptions into either."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence

from traitlets import TraitError
from traitlets.config.loader import ArgumentError, ConfigFileNotFound

from ..errors import InvalidArgument, LocalCoderError, UnknownError
from .console import Console
from .exits import ExitCode, exit_of
from .loader import before_dashes
from .ports import Ports, real_ports
from .root import LocalCoderRoot


def run(argv: Sequence[str], *, console: Console | None = None, ports: Ports | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        The arguments, without the name of the program.
    console, ports
        What to print on, and how to reach the service and the store. Default: the real ones.

    """
    words = before_dashes(list(argv))
    # The form of an error must be known before the command line is read: reading it may fail.
    console = console or Console.standard(json="--json" in words)
    try:
        return int(_ended(list(argv), console, ports or real_ports(), debug="--debug" in words))
    except BrokenPipeError:
        _silence(console)
        return int(ExitCode.BROKEN_PIPE)


def _ended(argv: list[str], console: Console, ports: Ports, *, debug: bool) -> ExitCode:
    try:
        root = LocalCoderRoot(console=console, ports=ports)
        root.initialize(argv)
        return root.leaf().run()
    except LocalCoderError as failure:
        error = failure
    except (TraitError, ArgumentError, ConfigFileNotFound) as failure:
        error = InvalidArgument(f"Invalid configuration: {failure}", recovery="See `--help-all`.")
    except KeyboardInterrupt:
        console.note("\nInterrupted.")
        return ExitCode.INTERRUPTED
    except SystemExit as left:
        # traitlets leaves in this way after --help and --version
        return ExitCode.OK if not left.code else ExitCode.USAGE
    except BrokenPipeError:
        raise
    except Exception as failure:
        if debug:
            console.note(traceback.format_exc())
        kind = type(failure).__name__
        error = UnknownError(
            f"{UnknownError.sentence} ({kind})", recovery="Run it again with `--debug` for details."
        )
    console.error(error)
    return exit_of(error)


def _silence(console: Console) -> None:
    """Keep the interpreter from complaining, at its end, that nobody reads what is still buffered."""
    try:
        descriptor = console.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
