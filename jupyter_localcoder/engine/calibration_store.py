"""Measured speeds, kept for each model, build and machine, so that a load need not measure again."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import msgspec

from ..contract import wire
from ..errors import DiskFull, FileWriteError
from ..machine import processors
from ..storage.json_file import Document, JsonFile

_COSTS = "costs"
_MOST = 64
"""Entries that are kept."""


class Calibrations:
    """A small file of step costs; one that cannot be read or written is no error, only slower."""

    def __init__(self, path: Path) -> None:
        self._file = JsonFile(path, what="The measured speeds", check=_check, unversioned=_unversioned)

    @staticmethod
    def key(digest: str, load: wire.LoadFrame) -> str:
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
        with contextlib.suppress(msgspec.ValidationError):
            costs = self._file.read().document.get(_COSTS, {}).get(key, {})
            return msgspec.convert(costs, dict[int, float], strict=False)
        return {}

    def remember(self, key: str, costs: dict[int, float]) -> None:
        """Keep what was measured last."""
        if self.find(key) == costs:
            return
        with contextlib.suppress(FileWriteError, DiskFull), self._file.change() as document:
            entries = document.get(_COSTS, {})
            entries.pop(key, None)
            entries[key] = {str(tokens): seconds for tokens, seconds in costs.items()}
            document[_COSTS] = dict(list(entries.items())[-_MOST:])


def _check(document: Document) -> None:
    msgspec.convert(document.get(_COSTS, {}), dict[str, Any])


def _unversioned(value: Any) -> Document:
    """The file was the costs alone before it had a format."""
    return {_COSTS: msgspec.convert(value, dict[str, dict[str, float]])}


@functools.cache
def _build() -> str:
    """Version of the bindings, and when they were installed: another build is another speed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, OSError):
        found = importlib.metadata.distribution("llama-cpp-python")
        installed = Path(str(found.locate_file("llama_cpp"))).stat().st_mtime_ns
        return f"{found.version}@{installed}"
    return "unknown"
