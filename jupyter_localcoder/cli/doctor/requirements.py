"""Doctor: which versions of other packages this release supports, from its own metadata."""

from __future__ import annotations

import functools
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("local", "widgets", "keys")
"""Optional parts, each with packages of its own."""


@functools.cache
def _by_extra() -> dict[str, dict[str, Requirement]]:
    """Requirements that apply to this machine, by extra ("" for those of all) and normalised name."""
    try:
        lines = metadata.requires("jupyter_localcoder") or []
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return {}
    found: dict[str, dict[str, Requirement]] = {extra: {} for extra in ("", *EXTRAS)}
    for one in map(Requirement, lines):
        for extra, packages in found.items():
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                packages[canonicalize_name(one.name)] = one
                break
    return found


@functools.cache
def supported() -> dict[str, Requirement]:
    """Requirements that apply to this machine, with those of the extras of users, by normalised name."""
    return {name: one for packages in _by_extra().values() for name, one in packages.items()}


def extra_of(name: str) -> str | None:
    """The extra that brings a package; None where all installations have it, or none."""
    wanted = canonicalize_name(name)
    return next((extra for extra, packages in _by_extra().items() if extra and wanted in packages), None)


def argument_of(name: str) -> str:
    """What to give to ``pip install`` for a version that is supported, quoted for a shell."""
    requirement = supported().get(canonicalize_name(name))
    return f"'{name}{requirement.specifier}'" if requirement and requirement.specifier else name
