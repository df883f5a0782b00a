"""Say of a model what a person wants to know before using it. Pure: facts in, `ModelInfo` out."""

from __future__ import annotations

from ..contract.common import ErrorPayload
from ..contract.models import ImportManifest, MemoryFit, ModelInfo, ModelUpdate, Role
from ..errors import LocalCoderError
from .entries import CatalogueEntry, fixed_revision
from .gguf import GgufHeader


def of_catalogue(
    entry: CatalogueEntry,
    manifest: ImportManifest | None,
    *,
    accepted: bool,
    received_bytes: int,
    error: LocalCoderError | None,
    fit: MemoryFit,
    recheck: bool = False,
    path: str = "",
) -> ModelInfo:
    """A model of the catalogue, here or not."""
    ready = manifest is not None and error is None
    return ModelInfo(
        id=entry.id,
        name=entry.name,
        size_bytes=manifest.size_bytes if manifest else entry.size_bytes,
        digest=manifest.digest if manifest else entry.sha256,
        quantization=entry.quantization,
        parameters=entry.parameters,
        license=entry.license,
        license_accepted=accepted,
        context_length=entry.context_length,
        roles=entry.roles,
        fill_in_the_middle=entry.fill_in_the_middle,
        state="ready" if ready else ("error" if error else "idle"),
        received_bytes=manifest.size_bytes if manifest and ready else received_bytes,
        origin="catalogue",
        revision=(fixed_revision(manifest.revision) if manifest else "") or entry.revision,
        fit=fit,
        loaded=False,
        error=_payload(error),
        linked=manifest is not None and manifest.linked,
        pinned=manifest is not None and manifest.pinned,
        update=update_of(entry, manifest),
        recheck=recheck,
        model_path=path,
    )


def update_of(entry: CatalogueEntry, manifest: ImportManifest | None) -> ModelUpdate | None:
    """The file that the catalogue offers now, where the one that is here is another."""
    if manifest is None or manifest.digest == entry.sha256:
        return None
    return ModelUpdate(digest=entry.sha256, size_bytes=entry.size_bytes, revision=entry.revision)


def of_import(
    manifest: ImportManifest,
    header: GgufHeader | None,
    *,
    license_id: str,
    accepted: bool,
    error: LocalCoderError | None,
    fit: MemoryFit,
    recheck: bool = False,
    path: str = "",
) -> ModelInfo:
    """A model that a person has imported."""
    fills = header.fill_in_the_middle if header else None
    answers = header is None or header.chats or not fills
    served: list[tuple[Role, bool]] = [("code", bool(fills)), ("general", answers)]
    roles = tuple(role for role, serves in served if serves)
    return ModelInfo(
        id=manifest.id,
        name=(header.name if header else "") or manifest.id,
        size_bytes=manifest.size_bytes,
        digest=manifest.digest,
        quantization=header.quantization if header else "",
        parameters=header.size_label if header else "",
        license=license_id,
        license_accepted=accepted,
        context_length=header.context_length if header else 0,
        roles=roles,
        fill_in_the_middle=fills,
        state="error" if error else "ready",
        received_bytes=manifest.size_bytes,
        origin="imported",
        revision=fixed_revision(manifest.revision),
        fit=fit,
        loaded=False,
        error=_payload(error),
        linked=manifest.linked,
        pinned=manifest.pinned,
        recheck=recheck,
        model_path=path,
    )


def _payload(error: LocalCoderError | None) -> ErrorPayload | None:
    if error is None:
        return None
    return ErrorPayload(
        code=error.code, message=error.message, recovery=error.recovery, details=dict(error.details)
    )
