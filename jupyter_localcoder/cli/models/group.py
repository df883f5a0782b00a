"""``models``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Models(LocalCoderGroup):
    """List, fetch, import, export, pin, remove and verify models."""

    usage = "models COMMAND [options]"
    description = "The models that are offered, and those on this machine."
    subcommands = {
        "list": (lazy("models.list.ModelsList"), "List the models, with size, licence, state and fit."),
        "pull": (lazy("models.pull.ModelsPull"), "Fetch a model, once its licence is accepted."),
        "import": (lazy("models.files.ModelsImport"), "Take a GGUF file or a bundle into the store."),
        "export": (lazy("models.files.ModelsExport"), "Write a bundle for a machine without a network."),
        "pin": (lazy("models.pin.ModelsPin"), "Keep a model at its version."),
        "unpin": (lazy("models.pin.ModelsUnpin"), "Let a model be updated again."),
        "rm": (lazy("models.rm.ModelsRm"), "Remove a model from this machine."),
        "verify": (lazy("models.verify.ModelsVerify"), "Compute the digests of the models again."),
    }
