"""Time that the extension adds to the start of a Jupyter server.

Servers with and without the extension are started in turns, each until ``api/status`` answers. Beside
that, the extension's own time inside: importing, linking, loading and starting it, with what it imports
that others would have imported after it (it comes early in the alphabet), so an upper bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from .figure import Figure, Target, turns
from .server import Server
from .setting import Setting
from .timed_server import MARK

_PAIRS = 9
_INSIDE = 5
_TIMED = ("-m", "tests.benchmarks.timed_server")


def run(setting: Setting) -> Iterator[Figure]:
    """Measure the start."""
    with Server(setting.workspace, extension=True), Server(setting.workspace, extension=False):
        pass  # Files are in the cache of the system from here on.
    yield _outside(setting)
    inside = [_inside(setting) for _ in range(_INSIDE)]
    total = [sum(times.values()) for times in inside]
    parts = {name: sorted(times[name] for times in inside)[len(inside) // 2] for name in inside[0]}
    yield Figure(
        bench="startup",
        name="the extension's own time inside",
        unit="ms",
        ours=total,
        target=Target(150.0),
        note=", ".join(f"{name} {value:.1f}" for name, value in parts.items()),
    )


def _outside(setting: Setting) -> Figure:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for pair in turns(setting.times(_PAIRS)):
        for extension in pair:
            with Server(setting.workspace, extension=extension) as server:
                seconds[extension].append(server.start_seconds * 1000)
    return Figure(
        bench="startup",
        name="start of a server until it answers",
        unit="ms",
        ours=seconds[True],
        peer=seconds[False],
        peer_name="without the extension",
        compare="difference",
        target=Target(150.0),
        note="peer: without the extension",
    )


def _inside(setting: Setting) -> dict[str, float]:
    """Milliseconds of each step."""
    with Server(setting.workspace, extension=True, command=_TIMED) as server:
        pass
    line = next(line for line in server.output.splitlines() if line.startswith(MARK))
    times: dict[str, float] = json.loads(line.removeprefix(MARK))
    return times
