"""``models import`` and ``models export``: models that travel on a disk instead of a network."""

from __future__ import annotations

from pathlib import Path

from traitlets import Bool, Unicode

from ...contract import codec
from ...contract.models import ModelExported, ModelExportRequest, ModelImportRequest
from ...text.units import size
from ..command import LocalCoderCommand, options
from ..exits import ExitCode
from ..progress import shown


class ModelsImport(LocalCoderCommand):
    """Take a GGUF file or a bundle into the store."""

    usage = "models import PATH [options]"
    description = """Copy a GGUF file, or a bundle written by `models export`, into the model
    folder. The header is validated and the digest is computed before the model is added."""
    arguments = (1, 1)
    aliases = LocalCoderCommand.aliases | {"id": "ModelsImport.model_id"}
    flags = LocalCoderCommand.flags | options(
        link=("ModelsImport.link", "Link to the file instead of copying it.")
    )

    model_id = Unicode("", config=True, help="Model id. Default: derived from the file name.")
    link = Bool(False, config=True, help="Link to the file instead of copying it.")

    def run(self) -> ExitCode:
        """Import it."""
        # The store may not know the folder in which this command was called.
        path = Path(self.extra_args[0]).expanduser().absolute()
        request = codec.decode(
            ModelImportRequest, {"path": str(path), "id": self.model_id or None, "link": self.link}
        )
        store = self.store()
        with shown(self, path.name) as progress:
            model = store.import_file(path, model_id=request.id, link=request.link, progress=progress)
        info = store.info(model.id, 0)
        self.console.document(info)
        self.console.out(f"{info.id} is ready ({size(info.size_bytes)}, SHA-256 {info.digest[:16]}…).")
        return ExitCode.OK


class ModelsExport(LocalCoderCommand):
    """Write a bundle for a machine without a network."""

    usage = "models export ID PATH [options]"
    description = """Write a bundle to PATH: the GGUF file, its licence, and a manifest with
    digests. On the other machine, `models import PATH` verifies and imports it."""
    arguments = (2, 2)

    def run(self) -> ExitCode:
        """Export it."""
        model, target = self.extra_args
        path = Path(target).expanduser().absolute()
        request = codec.decode(ModelExportRequest, {"id": model, "path": str(path)})
        with shown(self, request.id) as progress:
            bundle, size_bytes = self.store().export(request.id, path, progress=progress)
        written = ModelExported(path=str(bundle), size_bytes=size_bytes)
        self.console.document(written)
        self.console.out(f"Wrote {written.path} ({size(written.size_bytes)}).")
        return ExitCode.OK
