"""How long the page's main thread is kept busy at a time, in time of the processor.

By the clock, what only waits for its turn on a busy machine would be long, too.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

_CATEGORIES = ["disabled-by-default-devtools.timeline"]
_OURS = "/extensions/jupyter-localcoder/"
_INTERVAL_US = 500

Measure = Callable[[Any], contextlib.AbstractContextManager["Busy"]]


@dataclass
class Busy:
    """Milliseconds of each time that it was busy, known at the end of the ``with`` block."""

    milliseconds: list[float] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest of them."""
        return max(self.milliseconds)


@contextlib.contextmanager
def tasks(page: Any) -> Iterator[Busy]:
    """Every task of the page, whoever has caused it."""
    busy = Busy()
    browser = page.context.browser
    browser.start_tracing(page=page, categories=_CATEGORIES)
    try:
        yield busy
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    busy.milliseconds = [
        event["tdur"] / 1000
        for event in events
        if event["name"] == "RunTask" and "tdur" in event and (event["pid"], event["tid"]) in mains
    ]


@contextlib.contextmanager
def our_part(page: Any) -> Iterator[Busy]:
    """What the extension does without a break, with all that it calls."""
    busy = Busy()
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.setSamplingInterval", {"interval": _INTERVAL_US})
    session.send("Profiler.start")
    try:
        yield busy
    finally:
        profile = session.send("Profiler.stop")["profile"]
        session.detach()
    ours: set[int] = set()
    for node in profile["nodes"]:  # a parent comes before its children
        if _OURS in node["callFrame"]["url"]:
            ours.add(node["id"])
        if node["id"] in ours:
            ours.update(node.get("children", ()))
    stretches = groupby(profile["samples"], key=ours.__contains__)
    busy.milliseconds = [
        len(list(samples)) * _INTERVAL_US / 1000 for is_ours, samples in stretches if is_ours
    ]
