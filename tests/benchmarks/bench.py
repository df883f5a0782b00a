"""What a bench is, what it is told, and which ones there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import (
    cancel,
    cold,
    document,
    editing,
    edits,
    estimate,
    gate,
    history,
    keystroke,
    manager,
    memory,
    mixed,
    notebook,
    queue,
    recovery,
    simulate,
    stack,
    stalls,
    startup,
    switch,
    titles,
    typing,
)
from .answers import bench as answers
from .figure import Figure
from .setting import Setting


@dataclass(frozen=True)
class Bench:
    """A name, a sentence, and the function that measures."""

    name: str
    summary: str
    run: Callable[[Setting], Iterator[Figure]]


BENCHES: tuple[Bench, ...] = (
    Bench(
        "stack", "decode, prefill and time to the first token through client, server and worker", stack.run
    ),
    Bench(
        "typing",
        "completion while lines of real notebooks are typed (needs --traces; --peer-url to compare)",
        typing.run,
    ),
    Bench(
        "simulate", "keystrokes that completion saves a person who types notebooks (--peer-url)", simulate.run
    ),
    Bench("editing", "`improve` of real cells, against the bindings (needs --traces)", editing.run),
    Bench("edits", "what `improve`, `fix` and `document` would write into twelve cells", edits.run),
    Bench(
        "answers",
        "what commands offer, and what of it is right, against the plain model (--limit, --suites, --keep)",
        answers.run,
    ),
    Bench("mixed", "four streams at once, completion beside an answer, gaps between tokens", mixed.run),
    Bench("cold", "load, and the first completion with and without what was kept", cold.run),
    Bench("cancel", "time from a cancel to an idle worker", cancel.run),
    Bench("startup", "time that the extension adds to the start of a Jupyter server", startup.run),
    Bench("queue", "time that the queue adds to each of many requests, and its memory", queue.run),
    Bench("titles", "time that a completion waits for a title that is being made", titles.run),
    Bench("memory", "memory that the extension adds to a Jupyter server, and the worker's own", memory.run),
    Bench("estimate", "the estimate of a load against the memory of a real worker", estimate.run),
    Bench("recovery", "time from a SIGKILL of the worker to the next first token", recovery.run),
    Bench("notebook", "lines of notebooks that completion meets (needs --traces)", notebook.run),
    Bench("gate", "what completion shows, and what is right of it, by how sure it is", gate.run),
    Bench("keystroke", "ghost text in a browser, and what the page loads more (--traces)", keystroke.run),
    Bench("document", "the page's main thread in a large notebook and a long cell", document.run),
    Bench("manager", "the sidebar's first paint, and the page's work during a download", manager.run),
    Bench("switch", "from one model to another and back (needs --other-model)", switch.run),
    Bench("stalls", "how long the largest request of each operation holds up the event loop", stalls.run),
    Bench("history", "list, search, open and sweep a history of 100,000 answers", history.run),
)
"""In the order in which they run."""
