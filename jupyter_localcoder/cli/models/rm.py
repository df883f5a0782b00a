"""``models rm ID``: remove a model from this machine."""

from __future__ import annotations

from traitlets import Bool

from ...contract import codec, models, registry
from ...text.units import size
from ..command import LocalCoderCommand, options
from ..exits import ExitCode


class ModelsRm(LocalCoderCommand):
    """Remove a model from this machine."""

    usage = "models rm ID [options]"
    description = """Delete a model, and any partial download of it, from this machine. A linked
    file is not deleted. At a terminal, the command asks for confirmation."""
    arguments = (1, 1)
    flags = LocalCoderCommand.flags | options(
        force=("ModelsRm.force", "Remove the model even if it is loaded; it is unloaded first."),
        yes=("ModelsRm.yes", "Do not ask for confirmation."),
    )

    force = Bool(False, config=True, help="Remove the model even if it is loaded; it is unloaded first.")
    yes = Bool(False, config=True, help="Do not ask for confirmation.")

    def run(self) -> ExitCode:
        """Remove it."""
        request = codec.decode(models.ModelDeleteRequest, {"id": self.extra_args[0], "force": self.force})
        # A server that has it loaded must hear of it: the client asks that server, where there is one.
        with self.client() as client:
            if not self.yes:
                self.console.confirm(
                    f"Remove {request.id} from this machine?", f"{request.id} was not removed."
                )
            gone: models.DeletedModel = client.call(registry.MODEL_DELETE, request)
        self.console.document(gone)
        self.console.out(f"{gone.id} is removed; {size(gone.freed_bytes)} freed.")
        return ExitCode.OK
