"""Doctor: which versions of other packages this release supports, from its own metadata."""

from __future__ import annotations

import functools
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@functools.cache
def supported() -> dict[str, Requirement]:
    """Requirements that apply to this machine, without those of extras, by normalised name."""
    try:
        lines = metadata.requires("jupyter_localcoder") or []
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return {}
    parsed = (Requirement(line) for line in lines)
    applying = (one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""}))
    return {canonicalize_name(one.name): one for one in applying}


def argument_of(name: str) -> str:
    """What to give to ``pip install`` for a version that is supported, quoted for a shell."""
    requirement = supported().get(canonicalize_name(name))
    return f"'{name}{requirement.specifier}'" if requirement and requirement.specifier else name
