"""Measured speeds, kept for each model, build and machine, so that a load need not measure again."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
from pathlib import Path

import msgspec

from . import processors
from .contract import wire

_MOST = 64
"""Entries that are kept."""


class Calibrations:
    """A small file of step costs; one that cannot be read or written is no error, only slower."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @staticmethod
    def key(digest: str, load: wire.Load) -> str:
        """What the speed depends on: weights, build of llama.cpp, machine, and how it is loaded."""
        threads = load.n_threads or processors.available().threads
        parts = (
            digest[:16], _build(), platform.processor() or platform.machine(), os.cpu_count(),
            load.n_gpu_layers, threads, load.n_ubatch, load.flash_attention, load.cache_type,
            load.repack,
        )  # fmt: skip
        return "|".join(str(part) for part in parts)

    def find(self, key: str) -> dict[int, float]:
        """Seconds of a batch by its tokens; empty where they were not measured yet."""
        return self._read().get(key, {})

    def remember(self, key: str, costs: dict[int, float]) -> None:
        """Keep what was measured last."""
        entries = self._read()
        if entries.get(key) == costs:
            return
        entries.pop(key, None)
        entries[key] = costs
        kept = dict(list(entries.items())[-_MOST:])
        part = self._path.with_suffix(f".{os.getpid()}.part")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode(kept))
            part.replace(self._path)

    def _read(self) -> dict[str, dict[int, float]]:
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[int, float]])
        return {}


@functools.cache
def _build() -> str:
    """Version of the bindings, and when they were installed: another build is another speed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, OSError):
        found = importlib.metadata.distribution("llama-cpp-python")
        installed = Path(str(found.locate_file("llama_cpp"))).stat().st_mtime_ns
        return f"{found.version}@{installed}"
    return "unknown"
