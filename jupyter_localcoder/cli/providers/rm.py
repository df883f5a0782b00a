"""``providers rm ID``: remove a provider."""

from __future__ import annotations

from traitlets import Bool

from ...contract import codec, providers, registry
from ..command import LocalCoderCommand, options
from ..exits import ExitCode


class ProvidersRm(LocalCoderCommand):
    """Remove a provider, and its key."""

    usage = "providers rm ID [options]"
    description = """Remove a provider and its stored key. If it was used for completion or titles,
    the embedded provider takes over. The active provider cannot be removed: activate another one
    first. At a terminal, the command asks for confirmation."""
    arguments = (1, 1)
    flags = LocalCoderCommand.flags | options(yes=("ProvidersRm.yes", "Do not ask for confirmation."))

    yes = Bool(False, config=True, help="Do not ask for confirmation.")

    def run(self) -> ExitCode:
        """Remove it."""
        request = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]})
        with self.client() as client:
            if not self.yes:
                self.console.confirm(f"Remove {request.id} and its key?", f"{request.id} was not removed.")
            deleted: providers.ProviderDeleted = client.call(registry.PROVIDER_DELETE, request)
        self.console.document({"id": request.id, "removed": True, "note": deleted.note})
        self.console.out(f"{request.id} is removed. {deleted.note}".strip())
        return ExitCode.OK
