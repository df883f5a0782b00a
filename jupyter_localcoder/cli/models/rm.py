"""``models rm ID``: remove a model from this machine."""

from __future__ import annotations

from traitlets import Bool

from ...contract import codec, models, registry
from ...errors import InvalidArgument
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
            self._confirm(request.id)
            gone: models.DeletedModel = client.call(registry.MODEL_DELETE, request)
        self.console.document(gone)
        self.console.out(f"{gone.id} is removed; {size(gone.freed_bytes)} freed.")
        return ExitCode.OK

    def _confirm(self, model: str) -> None:
        if self.yes or not self.console.can_ask:
            return
        if self.console.ask(f"Remove {model} from this machine? [y/N] ").lower() not in ("y", "yes"):
            raise InvalidArgument(f"{model} was not removed.", recovery="Answer `y`, or pass `--yes`.")
