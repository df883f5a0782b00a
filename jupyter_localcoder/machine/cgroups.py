"""The control groups of this process: which folders hold the limits of its container. Linux alone has them.

Both generations are read, at the process's own group and above it: each group may be limited, and the least
limit holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def groups(root: Path, controller: str) -> Iterator[tuple[Path, int]]:
    """Folders of the process's groups, from its own to the top, each with its generation, 1 or 2.

    Parameters
    ----------
    root
        Where ``/proc`` and ``/sys`` are.
    controller
        What is limited: ``memory``, ``cpu`` or ``cpuset``.
    """
    for line in text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers == "":
            mounts, generation = ["", "unified"], 2
        elif controller in controllers.split(","):
            # Controllers that are mounted together have a link for each of them, but not everywhere.
            mounts, generation = list(dict.fromkeys([controller, controllers])), 1
        else:
            continue
        parts = [part for part in group.split("/") if part not in ("", "..")]
        for mount in mounts:
            # Inside of a container the group's own path is often not mounted, only its top.
            for depth in range(len(parts), -1, -1):
                yield root.joinpath("sys/fs/cgroup", mount, *parts[:depth]), generation


def number(path: Path) -> int | None:
    """The whole number that a file holds; None for a word, such as ``max``."""
    said = text(path).strip()
    return int(said) if said.isdigit() else None


def text(path: Path) -> str:
    """What a file holds; empty where it cannot be read."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
