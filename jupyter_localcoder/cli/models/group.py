"""``models``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Models(LocalCoderGroup):
    """List, fetch, import, export, pin, remove and verify models."""

    usage = "models COMMAND [options]"
    description = "Manage the models of the catalogue and on this machine."
    subcommands = {
        "list": (lazy("models.list.ModelsList"), "List the models with size, licence, state and memory fit."),
        "pull": (lazy("models.pull.ModelsPull"), "Download a model after its licence is accepted."),
        "import": (lazy("models.files.ModelsImport"), "Import a GGUF file or a bundle."),
        "export": (
            lazy("models.files.ModelsExport"),
            "Export a model as a bundle for a machine without a network.",
        ),
        "pin": (lazy("models.pin.ModelsPin"), "Pin a model to its current version."),
        "unpin": (lazy("models.pin.ModelsUnpin"), "Unpin a model, so that it can be updated."),
        "rm": (lazy("models.rm.ModelsRm"), "Delete a model from this machine."),
        "verify": (lazy("models.verify.ModelsVerify"), "Verify the digests of the models."),
    }
