"""``models verify``: are the bytes on the disk still those that were promised?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...contract import codec
from ...contract.codec import error_payload
from ...contract.models import ModelRequest
from ...errors import LocalCoderError
from ..command import LocalCoderCommand
from ..exits import ExitCode, exit_of
from ..progress import shown

if TYPE_CHECKING:
    from ...models.store import ModelStore


class ModelsVerify(LocalCoderCommand):
    """Compute the digests of the models again."""

    usage = "models verify [ID] [options]"
    description = """Read the file of a model, or of all models on this machine, and compare its
    SHA-256 digest with the catalogue or the manifest."""
    arguments = (0, 1)

    def run(self) -> ExitCode:
        """Verify one or all; with several, the first failure decides the exit code."""
        store = self.store()
        if self.extra_args:
            chosen = [codec.decode(ModelRequest, {"id": self.extra_args[0]}).id]
        else:
            chosen = [info.id for info in store.infos(0) if info.state in ("ready", "error")]
        if not chosen:
            self.note("There is no model on this machine.")
        failures = {model: self._verify(store, model) for model in chosen}
        self.console.document({"models": [_verdict(model, failure) for model, failure in failures.items()]})
        failed = [failure for failure in failures.values() if failure is not None]
        return exit_of(failed[0]) if failed else ExitCode.OK

    def _verify(self, store: ModelStore, model: str) -> LocalCoderError | None:
        try:
            with shown(self, model) as progress:
                store.verify(model, progress=progress)
        except LocalCoderError as failure:
            if self.extra_args:
                raise
            self.console.out(f"{model}: {failure}")
            return failure
        self.console.out(f"{model}: the digest is correct.")
        return None


def _verdict(model: str, failure: LocalCoderError | None) -> dict[str, Any]:
    return {"id": model, "ok": failure is None, "error": failure and error_payload(failure)}
