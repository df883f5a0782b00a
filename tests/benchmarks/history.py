"""A history of 100,000 answers: a page of the list, a search, an answer opened, and the sweep at the start.

No model takes part. The material is made without waiting for the disk, which the product does for each
answer; what is measured is read the way the product reads it. While the sweep runs in its thread an event
loop counts how long it is kept waiting.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from jupyter_localcoder.contract.history import Response
from jupyter_localcoder.history import HistoryStore, document, names, rows
from jupyter_localcoder.history.database import Database
from jupyter_localcoder.history.folder import HistoryFolder
from jupyter_localcoder.history.retention import iso

from .figure import Figure, Target
from .setting import Setting

RESPONSES = 100_000
PROMPTS = 40_000
_TIMES = 300
_SWEEPS = 5
_SEED = 6
_TARGET_MS = 50.0
_SWEEP_TARGET_SECONDS = 2.0
_WAIT_TARGET_MS = 50.0
_VOCABULARY = 20_000
_CHUNK = 2000


def run(setting: Setting) -> Iterator[Figure]:
    """Measure with the whole history."""
    yield from measure(RESPONSES, PROMPTS, setting.times(_TIMES), _SWEEPS)


def measure(responses: int, prompts: int, times: int, sweeps: int) -> Iterator[Figure]:
    """Measure with a history of this size."""
    chance = random.Random(_SEED)
    with tempfile.TemporaryDirectory(prefix="localcoder-history-") as folder:
        words = Words(chance)
        store = HistoryStore(history_dir=folder)
        ids = fill(Path(folder), words, chance, responses, prompts)
        note = f"of {responses} answers to {prompts} prompts"
        actions = {
            "list a page": lambda: store.page(limit=100, offset=chance.randrange(max(1, responses - 100))),
            "search": lambda: store.search(words.query(), limit=50),
            "open an answer": lambda: store.get(chance.choice(ids)),
        }
        try:
            for name, action in actions.items():
                samples = [_milliseconds(action) for _ in range(times)]
                target = Target(_TARGET_MS)
                yield Figure(
                    bench="history", name=name, unit="ms", ours=samples, of="p95", target=target, note=note
                )
            swept = [asyncio.run(_sweep(store, responses)) for _ in range(sweeps)]
        finally:
            store.close()
    seconds, waits = zip(*swept, strict=True)
    yield Figure(
        bench="history", name="sweep at the start", unit="s", ours=seconds, of="worst",
        target=Target(_SWEEP_TARGET_SECONDS), note=note,
    )  # fmt: skip
    yield Figure(
        bench="history", name="event loop kept waiting by it", unit="ms", ours=waits, of="worst",
        target=Target(_WAIT_TARGET_MS), note=note,
    )  # fmt: skip


class Words:
    """Texts of words that are as unequally frequent as those of a language."""

    def __init__(self, chance: random.Random) -> None:
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._chance = chance
        self._words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(_VOCABULARY)]
        self._weights = [1.0 / rank for rank in range(1, _VOCABULARY + 1)]
        # Drawing with weights is slow, so texts are cut out of one long one.
        self._stock = self.draw(200_000)

    def draw(self, count: int) -> list[str]:
        """Words, each as often as its rank says."""
        return self._chance.choices(self._words, self._weights, k=count)

    def text(self, fewest: int, most: int) -> str:
        """A text of so many words, with line breaks."""
        count = self._chance.randint(fewest, most)
        start = self._chance.randrange(len(self._stock) - count)
        cut = self._stock[start : start + count]
        return "\n".join(" ".join(cut[at : at + 12]) for at in range(0, count, 12))

    def query(self) -> str:
        """What a person looks for: frequent words and rare ones, one or several, one half typed, a phrase."""
        kind = self._chance.randrange(4)
        if kind == 0:
            return self._chance.choice(self._words)
        if kind == 1:
            return " ".join(self.draw(2))
        if kind == 2:
            return self.draw(1)[0][:3]
        start = self._chance.randrange(len(self._stock) - 3)
        return f'"{" ".join(self._stock[start : start + 3])}"'


def fill(root: Path, words: Words, chance: random.Random, responses: int, prompts: int) -> list[str]:
    files = HistoryFolder(root)
    files.make()
    database = Database(files.database)
    begin = datetime(2026, 1, 1, tzinfo=timezone.utc)
    ids: list[str] = []
    for first in range(0, responses, _CHUNK):
        with database.writing() as db:
            for n in range(first, min(first + _CHUNK, responses)):
                response = _response(words, chance, prompts, begin + timedelta(minutes=n))
                data = document.render(response)
                _write(files.file(response.prompt_id, response.id), data)
                rows.add(db, response, len(data))
                ids.append(response.id)
    database.close()
    os.sync()
    return ids


def _response(words: Words, chance: random.Random, prompts: int, moment: datetime) -> Response:
    prompt = words.text(10, 150)
    return Response(
        id=f"{chance.getrandbits(64):016x}",
        prompt_id=names.prompt_id_of(str(chance.randrange(prompts))),
        kind="generate",
        command="explain",
        created_at=iso(moment),
        title=words.text(3, 6),
        title_source="generated",
        preview=rows.preview(prompt),
        provider="embedded",
        model="qwen2.5-coder-1.5b",
        finish="stop",
        milliseconds=1234.5,
        notebook="analysis/report.ipynb",
        prompt=prompt,
        content=words.text(50, 250),
    )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def _milliseconds(action: object) -> float:
    begin = time.perf_counter()
    action()  # type: ignore[operator]
    return (time.perf_counter() - begin) * 1000


async def _sweep(store: HistoryStore, responses: int) -> tuple[float, float]:
    """Seconds that a sweep takes, and the most milliseconds for which the loop was kept waiting."""
    longest = 0.0
    work = asyncio.ensure_future(asyncio.to_thread(store.sweep))
    begin = last = time.perf_counter()
    while not work.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    swept = work.result()
    if swept.files != responses or swept.adopted or swept.removed_rows:
        raise RuntimeError(f"the sweep found something to do: {swept}")
    return time.perf_counter() - begin, longest * 1000
