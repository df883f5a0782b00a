"""What was computed outlives an unload: sequences are written to a file and read back.

A model that comes back with the same file name (it is made of digest and settings) finds its sequences as
they were, the most recently used first, up to a size. The file is private and short-lived: the service
keeps it in a folder of its own, which it removes when it ends.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .cache import Cache, Sequence, Suffix

if TYPE_CHECKING:
    from .engine import Engine


class _SavedCells(msgspec.Struct, frozen=True):
    scope: str
    tokens: list[int]
    cells: bytes
    after: list[int]
    """Tokens of the suffix; empty where none is kept."""
    after_start: int
    """Position of the first of them."""
    after_index: int
    drift: int
    gap: int
    gap_at: int


def save(cache: Cache, engine: Engine, path: Path, limit_bytes: int) -> int:
    """Write the sequences of a cache; answer how many were."""
    kept: list[_SavedCells] = []
    size = 0
    for sequence in sorted(cache, key=lambda s: -s.used):
        if not sequence.tokens:
            continue
        cells = engine.save(sequence.main)
        size += len(cells)
        if size > limit_bytes:
            break
        kept.append(_entry(sequence, cells))
    if not kept:
        path.unlink(missing_ok=True)
        return 0
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.msgpack.encode(kept))
    part.replace(path)
    return len(kept)


def restore(cache: Cache, engine: Engine, path: Path) -> int:
    """Read sequences back into an empty cache; answer how many. A file that does not fit is ignored."""
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=list[_SavedCells])
    except (OSError, msgspec.DecodeError):
        return 0
    path.unlink(missing_ok=True)
    restored: list[Sequence] = []
    for entry, sequence in zip(kept, cache, strict=False):
        if not cache.holds(len(entry.tokens)) or not engine.restore(sequence.main, entry.cells):
            engine.remove(sequence.main)
            continue
        sequence.scope, sequence.tokens = entry.scope, list(entry.tokens)
        sequence.gap, sequence.gap_at = entry.gap, entry.gap_at
        if entry.after:
            end = entry.after_start + len(entry.after)
            engine.copy(sequence.main, sequence.side, entry.after_start, end)
            sequence.suffix = Suffix(list(entry.after), entry.after_start, entry.after_index, entry.drift)
        restored.append(sequence)
    # What is used from now on is younger than all of them.
    for sequence in reversed(restored):
        cache.touch(sequence)
    return len(restored)


def _entry(sequence: Sequence, cells: bytes) -> _SavedCells:
    suffix = sequence.suffix
    after = suffix.tokens if suffix is not None and not suffix.apart else []
    return _SavedCells(
        scope=sequence.scope,
        tokens=sequence.tokens,
        cells=cells,
        after=after,
        after_start=suffix.start if suffix is not None else 0,
        after_index=suffix.index if suffix is not None else 0,
        drift=suffix.drift if suffix is not None else 0,
        gap=sequence.gap,
        gap_at=sequence.gap_at,
    )
