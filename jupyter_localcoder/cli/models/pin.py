"""``models pin`` and ``models unpin``: whether an update of the catalogue reaches a model."""

from __future__ import annotations

from typing import ClassVar

from ...contract import codec, models, registry
from ..command import LocalCoderCommand
from ..exits import ExitCode


class _Pinning(LocalCoderCommand):
    arguments = (1, 1)
    pinned: ClassVar[bool]
    said: ClassVar[str]

    def run(self) -> ExitCode:
        """Pin it, or let go of it."""
        request = codec.decode(models.ModelPinRequest, {"id": self.extra_args[0], "pinned": self.pinned})
        # Pages that show it are told by the server, where there is one.
        with self.client() as client:
            info: models.ModelInfo = client.call(registry.MODEL_PIN, request)
        self.console.document(info)
        self.console.out(f"{info.id} {self.said}")
        return ExitCode.OK


class ModelsPin(_Pinning):
    """Keep a model at its version."""

    usage = "models pin ID [options]"
    description = """Pin a model to the installed version. `models pull ID --update` then refuses
    to replace it."""
    pinned = True
    said = "is pinned to its version."


class ModelsUnpin(_Pinning):
    """Let a model be updated again."""

    usage = "models unpin ID [options]"
    description = "Unpin a model, so that `models pull ID --update` can replace it."
    pinned = False
    said = "can be updated again."
