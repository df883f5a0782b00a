"""The words and numbers for a model: its state, its facts, its fit, what goes on with it. Pure."""

from __future__ import annotations

import re

from ..contract.backend import Memory
from ..contract.models import Fit, License, MemoryFit, ModelInfo
from ..contract.settings import SettingsView
from ..text.units import context, duration, size, tokens_per_second
from .known import KnownModel, ModelProgress

Rows = list[tuple[str, str]]
_HASH = re.compile(r"[0-9a-f]{40}")
_UNDER_WAY = {"download": "downloading", "verify": "verifying", "import": "importing", "export": "exporting"}
_VERBS = {"": "Paused", "download": "Downloading", "verify": "Verifying", "import": "Importing",
          "export": "Exporting"}  # fmt: skip
_VERDICTS: dict[Fit, tuple[str, str]] = {
    "fits": ("✓", "Fits"),
    "tight": ("!", "Tight"),
    "does-not-fit": ("✕", "Does not fit"),
    "unknown": ("?", "Fit unknown"),
}


def state_text(model: KnownModel) -> str:
    """A word or two."""
    info, progress = model.info, model.progress
    if progress is not None and progress.activity:
        return "verifying" if progress.verifying else _UNDER_WAY[progress.activity]
    if model.loading:
        return "loading"
    if info.state == "ready":
        return "loaded" if info.loaded else "on this machine"
    if info.state == "error":
        return "error"
    return "paused" if info.received_bytes else "not downloaded"


def facts_text(info: ModelInfo) -> str:
    """Size, quantisation, context and what it is for, in one line."""
    window = f"{context(info.context_length)} context" if info.context_length else ""
    facts = (size(info.size_bytes), info.quantization, window, ", ".join(info.roles))
    return " · ".join(filter(None, facts))


def license_text(license: License | None) -> str:
    """Name of a licence, with the words that it wants shown."""
    if license is None:
        return "Licence not known"
    return " · ".join(filter(None, (license.name, license.attribution)))


def use_text(model: KnownModel) -> str:
    """What it answers, and whether it stays at its version; empty where there is nothing to say."""
    what = " and ".join(["code"] * model.for_code + ["general questions"] * model.for_general)
    info = model.info
    newer = info.update is not None and not info.pinned
    said = (
        f"answers {what}" if what else "",
        "pinned to its current version" if info.pinned else "",
        "a newer version is available" if newer else "",
    )
    return " · ".join(filter(None, said))


def progress_text(progress: ModelProgress) -> str:
    """What is done of what, how fast, and how long it will take."""
    verb = "Verifying" if progress.activity and progress.verifying and progress.activity != "import" else ""
    amount = f"{progress.percent} %: {size(progress.received_bytes)} of {size(progress.total_bytes)}"
    parts = [verb or _VERBS[progress.activity], amount]
    if progress.activity and progress.bytes_per_second > 0:
        parts.append(f"{size(progress.bytes_per_second)}/s")
        left = progress.total_bytes - progress.received_bytes
        if left > 0:
            parts.append(f"{duration(max(1, left / progress.bytes_per_second))} left")
    return " · ".join(parts)


def fit_verdict(fit: Fit) -> tuple[str, str]:
    """A sign and a word; a colour that goes with them only repeats them."""
    return _VERDICTS[fit]


def fit_sentence(fit: MemoryFit) -> str:
    """The two numbers that decide."""
    if fit.fit == "unknown":
        return "memory requirement unknown"
    numbers = f"needs {size(fit.needed_bytes)}, {size(fit.available_bytes)} available"
    # Without that, two numbers would speak against the verdict.
    is_shy = fit.fit == "does-not-fit" and fit.needed_bytes <= fit.available_bytes
    return f"{numbers}, part of which is reserved" if is_shy else numbers


def fit_rows(fit: MemoryFit, memory: Memory | None) -> Rows:
    """Where these numbers come from."""
    if fit.fit == "unknown":
        return []
    rows = [
        ("Weights", size(fit.weights_bytes)),
        (f"KV cache for {fit.context_window:,} tokens", size(fit.kv_bytes)),
        ("Computation", size(fit.compute_bytes)),
        ("Worker process", size(fit.overhead_bytes)),
        ("Together", size(fit.needed_bytes)),
        ("Non-reclaimable memory", size(fit.private_bytes)),
        ("Available now", size(fit.available_bytes)),
    ]
    if memory is not None and memory.kernels:
        rows.append((f"Used by open kernels ({memory.kernels})", size(memory.kernels_bytes)))
    if memory is not None and memory.given_back_bytes:
        rows.append(("Freed by unloading the loaded model", size(memory.given_back_bytes)))
    return rows


def detail_rows(model: KnownModel, license: License | None) -> Rows:
    """Everything else that is known of a model, by name."""
    info = model.info
    middle = "" if info.fill_in_the_middle is None else "yes" if info.fill_in_the_middle else "no"
    rows = [
        ("Id", info.id),
        ("Parameters", info.parameters),
        ("Licence", license.name if license else "not known"),
        ("Version", _version(info)),
        ("SHA-256", info.digest),
        ("File", "linked, outside the model folder" if info.linked else ""),
        ("Fill-in-the-middle", middle),
        ("Reads here", tokens_per_second(info.speed.prefill_tokens_per_second) if info.speed else ""),
        ("Writes here", tokens_per_second(info.speed.decode_tokens_per_second) if info.speed else ""),
    ]
    if info.update is not None:
        rows.append(("Newer version", f"{_shortened(info.update.revision)} · {size(info.update.size_bytes)}"))
    return [row for row in rows if row[1]]


def memory_text(memory: Memory) -> str:
    """What is free, and what open kernels hold."""
    free = f"{size(memory.available_bytes)} of memory available."
    return f"{free} Open kernels use {size(memory.kernels_bytes)}." if memory.kernels else free


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
    return f"{revision} (pinned)" if revision else "pinned"


def _shortened(revision: str) -> str:
    """A revision as people compare them: the beginning of a long hash is enough."""
    return revision[:12] if _HASH.fullmatch(revision) else revision
