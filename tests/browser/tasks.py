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
_ROUNDS = 4
# Some work that a processor of today does in 50 milliseconds, under an address of ours.
_YARDSTICK = f"""window.yardstick = () => {{
  let number = 1;
  for (let count = 0; count < 45_000_000; count++) {{
    number = (Math.imul(number, 1103515245) + 12345) | 0;
  }}
  return number;
}};
//# sourceURL=http://127.0.0.1{_OURS}yardstick.js"""

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


def assert_short(page: Any, measure: Measure, do: Callable[[], None]) -> None:
    """See that nothing in ``do`` keeps the page busy for longer than 50 milliseconds of a processor of today.

    They are measured on this processor, at this time, by a work that takes so long: it may be a slow one, or
    busy with something else. What gets in between makes a measured time longer, never shorter, so one round
    that is short is enough: what really takes long does so in each.
    """
    page.evaluate("script => { (0, eval)(script); }", _YARDSTICK)
    page.evaluate("() => { window.yardstick(); window.yardstick(); }")  # It is compiled now.
    measured = []
    for _ in range(_ROUNDS):
        with measure(page) as busy:
            do()
        with measure(page) as yardstick:
            page.evaluate("() => window.yardstick()")
        measured.append((busy.longest, yardstick.longest))
        if busy.longest < yardstick.longest:
            return
    raise AssertionError(f"milliseconds, and of the yardstick: {measured}")
