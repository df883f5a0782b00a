"""Completion while a person types, against `llama-server` (``/infill``, as editor plug-ins ask it).

The same keystrokes of real notebooks go to the product over HTTP, to the product without the suffix
splice, and to the peer, a line at a time and in turns. *Warm* are all keystrokes of a line but the first.
*Exact* is the share of answers that are what came to stand there. *First suggestion*: a notebook that
nobody has asked for yet; the product has three seconds to read ahead, the peer gets none, since nothing
asks it to.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.generation import CompleteRequest, Done, WarmRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD, TAB_COMPLETE, TAB_WARM
from jupyter_localcoder.errors import Canceled

from .figure import Figure, Target, turns
from .peers.llama_server import LlamaServerPeer
from .server import Server
from .setting import Setting
from .traces import Keystroke, TypedLine, typed_lines

_LINES = 3
_ANSWER = 24
_AHEAD_SECONDS = 3.0


@dataclass
class _Seen:
    """What one side was seen to do, seconds by keystroke."""

    warm: list[float] = field(default_factory=list)
    evaluated: list[float] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class _Ours:
    def __init__(self, client: Client, label: str, server: Server) -> None:
        self.server = server
        self._client = client
        self._label = label
        self.seen = _Seen()

    def line(self, line: TypedLine) -> None:
        for i, stroke in enumerate(line.keystrokes):
            begin = time.perf_counter()
            done = self._ask(stroke, f"{self._label}/{line.notebook}")
            seconds = time.perf_counter() - begin
            if i:
                self.seen.warm.append(seconds)
            self.seen.evaluated.append(done.usage.prompt_tokens - done.usage.cached_tokens)
            self.seen.exact.append(done.text.rstrip() == stroke.expected.rstrip())
            self.seen.texts.append(done.text)

    def opened(self, stroke: Keystroke, scope: str) -> float:
        """Seconds of the first suggestion, after some of reading ahead."""
        request = WarmRequest(prefix=stroke.prefix, suffix=stroke.suffix, scope=scope)
        reader = threading.Thread(target=self._warm, args=(request,))
        reader.start()
        time.sleep(_AHEAD_SECONDS)
        begin = time.perf_counter()
        self._ask(stroke, scope)
        seconds = time.perf_counter() - begin
        reader.join()
        return seconds

    def _warm(self, request: WarmRequest) -> None:
        with contextlib.suppress(Canceled):  # given up for the completion
            self._client.call(TAB_WARM, request)

    def _ask(self, stroke: Keystroke, scope: str) -> Done:
        request = CompleteRequest(
            prefix=stroke.prefix, suffix=stroke.suffix, multiline=False, max_tokens=_ANSWER, scope=scope
        )
        with self._client.stream(TAB_COMPLETE, request) as frames:
            for frame in frames:
                if isinstance(frame, Done):
                    return frame
        raise RuntimeError("an answer without an end")


class _Theirs:
    def __init__(self, peer: LlamaServerPeer) -> None:
        self._peer = peer
        self.seen = _Seen()

    def line(self, line: TypedLine) -> None:
        for i, stroke in enumerate(line.keystrokes):
            begin = time.perf_counter()
            text, evaluated = self._peer.infill(stroke.prefix, stroke.suffix, _ANSWER)
            if i:
                self.seen.warm.append(time.perf_counter() - begin)
            self.seen.evaluated.append(evaluated)
            self.seen.exact.append(text.rstrip() == stroke.expected.rstrip())

    def opened(self, stroke: Keystroke) -> float:
        """Seconds of the first suggestion, with nothing cached."""
        begin = time.perf_counter()
        self._peer.infill(stroke.prefix, stroke.suffix, _ANSWER, cached=False)
        return time.perf_counter() - begin


def run(setting: Setting) -> Iterator[Figure]:
    """Measure typing."""
    if setting.traces is None:
        return
    lines = list(typed_lines(setting.traces, setting.times(_LINES)))
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(_product(setting, "ours", splice=True))
        # Both with the same speeds, so that both read equally much.
        exact = stack.enter_context(_product(setting, "exact", splice=False, like=ours.server))
        peer = _Theirs(LlamaServerPeer(setting.peer_url)) if setting.peer_url else None
        for line, (first, _) in zip(lines, turns(len(lines)), strict=True):
            sides = [ours.line, *([peer.line] if peer else []), exact.line]
            for side in sides if first else reversed(sides):
                side(line)
        yield from _warm(ours.seen, exact.seen, "without splice")
        if peer:
            yield from _warm(ours.seen, peer.seen, "llama-server", Target(0.35), Target(0.10))
        yield from _answers(ours.seen, exact.seen, peer.seen if peer else None)
        yield from _opened(ours, peer, lines)


@contextlib.contextmanager
def _product(setting: Setting, label: str, *, splice: bool, like: Server | None = None) -> Iterator[_Ours]:
    options = () if splice else ("--Tuning.splice=False",)
    made = Server(setting.workspace, extension=True, options=options, like=like)
    with made as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        yield _Ours(client, label, server)


def _warm(
    ours: _Seen, theirs: _Seen, name: str, median: Target | None = None, p95: Target | None = None
) -> Iterator[Figure]:
    common = {
        "bench": "typing",
        "name": f"warm keystroke, against {name}",
        "unit": "s",
        "ours": ours.warm,
        "peer": theirs.warm,
        "peer_name": name,
        "compare": "summary ratio",
    }
    yield Figure(**common, target=median, note=f"{len(ours.warm)} keystrokes")
    yield Figure(**common, of="p95", target=p95)


def _answers(ours: _Seen, exact: _Seen, theirs: _Seen | None) -> Iterator[Figure]:
    hundred = 100 / len(ours.exact)
    # One number for each side: a share of all keystrokes, in points.
    own, whole = sum(ours.exact) * hundred, sum(exact.exact) * hundred
    same = sum(a == b for a, b in zip(ours.texts, exact.texts, strict=True)) * hundred
    yield Figure(
        bench="typing",
        name="exact lines, against no splice",
        unit="%",
        ours=[own],
        peer=[whole],
        compare="difference",
        target=Target(-1.0, at_least=True),
        note=f"of {len(ours.exact)} keystrokes; {same:.0f} % of the texts are the same",
    )
    if theirs is not None:
        yield Figure(
            bench="typing",
            name="exact lines, against llama-server",
            unit="%",
            ours=[own],
            peer=[sum(theirs.exact) * hundred],
            compare="difference",
        )
    yield Figure(
        bench="typing",
        name="tokens read for a keystroke",
        unit="tokens",
        ours=ours.evaluated,
        peer=theirs.evaluated if theirs else exact.evaluated,
        peer_name="llama-server" if theirs else "without splice",
        compare="summary ratio",
    )


def _opened(ours: _Ours, peer: _Theirs | None, lines: list[TypedLine]) -> Iterator[Figure]:
    first = list({line.notebook: line for line in lines}.values())
    mine: list[float] = []
    theirs: list[float] = []
    for i, (line, pair) in enumerate(zip(first, turns(len(first)), strict=True)):
        stroke = line.keystrokes[0]
        # Another first line: nothing that was computed for this notebook above may serve again.
        stroke = replace(stroke, prefix=f"# Notebook {i}, opened\n{stroke.prefix}")
        for we in pair:
            if we:
                mine.append(ours.opened(stroke, f"opened/{i}"))
            elif peer:
                theirs.append(peer.opened(stroke))
    yield Figure(
        bench="typing",
        name="first suggestion, notebook opened 3 s ago",
        unit="s",
        ours=mine,
        peer=theirs,
        peer_name="llama-server",
        compare="ratio" if peer else "none",
        target=Target(0.30) if peer else None,
        note="peer: cold",
    )
