"""A licence is shown and accepted before the first byte of a model is fetched.

Knows how to ask; what acceptance means and where it is recorded is the store's business.
"""

from __future__ import annotations

import getpass

from ...contract.models import License, ModelInfo
from ...errors import LicenseNotAccepted
from ...text.units import size
from ..command import LocalCoderCommand
from ..console import Console

_QUESTION = "Accept the licence? [y/N, r to read it] "


def agreed(command: LocalCoderCommand, info: ModelInfo, license: License, *, accept: bool) -> str:
    """Say under which licence a model is, and ask where its text was never accepted.

    Parameters
    ----------
    accept
        The person accepts it without being asked.

    Returns
    -------
    str
        SHA-256 of the text that is accepted now; empty where it had been before.

    Raises
    ------
    LicenseNotAccepted
        It was declined, or nobody is there to ask.
    """
    tell_origins(command, info)
    if not (info.license_accepted or accept):
        _confirm_license(command.console, info, license)
        return license.sha256
    said = "which was accepted before" if info.license_accepted else "which is accepted"
    command.note(f"{info.name} is licensed under {license.name}, {said}.")
    if license.attribution:
        command.note(license.attribution)
    return license.sha256 if accept else ""


def tell_origins(command: LocalCoderCommand, info: ModelInfo) -> None:
    """Say where the file comes from, before anything of it is fetched."""
    if not info.origins:
        return
    command.note(f"{info.name} comes from:")
    for number, origin in enumerate(info.origins, 1):
        command.note(f"  {number}. {origin}")
    then = "The second source is used only if the first one fails. " if len(info.origins) == 2 else ""
    command.note(f"{then}The file is used only if its SHA-256 is {info.digest}.")


def _confirm_license(console: Console, info: ModelInfo, license: License) -> None:
    """Ask until it is accepted.

    Raises
    ------
    LicenseNotAccepted
        It was declined, or nobody is there to ask.

    """
    if not console.can_ask:
        raise LicenseNotAccepted(
            f"{info.name} is licensed under {license.name}, which has not been accepted; nothing was "
            "downloaded.",
            recovery=f"Read it with `jupyter localcoder models pull {info.id} --show-license`, then"
            " repeat the command with `--accept-license`.",
            license=license.id,
        )
    console.note(f"{info.name}, {size(info.size_bytes)}, is licensed under {license.name}.")
    if license.attribution:
        console.note(license.attribution)
    while (answer := console.ask(_QUESTION).lower()) in ("r", "read"):
        show(console, license)
    if answer not in ("y", "yes"):
        raise LicenseNotAccepted(
            "The licence was not accepted, so nothing was downloaded.",
            recovery="Choose another model with `jupyter localcoder models list`.",
            license=license.id,
        )


def show(console: Console, license: License) -> None:
    """Show the whole text: in a pager for a person, plainly in a pipe."""
    if console.stdout.isatty():
        import pydoc

        pydoc.pager(license.text)
    else:
        console.out(license.text.rstrip("\n"))


def who() -> str:
    """Name of the person at the keyboard, for the record of the acceptance."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # a container may run as a user without a name
        return "unknown"
