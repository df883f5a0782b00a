"""How much of a completion is shown, and how much of that is right, by how sure the model must be.

Places in cells of notebooks are completed once, with a real kernel that has run all cells above, and nothing
below the cursor. The gate is put over the same answers afterwards, with one threshold after the other. A
*place* stands inside a word, behind a space, bracket or mark, or at the beginning of a line. Without
`--traces`, the notebooks are those of `tests/benchmarks/notebooks`; `--repeat` says how many cells of each
are taken. No time is measured.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from traitlets.config import Config

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.context.checks import gate
from jupyter_localcoder.context.checks.surroundings import Surroundings
from jupyter_localcoder.contract.generation import CompleteRequest, Done, Finish
from jupyter_localcoder.contract.notebook import NotebookContext
from jupyter_localcoder.contract.registry import TAB_COMPLETE
from jupyter_localcoder.errors import InvalidArgument

from .figure import Figure
from .setting import Setting
from .simulate import NOTEBOOKS
from .simulation.kernel import Kernel
from .simulation.sides import is_multiline
from .simulation.tally import Seen
from .simulation.walk import walk

Where = Literal["word", "mark", "line"]
_PLACES: dict[Where, int] = {"word": 2, "mark": 4, "line": 2}
"""So many of each kind in a cell."""
_CELLS = 6
_MOST_TOKENS = 48
_PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LEAST_CHARS = 4


@dataclass(frozen=True)
class Answer:
    """What the model wrote at a place, piece by piece, with the logarithm of the probability so far."""

    where: Where
    surroundings: Surroundings
    target: str
    pieces: tuple[tuple[str, float | None], ...]
    finish: Finish
    end: float | None

    def shown(self, rules: gate.Rules) -> str:
        """What the gate lets through."""
        made = gate.SuggestionGate(self.surroundings, rules)
        out = "".join(made.take(text, sure) for text, sure in self.pieces)
        return out + made.finish(self.finish, self.end)

    def whole(self, least: float) -> str:
        """All of it where its first line is so likely, as logarithm; else nothing. No check is made."""
        text, first = "", self.end
        for piece, sure in self.pieces:
            if text.strip() and "\n" in piece:
                first = sure
                break
            text += piece
        said = "".join(piece for piece, _ in self.pieces)
        return said.rstrip() if first is None or first >= least else ""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure."""
    folder = (setting.traces or NOTEBOOKS).resolve()
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise InvalidArgument(f"There is no notebook in {folder}.")
    folders = {"settings_dir": str(setting.workspace.folder / "gate")}
    models = {"models_dir": str(setting.workspace.folder / "models")}
    config = Config({"LocalCoderSettings": folders, "ModelStore": models})
    with LocalClient(config) as client, _Recorder() as recorder:
        answers = [one for path in paths for one in _answers(client, setting, path, recorder)]
    for where in (None, *get_args(Where)):
        here = [answer for answer in answers if where in (None, answer.where)]
        for probability in _PROBABILITIES if where is None else (0.5,):
            shown = [(one.shown(rules(probability)), one.target) for one in here]
            yield figure(shown, f"{where or 'all places'}, p ≥ {probability:g}")
    yield figure([(one.shown(rules(0.0)), one.target) for one in answers], "all places, all shown")
    for probability in (0.1, 0.5):
        whole = [(one.whole(math.log(probability)), one.target) for one in answers]
        yield figure(whole, f"all places, taken or left by the first line, p ≥ {probability:g}")


class _Recorder:
    """Has every gate let all through, and keeps what came to it."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, float | None]] = []
        self.finish: Finish = "stop"
        self.end: float | None = None

    def __enter__(self) -> _Recorder:
        recorder = self

        def take(_self: gate.SuggestionGate, text: str, log_probability: float | None = None) -> str:
            recorder.pieces.append((text, log_probability))
            return text

        def finish(_self: gate.SuggestionGate, why: Finish, log_probability: float | None = None) -> str:
            recorder.finish, recorder.end = why, log_probability
            return ""

        self._replaced = gate.SuggestionGate.take, gate.SuggestionGate.finish
        gate.SuggestionGate.take, gate.SuggestionGate.finish = take, finish  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, *_: object) -> None:
        gate.SuggestionGate.take, gate.SuggestionGate.finish = self._replaced  # type: ignore[method-assign]


def _answers(client: Client, setting: Setting, path: Path, recorder: _Recorder) -> Iterator[Answer]:
    with Kernel(path.parent) as kernel:
        for i, source, notebook in walk(path, setting.times(_CELLS), kernel):
            for where, at in places(source, i):
                prefix = source[:at]
                _ask(client, setting, prefix, notebook, str(path), recorder)
                yield Answer(
                    where,
                    Surroundings(prefix, "", "python", notebook),
                    source[at:],
                    tuple(recorder.pieces),
                    recorder.finish,
                    recorder.end,
                )


def places(source: str, seed: int) -> list[tuple[Where, int]]:
    """Places of a cell in its order; the same ones each time."""
    inside = range(2, len(source) - _LEAST_CHARS)
    kinds: dict[Where, list[int]] = {
        "word": [at for at in inside if re.fullmatch(r"\w\w", source[at - 1 : at + 1])],
        "mark": [at for at in inside if source[at - 1] in ".(,=[ " and source[at] not in " \n"],
        "line": [at for at in inside if re.search(r"\n[ \t]*$", source[:at]) and not source[at].isspace()],
    }
    drawn = random.Random(seed)
    picked: list[tuple[Where, int]] = []
    for where, count in _PLACES.items():
        picked += [(where, at) for at in drawn.sample(kinds[where], min(count, len(kinds[where])))]
    return sorted(picked, key=lambda place: place[1])


def _ask(
    client: Client,
    setting: Setting,
    prefix: str,
    notebook: NotebookContext,
    scope: str,
    recorder: _Recorder,
) -> None:
    recorder.pieces = []
    request = CompleteRequest(
        prefix=prefix,
        notebook=notebook,
        multiline=is_multiline(prefix),
        automatic=True,
        max_tokens=_MOST_TOKENS,
        timeout_ms=600_000,
        model=setting.workspace.model.id,
        scope=scope,
    )
    with client.stream(TAB_COMPLETE, request) as frames:
        next(frame for frame in frames if isinstance(frame, Done))


def rules(probability: float) -> gate.Rules:
    return gate.Rules(trim=True, min_log_probability=math.log(probability) if probability else None)


def figure(shown: list[tuple[str, str]], how: str) -> Figure:
    """Of what was shown at each place, beside what came to stand there."""
    seen = [Seen(text, target) for text, target in shown if text.strip()]
    right = sum(one.right for one in seen)
    wrong = sum(one.wrong for one in seen)
    whole = sum(one.wrong == 0 for one in seen)
    return Figure(
        bench="gate",
        name=f"characters right, {how}",
        unit="%",
        ours=[100 * right / max(1, right + wrong)],
        note=f"shown at {len(seen)} of {len(shown)} places, {whole} of them right; "
        f"characters: {right} right, {wrong} wrong",
        numbers={
            "places": len(shown),
            "shown": len(seen),
            "right": whole,
            "right_chars": right,
            "wrong_chars": wrong,
        },
    )
