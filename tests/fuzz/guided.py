"""Mutation that is led by coverage: libFuzzer, by way of atheris (``pip install atheris``)."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MODULES = ("gguf", "gguf_bytes", "ggml_types")
SEED_BYTES = 16 * 1024


def run(folder: Path, models: Sequence[Path], seconds: float) -> None:
    """Fuzz for so long, and leave the process: libFuzzer gives nothing back."""
    import atheris

    with atheris.instrument_imports(include=["jupyter_localcoder.models"]):
        for name in MODULES:
            importlib.import_module(f"jupyter_localcoder.models.{name}")
        from .trial import Trial

    seeds = folder / "seeds"
    seeds.mkdir()
    for model in models:
        (seeds / model.name).write_bytes(model.read_bytes()[:SEED_BYTES])
    trial = Trial(folder, max(model.stat().st_size for model in models))
    deadline = time.monotonic() + seconds

    def one(data: bytes) -> None:
        wrong = trial.put(data, f"input {trial.tried}")
        if wrong:
            print(f"{wrong}: {trial.keep(data)}")
        if wrong or time.monotonic() >= deadline:
            print(trial, flush=True)
            os._exit(1 if wrong else 0)

    atheris.Setup([sys.argv[0], f"-max_len={SEED_BYTES}", "-verbosity=0", str(seeds)], one)
    atheris.Fuzz()
