"""A lab whose catalogue offers tiny models from a server on this machine, shared by a module's tests."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.models.meter import INTERVAL_SECONDS
from tests.browser.lab import Lab, running_lab
from tests.support.model_source import CHUNK_BYTES, ModelSource, running_source, write_catalogue
from tests.support.tiny_model import write_tiny_model

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

CODER, GENERAL, DAMAGED, ENORMOUS = "tiny-coder", "tiny-general", "tiny-damaged", "tiny-enormous"
_BUILT_IN = (
    "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-7b", "llama-3-8b", "qwen2.5-coder-14b",
)  # fmt: skip
_SETTINGS = ("profile", "model", "general_model", "context_window", "idle_minutes", "keep_resident",
             "acceleration", "run_mode", "air_gap", "completion_timeout_seconds", "prewarm")  # fmt: skip

_FIRST_BYTES = 8 * CHUNK_BYTES


class Workshop:
    """The lab, the source of its models, and the way back to an empty machine."""

    def __init__(self, folder: Path, lab: Lab, source: ModelSource, free_memory: Path) -> None:
        self.folder = folder
        self.lab = lab
        self.source = source
        self._free_memory = free_memory

    @property
    def models(self) -> Path:
        """Folder of the models."""
        return self.folder / "models"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call a route of the extension."""
        return self.lab.call(method, path, body)

    def info(self, model: str) -> dict[str, Any]:
        """What the service says of a model."""
        listed = self.call("GET", "models")["models"]
        found: dict[str, Any] = next(one for one in listed if one["id"] == model)
        return found

    def set_free_memory(self, count: int) -> None:
        """From now on so many bytes are free."""
        self._free_memory.write_text(str(count))

    def fetch(self, model: str = CODER) -> None:
        """Take a model in, past the download."""
        self.call("POST", "models/import", {"path": str(self.folder / f"{model}.gguf"), "id": model})

    def hold(self) -> None:
        """Let the next download stop after its first bytes, until `go_on` or the release of the source."""
        self.source.hold(_FIRST_BYTES)

    def go_on(self, bar: Any) -> int:
        """Let the held download go on, and stop before its half; the byte behind which it stops.

        How fast it is, is known and told when bytes come some time after the first ones were told. So they
        do, however fast or slow this machine is: ``bar`` is where a person sees it.
        """
        expect(bar).to_have_attribute("aria-valuetext", re.compile(": [1-9]"))
        time.sleep(2 * INTERVAL_SECONDS)
        byte = len(self.source.files[f"{CODER}.gguf"]) * 45 // 100
        # The chunk in which the byte lies is still sent.
        self.source.hold(byte - CHUNK_BYTES)
        return byte

    def empty(self) -> None:
        """No model, no part, no licence accepted, no setting, the source at full speed."""
        self.source.release()
        self.source.chunk_seconds = 0.0
        self._free_memory.unlink(missing_ok=True)
        with contextlib.suppress(AssertionError):
            self.call("POST", "models/unload", {})
        for model in self.call("GET", "models")["models"]:
            with contextlib.suppress(AssertionError):
                self.call("DELETE", f"models/{model['id']}/download?discard=true")
            self.call("DELETE", f"models/{model['id']}?force=true")
        self.call("PATCH", "settings", dict.fromkeys(_SETTINGS))
        (self.models / "licenses.json").unlink(missing_ok=True)
        self.source.requests.clear()


@contextlib.contextmanager
def running_workshop(folder: Path, **options: Any) -> Iterator[Workshop]:
    """Build it, and clear it away at the end of the ``with`` block."""
    files = {
        f"{CODER}.gguf": write_tiny_model(folder / f"{CODER}.gguf").read_bytes(),
        f"{GENERAL}.gguf": write_tiny_model(folder / f"{GENERAL}.gguf", seed=1).read_bytes(),
    }
    free_memory = folder / "free-memory"
    with pytest.MonkeyPatch.context() as patch, running_source(files) as source:
        patch.setenv("TEST_FREE_MEMORY_FILE", str(free_memory))
        patch.setenv("LOCALCODER_MODELS_DIR", str(folder / "models"))
        coder, general = source.entry(CODER, f"{CODER}.gguf"), source.entry(GENERAL, f"{GENERAL}.gguf")
        catalogue = write_catalogue(
            folder / "catalogue.json",
            coder,
            {**general, "name": "Tiny general", "roles": ["general"]},
            source.entry(DAMAGED, f"{CODER}.gguf", sha256="0" * 64),
            source.entry(ENORMOUS, f"{CODER}.gguf", size_bytes=9 * 10**15),
            remove=_BUILT_IN,
            profiles=[
                {"name": "Compact", "description": "For small machines.", "model": CODER,
                 "general_model": CODER, "context_window": 2048},
                {"name": "Balanced", "description": "For questions too.", "model": CODER,
                 "general_model": GENERAL, "context_window": 2048},
            ],
        )  # fmt: skip
        store = {"catalogue_path": str(catalogue), "retry_wait_seconds": 0.1, "download_retries": 0,
                 "download_timeout_seconds": 600.0}  # fmt: skip
        options.setdefault("program", ("-m", "tests.support.lab_of_little_memory"))
        (folder / "lab").mkdir()
        with running_lab(folder / "lab", config={"ModelStore": store}, **options) as lab:
            yield Workshop(folder, lab, source, free_memory)
