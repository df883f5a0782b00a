"""What completion saves a person who types notebooks, against `llama-server` as an editor plug-in asks it.

Cells of notebooks are typed from the first character to the last, in real time and with a real kernel
(see `simulation`). Without `--traces`, the notebooks are those of `tests/benchmarks/notebooks`; `--repeat`
says how many cells of each are typed. `--peer-url` has the peer serve the same person, cell by cell and in
turns. With `SIMULATION_LOG=1` in the environment, what was shown is printed.

A `llama-server` for it: the same weights, ``-c 4096 -np 1 --cache-reuse 256``, as many threads.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD
from jupyter_localcoder.errors import InvalidArgument

from .figure import Compare, Figure, Of, turns
from .peers.llama_server import LlamaServerPeer
from .server import Server
from .setting import Setting
from .simulation.kernel import Kernel
from .simulation.person import type_cell
from .simulation.sides import Plugin, Product
from .simulation.tally import Tally, invented
from .simulation.walk import walk

NOTEBOOKS = Path(__file__).parent / "notebooks"
_CELLS = 2
"""Of each notebook."""
_BETWEEN_CELLS = 2.0
"""Seconds between the run of a cell and the first key in the next one."""
_PEER = "llama-server, plug-in"


@dataclass
class _Sides:
    """Both sides' counts, and what they invented."""

    ours: Tally
    theirs: Tally
    invented: tuple[list[str], list[str]]


def run(setting: Setting) -> Iterator[Figure]:
    """Measure."""
    folder = (setting.traces or NOTEBOOKS).resolve()
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise InvalidArgument(f"There is no notebook in {folder}.")
    sides = _Sides(Tally(), Tally(), ([], []))
    peer = LlamaServerPeer(setting.peer_url) if setting.peer_url else None
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        for path in paths:
            product = Product(client, sides.ours, str(path))
            plugin = Plugin(peer, sides.theirs) if peer else None
            with Kernel(folder) as kernel:
                _type_notebook(path, setting.times(_CELLS), kernel, product, plugin, sides)
    yield from _figures(sides, bool(peer))


def _type_notebook(
    path: Path, count: int, kernel: Kernel, product: Product, plugin: Plugin | None, sides: _Sides
) -> None:
    order = turns(count)
    for i, source, notebook in walk(path, count, kernel):
        columns = {v.name: [c.name for c in v.columns] for v in notebook.variables if v.columns}
        attributes = kernel.attributes()
        for ours in next(order):
            side, tally = (product, sides.ours) if ours else (plugin, sides.theirs)
            if side is None:
                continue
            side.enter(notebook)
            time.sleep(_BETWEEN_CELLS)
            seen = len(tally.seen)
            type_cell(source, side, tally)
            told = sides.invented[0 if ours else 1]
            for one in tally.seen[seen:]:
                told += invented(one, columns, attributes)
            _log(path.stem, i, "product" if ours else _PEER, tally, seen)


def _log(notebook: str, cell: int, side: str, tally: Tally, since: int) -> None:
    """With `SIMULATION_LOG`, what was shown goes to the standard error, for who wants to read it."""
    if os.environ.get("SIMULATION_LOG"):
        for one in tally.seen[since:]:
            told = f"{one.before!r} + {one.text[: one.right]!r} | wrong: {one.text[one.right :]!r}"
            print(f"{notebook} {cell} {side}: {told}", file=sys.stderr)


def _figures(sides: _Sides, has_peer: bool) -> Iterator[Figure]:
    ours, theirs = sides.ours, sides.theirs

    def figure(
        name: str,
        unit: str,
        own: list[float],
        other: list[float],
        compare: Compare = "difference",
        note: str = "",
        of: Of = "median",
    ) -> Figure:
        if not has_peer or not other:
            return Figure(bench="simulate", name=name, unit=unit, ours=own, note=note, of=of)
        return Figure(
            bench="simulate", name=name, unit=unit, ours=own, peer=other, peer_name=_PEER, compare=compare,
            note=note, of=of,
        )  # fmt: skip

    peer = theirs if has_peer else ours
    counts = f"{ours.keys} of {ours.keys_needed} keys; {ours.accepted} accepted"
    yield figure(
        "keystrokes saved", "%", [100 * ours.saved], [100 * peer.saved], note=counts, compare="difference"
    )
    yield figure("moments with something shown", "%", [100 * ours.share_shown], [100 * peer.share_shown])
    yield figure(
        "characters shown that are right", "%", [100 * ours.share_right], [100 * peer.share_right],
        note=f"right {ours.right}, wrong {ours.wrong}",
    )  # fmt: skip
    hundred_right = [100 * side.wrong / max(1, side.right) for side in (ours, peer)]
    yield figure("wrong characters for 100 right ones", "", hundred_right[:1], hundred_right[1:])
    asked = [100 * side.requests / side.characters for side in (ours, peer)]
    yield figure("requests for 100 characters", "", asked[:1], asked[1:])
    yield figure("spent on reading what is wrong", "s", [ours.reading_seconds], [peer.reading_seconds])
    for of in ("median", "p95"):
        with contextlib.suppress(ValueError):  # nothing was ever shown
            yield figure(
                "from a key to the first character", "s", ours.waits, peer.waits, "summary ratio", of=of
            )
    followed = [100 * side.share_followed for side in (ours, peer)]
    yield figure("accepts with the next one there in 0.1 s", "%", followed[:1], followed[1:])
    names = ", ".join(dict.fromkeys(sides.invented[0][:8]))
    yield figure(
        "invented columns and attributes", "", [len(sides.invented[0])], [len(sides.invented[1])], note=names
    )
