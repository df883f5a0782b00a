"""Temporary folders that hold the model, and nothing of who runs the benches."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.calibration_store import Calibrations
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.planner import Planner
from jupyter_localcoder.engine.tuning import Tuning
from jupyter_localcoder.models.store import InstalledModel, ModelStore
from jupyter_localcoder.settings import LocalCoderSettings

REPOSITORY = Path(__file__).parents[2]
DEFAULT_MODEL = "qwen2.5-coder-0.5b"
_PREFIXES = ("JUPYTER", "LOCALCODER_", "IPYTHON")


class Workspace:
    """The model, linked into a store of its own, and the environment of processes that use it.

    Parameters
    ----------
    model
        Path of a GGUF file, or the id of a model in the user's own store.
    """

    def __init__(self, model: str) -> None:
        path = _find(model)
        self.folder = Path(tempfile.mkdtemp(prefix="localcoder-bench-"))
        try:
            self.store = ModelStore(models_dir=str(self.folder / "models"))
            self.model: InstalledModel = self.store.import_file(path, link=True)
            self.plan = self._plan()
        except BaseException:
            self.close()
            raise

    @property
    def load(self) -> wire.LoadFrame:
        """How the worker loads the model here."""
        # Tests of what the benches count need no engine.
        from llama_cpp import llama_supports_gpu_offload

        return self.plan.load.on(gpu=bool(llama_supports_gpu_offload()))

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove everything; the model itself stays where it lies."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, name: str) -> dict[str, str]:
        """Environment of a process that keeps its files in a folder of this name here."""
        folder = self.folder / name
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_PREFIXES)}
        own = {
            "HOME": folder / "home",
            "JUPYTER_CONFIG_DIR": folder / "config",
            "JUPYTER_DATA_DIR": folder / "data",
            "JUPYTER_RUNTIME_DIR": folder / "runtime",
            "IPYTHONDIR": folder / "ipython",
            "PYTHONPATH": REPOSITORY,
            "LOCALCODER_MODELS_DIR": self.folder / "models",
            "LOCALCODER_MODEL": self.model.id,
            "LOCALCODER_GENERAL_MODEL": self.model.id,
        }
        return {**kept, **{key: str(value) for key, value in own.items()}}

    def _plan(self) -> LoadPlan:
        """How the server is going to load the model: the same settings, the same planner."""
        folder = self.folder / "plan"
        settings = LocalCoderSettings(environment=self.environment("plan"), settings_dir=str(folder))
        calibrations = Calibrations(folder / "calibration.json")
        planner = Planner(self.store, settings, Tuning(), calibrations, state_dir=folder / "state")
        return planner.plan("code", model=self.model.id)


def _find(model: str) -> Path:
    path = Path(model).expanduser()
    if path.is_file():
        return path.resolve()
    return ModelStore().locate(model).path
