"""A worker for tests of completion: it answers by rules, and writes down what it is asked.

``python ghost_worker.py FOLDER``. ``FOLDER/rules.json`` is read anew for each request, so that a test can
change its mind; ``FOLDER/log.jsonl`` gets a line for each request and for each end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
from scripted_worker import Scripted, finished, read

from jupyter_localcoder.contract import wire


class GhostWorker(Scripted):
    """Answers each request in a thread of its own, so that it hears of a cancel meanwhile.

    A rule has ``ends``, what must stand right before the cursor, and says what follows:

    - ``pieces``: the answer, piece by piece. A piece ``{"waits_for": PATH}`` is none: what comes after it
      is held back until this file is there, or the request is cancelled.
    - ``echo``: a pattern; the answer is what its groups found in all of the prompt, each match in ``as``
      (which has the groups as ``{0}``, ``{1}`` …), the last match last.
    - ``hangs``: the answer goes on without an end. ``dies``: the process is killed after the pieces.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("ghost")
        self._folder = folder
        self._lock = threading.Lock()
        self._canceled: dict[int, threading.Event] = {}

    def send(self, frame: wire.FromWorker) -> None:
        with self._lock:
            super().send(frame)

    def take(self, frame: wire.ToWorker) -> None:
        if isinstance(frame, wire.Cancel):
            event = self._canceled.get(frame.id)
            if event is not None:
                event.set()
        elif isinstance(frame, wire.GenerateFrame):
            self._canceled[frame.id] = threading.Event()
            threading.Thread(target=self._answer, args=(frame,), daemon=True).start()
        else:
            super().take(frame)

    def _note(self, **what: Any) -> None:
        with self._lock, (self._folder / "log.jsonl").open("a") as log:
            log.write(json.dumps({"pid": os.getpid(), **what}) + "\n")

    def _answer(self, frame: wire.GenerateFrame) -> None:
        texts = [text for text in _strings(msgspec.to_builtins(frame.prompt)) if text]
        prefix = str(getattr(frame.prompt, "prefix", ""))
        self._note(
            event="asked",
            id=frame.id,
            priority=frame.priority,
            prefix=prefix,
            suffix=str(getattr(frame.prompt, "suffix", "")),
            texts=texts,
            temperature=frame.draw.temperature,
            stop=list(frame.stop),
        )
        rule = {} if frame.priority == "warm" else self._rule(prefix)
        how = self._write(frame, rule, "\n".join(texts))
        self._note(event="ended", id=frame.id, how=how)
        self.send(msgspec.structs.replace(finished(frame.id, how, tokens=8), segments=read(frame)))

    def _rule(self, prefix: str) -> dict[str, Any]:
        rules: list[dict[str, Any]] = json.loads((self._folder / "rules.json").read_text())
        return next((rule for rule in rules if prefix.endswith(rule["ends"])), {})

    def _write(self, frame: wire.GenerateFrame, rule: dict[str, Any], prompt: str) -> str:
        canceled = self._canceled[frame.id]
        pieces = list(rule.get("pieces", ()))
        if "echo" in rule:
            found = dict.fromkeys(re.findall(rule["echo"], prompt))
            pieces.append("".join(rule["as"].format(*_groups(one)) for one in found))
        for count, piece in enumerate(pieces, 1):
            if isinstance(piece, dict):
                while not Path(piece["waits_for"]).exists() and not canceled.wait(0.02):
                    pass
            if canceled.is_set():
                return "canceled"
            if isinstance(piece, dict):
                continue
            text = min((piece.split(stop)[0] for stop in frame.stop), key=len, default=piece)
            if frame.draw.temperature > 0:
                text += str(frame.id)  # Each alternative is another one.
            self.send(wire.Text(id=frame.id, text=text, tokens=count))
            if len(text) < len(piece):
                return "stop"
        if rule.get("dies"):
            self._note(event="ended", id=frame.id, how="died")
            os.kill(os.getpid(), signal.SIGKILL)
        if rule.get("hangs"):
            canceled.wait()
            return "canceled"
        return "stop"


def _groups(match: str | tuple[str, ...]) -> tuple[str, ...]:
    return match if isinstance(match, tuple) else (match,)


def _strings(value: Any) -> list[str]:
    """All texts of a prompt, in its order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _strings(one)]
    return []


if __name__ == "__main__":
    GhostWorker(Path(sys.argv[1])).run()
