"""The words and numbers for a model: its state, its facts, its fit, what goes on with it. Pure."""

from __future__ import annotations

import re

from ..contract.backend import Memory
from ..contract.models import Fit, License, MemoryFit, ModelInfo
from ..contract.settings import SettingsView
from ..contract.words import ACTIVITIES, DETAILS, FIT_ROWS, FITS, MANAGER, STATES, filled
from ..text.units import context, duration, size, tokens_per_second
from .known import KnownModel, ModelProgress

Rows = list[tuple[str, str]]
_HASH = re.compile(r"[0-9a-f]{40}")
_UNDER_WAY = {"download": "downloading", "verify": "verifying", "import": "importing", "export": "exporting"}
_SIGNS: dict[Fit, str] = {"fits": "✓", "tight": "!", "does-not-fit": "✕", "unknown": "?"}


def state_text(model: KnownModel) -> str:
    """A word or two."""
    info, progress = model.info, model.progress
    if progress is not None and progress.activity:
        return STATES["verifying" if progress.verifying else _UNDER_WAY[progress.activity]]
    if model.loading:
        return STATES["loading"]
    if info.state == "ready":
        return STATES["loaded" if info.loaded else "ready"]
    if info.state == "error":
        return STATES["error"]
    return STATES["paused" if info.received_bytes else "absent"]


def facts_text(info: ModelInfo) -> str:
    """Size, quantisation, context and what it is for, in one line."""
    window = filled(DETAILS["context"], context(info.context_length)) if info.context_length else ""
    facts = (size(info.size_bytes), info.quantization, window, ", ".join(info.roles))
    return " · ".join(filter(None, facts))


def license_text(license: License | None) -> str:
    """Name of a licence, with the words that it wants shown."""
    if license is None:
        return DETAILS["license-not-known"]
    return " · ".join(filter(None, (license.name, license.attribution)))


def use_text(model: KnownModel) -> str:
    """What it answers, and whether it stays at its version; empty where there is nothing to say."""
    what = " and ".join(["code"] * model.for_code + ["general questions"] * model.for_general)
    info = model.info
    newer = info.update is not None and not info.pinned
    said = (
        f"answers {what}" if what else "",
        DETAILS["pinned-to-version"] if info.pinned else "",
        DETAILS["newer-available"] if newer else "",
    )
    return " · ".join(filter(None, said))


def progress_text(progress: ModelProgress) -> str:
    """What is done of what, how fast, and how long it will take."""
    checks = progress.activity and progress.verifying and progress.activity != "import"
    done, total = size(progress.received_bytes), size(progress.total_bytes)
    parts = [
        ACTIVITIES["verify" if checks else progress.activity],
        filled(MANAGER["amount"], progress.percent, done, total),
    ]
    if progress.activity and progress.bytes_per_second > 0:
        parts.append(filled(MANAGER["rate"], size(progress.bytes_per_second)))
        left = progress.total_bytes - progress.received_bytes
        if left > 0:
            parts.append(filled(MANAGER["left"], duration(max(1, left / progress.bytes_per_second))))
    return " · ".join(parts)


def fit_verdict(fit: Fit) -> tuple[str, str]:
    """A sign and a word; a colour that goes with them only repeats them."""
    return _SIGNS[fit], FITS[fit]


def fit_sentence(fit: MemoryFit) -> str:
    """The two numbers that decide."""
    if fit.fit == "unknown":
        return FIT_ROWS["unknown"]
    # Without that, two numbers would speak against the verdict.
    is_shy = fit.fit == "does-not-fit" and fit.needed_bytes <= fit.available_bytes
    return filled(
        FIT_ROWS["reserved" if is_shy else "numbers"], size(fit.needed_bytes), size(fit.available_bytes)
    )


def fit_rows(fit: MemoryFit, memory: Memory | None) -> Rows:
    """Where these numbers come from."""
    if fit.fit == "unknown":
        return []
    rows = [
        (FIT_ROWS["weights"], size(fit.weights_bytes)),
        (filled(FIT_ROWS["kv"], f"{fit.context_window:,}"), size(fit.kv_bytes)),
        (FIT_ROWS["compute"], size(fit.compute_bytes)),
        (FIT_ROWS["overhead"], size(fit.overhead_bytes)),
        (FIT_ROWS["needed"], size(fit.needed_bytes)),
        (FIT_ROWS["private"], size(fit.private_bytes)),
        (FIT_ROWS["available"], size(fit.available_bytes)),
    ]
    if memory is not None and memory.kernels:
        rows.append((filled(FIT_ROWS["kernels"], memory.kernels), size(memory.kernels_bytes)))
    if memory is not None and memory.given_back_bytes:
        rows.append((FIT_ROWS["given-back"], size(memory.given_back_bytes)))
    return rows


def detail_rows(model: KnownModel, license: License | None) -> Rows:
    """Everything else that is known of a model, by name."""
    info = model.info
    middle = "" if info.fill_in_the_middle is None else DETAILS["yes" if info.fill_in_the_middle else "no"]
    rows = [
        (DETAILS["id"], info.id),
        (DETAILS["parameters"], info.parameters),
        (DETAILS["license"], license.name if license else DETAILS["not-known"]),
        (DETAILS["version"], _version(info)),
        (DETAILS["digest"], info.digest),
        (DETAILS["file"], DETAILS["linked"] if info.linked else ""),
        (DETAILS["fills"], middle),
        (DETAILS["reads"], tokens_per_second(info.speed.prefill_tokens_per_second) if info.speed else ""),
        (DETAILS["writes"], tokens_per_second(info.speed.decode_tokens_per_second) if info.speed else ""),
    ]
    if info.update is not None:
        which = _shortened(info.update.revision) or f"{DETAILS['digest']} {info.update.digest[:12]}"
        rows.append((DETAILS["newer"], f"{which} · {size(info.update.size_bytes)}"))
    return [row for row in rows if row[1]]


def memory_text(memory: Memory) -> str:
    """What is free, and what open kernels hold."""
    free = filled(MANAGER["memory-available"], size(memory.available_bytes))
    held = filled(MANAGER["kernels-use"], size(memory.kernels_bytes))
    return f"{free} {held}" if memory.kernels else free


def fixed_text(settings: SettingsView, name: str) -> str:
    """Why a setting cannot be changed here; empty where it can."""
    layer = settings.sources.get(name, "default")
    if layer == "environment":
        return "Fixed by an environment variable."
    return "Fixed by the command line that started it." if layer == "command-line" else ""


def _version(info: ModelInfo) -> str:
    revision = _shortened(info.revision)
    if not info.pinned:
        return revision
    return filled(DETAILS["pinned-version"], revision) if revision else DETAILS["pinned"]


def _shortened(revision: str) -> str:
    """A revision as people compare them: the beginning of a long hash is enough."""
    return revision[:12] if _HASH.fullmatch(revision) else revision
