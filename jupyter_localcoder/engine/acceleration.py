"""What a loaded model runs on, and whether that is what was asked for. It serves no operation itself."""

from __future__ import annotations

from ..contract import wire
from ..contract.backend import LoadWarning
from .load_plan import LoadPlan


def acceleration(loaded: wire.Loaded | None) -> str:
    """What a loaded model runs on, for people."""
    if loaded is None or loaded.n_gpu_layers == 0:
        return "cpu"
    return f"gpu ({loaded.n_gpu_layers} of {loaded.n_layers + 1} layers)"


def warning(plan: LoadPlan, loaded: wire.Loaded | None) -> LoadWarning | None:
    """Say that a model runs on the processor where a GPU was asked for; None where all is as it was asked."""
    if not plan.gpu_asked or loaded is None or loaded.n_gpu_layers > 0:
        return None
    runs = f"`{plan.model}` runs on the CPU, although the settings request a GPU"
    if plan.load.n_gpu_layers == 0:
        return LoadWarning(
            code="GPU_NOT_USED",
            message=f"{runs}: the run mode `stability` or `Tuning.gpu_layers` offloads no layers.",
            action="Set the run mode to `performance`, or the acceleration to `auto`.",
        )
    return LoadWarning(
        code="GPU_NOT_USED",
        message=f"{runs}: llama-cpp-python was built without GPU support, or found no GPU.",
        action="Install a build with CUDA, Vulkan or Metal (see “GPUs” in the documentation), or set the "
        "acceleration to `auto`.",
    )
