"""Doctor: the model folder and what lies in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ...contract.models import ModelInfo, ModelList
from ..units import size
from .finding import Finding, note, ok, problem

ROOM_BYTES = 600_000_000
"""Room for the smallest model of the catalogue, and a little more."""


def findings(known: ModelList) -> Iterator[Finding]:
    """Look."""
    folder = Path(known.models_dir)
    yield from _folder(folder)
    here = [info for info in known.models if info.state != "idle" or info.received_bytes]
    if not any(info.state == "ready" for info in here):
        yield problem(
            "Models",
            "no model is on this machine",
            "Fetch one: `jupyter localcoder models pull qwen2.5-coder-0.5b`, or `models import` a GGUF file.",
        )
    yield from (_model(info) for info in here)


def _folder(folder: Path) -> Iterator[Finding]:
    # The folder is made by the first pull; until then its nearest ancestor tells.
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if os.access(there, os.W_OK | os.X_OK):
        yield ok("Model folder", f"{folder} can be written")
    else:
        yield note(
            "Model folder",
            f"{folder} cannot be written",
            "What is there can be used. To fetch more, set `LOCALCODER_MODELS_DIR` to a folder of yours.",
        )
    free = shutil.disk_usage(there).free
    if free >= ROOM_BYTES:
        yield ok("Disk", f"{size(free)} free")
    else:
        yield note(
            "Disk", f"{size(free)} free", "Too little for another model: free some, or move the folder."
        )


def _model(info: ModelInfo) -> Finding:
    name = f"{info.id} ({size(info.size_bytes)})"
    if info.state == "error":
        why = info.error.message if info.error else "it cannot be used"
        advice = info.error.recovery if info.error else "Fetch it again."
        return note("Model", f"{name}: {why}", advice)
    if info.state != "ready":
        return note(
            "Model",
            f"{name}: {size(info.received_bytes)} of it are here",
            f"Go on with `jupyter localcoder models pull {info.id}`.",
        )
    if info.fit.fit == "does-not-fit":
        return note(
            "Model",
            f"{name}: verified, needs {size(info.fit.needed_bytes)} of memory",
            f"{size(info.fit.available_bytes)} are free: close programs, or use a smaller model.",
        )
    return ok("Model", f"{name}: the digest was verified")
