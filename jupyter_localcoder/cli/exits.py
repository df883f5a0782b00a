"""Exit codes: what a script can tell from how a command ended. The table of them is in docs/cli.md."""

from __future__ import annotations

from enum import IntEnum

from .. import errors


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    """It was tried, and did not work."""
    USAGE = 2
    """The command line or a value in it makes no sense."""
    NOT_FOUND = 3
    """A model, file or setting of this name does not exist."""
    REFUSED = 4
    """A permission is missing: a licence, the air gap, a switch, a sign-in."""
    UNAVAILABLE = 5
    """Not now: no server, no model on this machine yet, or something is in the way."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it: 128 + SIGINT."""
    BROKEN_PIPE = 141
    """The reader went away (``| head``), as shells count it: 128 + SIGPIPE."""


_BY_KIND: tuple[tuple[type[errors.LocalCoderError], ExitCode], ...] = (
    (errors.ValidationError, ExitCode.USAGE),
    (errors.InvalidArgument, ExitCode.USAGE),
    (errors.ConfigInvalid, ExitCode.USAGE),
    (errors.NotFound, ExitCode.NOT_FOUND),
    (errors.Refused, ExitCode.REFUSED),
    (errors.Unavailable, ExitCode.UNAVAILABLE),
    (errors.Conflict, ExitCode.UNAVAILABLE),
    (errors.Canceled, ExitCode.INTERRUPTED),
)


def exit_of(error: errors.LocalCoderError) -> ExitCode:
    """The exit code of a command that ended with this error."""
    return next((code for kind, code in _BY_KIND if isinstance(error, kind)), ExitCode.FAILED)
