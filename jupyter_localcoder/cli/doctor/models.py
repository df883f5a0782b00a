"""Doctor: the model folder and what lies in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ...contract.models import ModelInfo, ModelList
from ...contract.settings import Settings
from ...text.units import size
from .finding import Finding, note, ok, problem

ROOM_BYTES = 600_000_000
"""Room for the smallest model of the catalogue, and a little more."""


def findings(known: ModelList, settings: Settings) -> Iterator[Finding]:
    """Look."""
    folder = Path(known.models_dir)
    yield from _folder(folder)
    here = [info for info in known.models if info.state != "idle" or info.received_bytes]
    if any(info.state == "ready" for info in here):
        yield from _answering(known, settings)
    else:
        yield problem(
            "Models",
            "no model is on this machine",
            "Download one: `jupyter localcoder models pull qwen2.5-coder-0.5b`, or `models import` a "
            "GGUF file.",
        )
    yield from (_model(info) for info in here)


def _answering(known: ModelList, settings: Settings) -> Iterator[Finding]:
    """Which of the models that are here answers, and who has chosen it."""
    here = {info.id: info for info in known.models if info.state == "ready"}
    # An older server does not say which one answers.
    active = next((one.model for one in known.profiles if one.name == known.active_profile), "")
    code = here.get(known.code_model or settings.model or active)
    general = here.get(known.general_model)
    if code is None:
        missing = (
            f"the settings select `{settings.model}`" if settings.model else f"profile {settings.profile}"
        )
        reset = "config reset model" if settings.model else "config set profile auto"
        yield problem(
            "Answers",
            f"the chosen model is not on this machine ({missing})",
            f"Download it, or use an installed model: `jupyter localcoder {reset}`.",
        )
        return
    found = f"`{code.id}`"
    if general is not None and general.id != code.id:
        found = f"`{code.id}` for code, `{general.id}` for general questions"
    chosen = [name for name in ("model", "general_model") if getattr(settings, name)]
    if chosen:
        found += f" (pinned by {', '.join(f'`{name}`' for name in chosen)} of the settings)"
    if code.fill_in_the_middle is False:
        yield note(
            "Answers",
            found,
            f"`{code.id}` does not support completion while typing: download a model that does.",
        )
    elif "general" not in code.roles and (general is None or general.id == code.id):
        yield note("Answers", found, f"`{code.id}` completes code, but does not follow instructions.")
    elif chosen:
        unpin = (
            "To use the model of the profile again, run `jupyter localcoder config reset "
            f"{' '.join(chosen)}`."
        )
        yield ok("Answers", found, unpin)
    else:
        yield ok("Answers", found)


def _folder(folder: Path) -> Iterator[Finding]:
    # The folder is made by the first pull; until then its nearest ancestor tells.
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if os.access(there, os.W_OK | os.X_OK):
        yield ok("Model folder", f"{folder} can be written")
    else:
        yield note(
            "Model folder",
            f"{folder} cannot be written",
            "Installed models can be used. To download more, set `LOCALCODER_MODELS_DIR` to a folder "
            "that you can write.",
        )
    free = shutil.disk_usage(there).free
    if free >= ROOM_BYTES:
        yield ok("Disk", f"{size(free)} free")
    else:
        yield note(
            "Disk", f"{size(free)} free", "Not enough for another model: free some space, or move the folder."
        )


def _model(info: ModelInfo) -> Finding:
    name = f"{info.id} ({size(info.size_bytes)})"
    if info.state == "error":
        why = info.error.message if info.error else "it cannot be used"
        advice = info.error.recovery if info.error else "Download it again."
        return note("Model", f"{name}: {why}", advice)
    if info.state != "ready":
        return note(
            "Model",
            f"{name}: {size(info.received_bytes)} downloaded",
            f"Resume with `jupyter localcoder models pull {info.id}`.",
        )
    if info.fit.fit == "does-not-fit":
        return note(
            "Model",
            f"{name}: verified, needs {size(info.fit.needed_bytes)} of memory",
            f"{size(info.fit.available_bytes)} available: close other programs, or use a smaller model.",
        )
    if info.recheck:
        return ok("Model", f"{name}: its file was modified; the digest is verified again at its first use")
    return ok("Model", f"{name}: the digest was verified")
