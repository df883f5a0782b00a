"""Operations on models: the catalogue, downloads, imports, loading."""

from __future__ import annotations

from typing import Literal

import msgspec

from .backend import LoadWarning, Memory
from .common import ErrorPayload, FilePath, ModelId, Reply, Request

ModelState = Literal["idle", "downloading", "verifying", "ready", "error"]
Role = Literal["code", "general"]
Fit = Literal["fits", "tight", "does-not-fit", "unknown"]
Activity = Literal["", "download", "verify", "import", "export"]
"""What is under way with the file of a model; empty where nothing is."""


class ModelListRequest(Request, frozen=True, kw_only=True):
    """Asks for all of them."""


class License(Reply, frozen=True, kw_only=True):
    """A licence, whole: it is shown before the first byte of a model is fetched."""

    id: str
    name: str
    text: str
    sha256: str
    """Digest of ``text`` (UTF-8): what a person accepts is this text."""
    attribution: str = ""
    """Words that the licence wants shown wherever the model is offered; empty where it wants none."""


class MemoryFit(Reply, frozen=True, kw_only=True):
    """What a model needs on this machine, in bytes, against what is free now."""

    fit: Fit
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    overhead_bytes: int = 0
    """Output buffer, and the worker process itself."""
    private_bytes: int = 0
    """What the system cannot take back while the model is loaded: all but the weights that it maps."""
    needed_bytes: int
    """What must stay in memory for full speed: the sum of weights, KV cache, computation and overhead."""
    available_bytes: int
    """Memory available for this model: including the memory of the loaded model, excluding open kernels."""
    context_window: int = 0
    """Tokens that the KV cache is counted for; 0 where it was not."""


class ModelSpeed(Reply, frozen=True, kw_only=True):
    """How fast a model was on this machine when it was last measured, as it would be loaded now."""

    prefill_tokens_per_second: float
    decode_tokens_per_second: float


class ModelUpdate(Reply, frozen=True, kw_only=True):
    """Another file that the catalogue offers under the id of a model that is here."""

    digest: str
    size_bytes: int
    revision: str
    """Empty where the source names none that is fixed: the digest tells the files apart."""


class ModelInfo(Reply, frozen=True, kw_only=True):
    """One model: in the catalogue, on this machine, or both."""

    id: str
    name: str
    """For people."""
    size_bytes: int
    digest: str
    quantization: str
    parameters: str
    """As the makers state it, such as `1.5B`."""
    license: str
    """Id of a licence in the same answer; empty for an imported model of unknown licence."""
    license_accepted: bool
    context_length: int
    """Longest context that the model was trained for, in tokens."""
    roles: tuple[Role, ...]
    fill_in_the_middle: bool | None
    """Whether it can complete in the middle of code; None while that is not known."""
    state: ModelState
    """`ready`: whole, on this machine, and verified; see ``recheck``."""
    received_bytes: int
    """What a download has got so far, kept for resuming."""
    origin: Literal["catalogue", "imported"]
    revision: str
    """Revision at the source; empty for imports, and where the source names a branch."""
    fit: MemoryFit
    loaded: bool
    error: ErrorPayload | None = None
    activity: Activity = ""
    """What is under way; ``received_bytes`` of ``size_bytes`` are then done of it."""
    rate_bytes_per_second: float = 0.0
    """Of what is under way."""
    linked: bool = False
    """It refers to a file outside of the model folder."""
    pinned: bool = False
    """It stays at this version: no update takes its place."""
    update: ModelUpdate | None = None
    recheck: bool = False
    """Its file was copied, restored or touched since its digest was computed: that is done again, once,
    before the model is used."""
    speed: ModelSpeed | None = None
    """None until it ran here."""
    model_path: str = ""
    """Its file on the server's machine; empty where it is not here."""
    origins: tuple[str, ...] = ()
    """Where the file of a catalogue model comes from: a sentence for each source that the configuration
    allows, in the order in which they are tried. Empty for imports, and where no source is allowed."""


class Profile(Reply, frozen=True, kw_only=True):
    """A named choice of models and limits."""

    name: str
    description: str
    model: str
    """Id of the model for code."""
    general_model: str
    context_window: int
    draft_model: str = ""
    """Id of a small model of the same family that drafts for the large one; empty: none."""


class ModelStateEvent(Reply, frozen=True, kw_only=True):
    """Event ``model:state``: a download, an import, a verification, an export or a removal moved."""

    id: str
    """Of an import under way a provisional one, where none was given."""
    state: ModelState
    received_bytes: int = 0
    """What is done of ``total_bytes``."""
    total_bytes: int = 0
    rate_bytes_per_second: float = 0.0
    error: ErrorPayload | None = None
    activity: Activity = ""
    """What is under way; empty when it has ended."""
    model_path: str = ""
    """Its file on the server's machine, when it is `ready`."""


class ModelList(Reply, frozen=True, kw_only=True):
    """Answer of ``model:list``."""

    models: tuple[ModelInfo, ...]
    licenses: tuple[License, ...]
    profiles: tuple[Profile, ...]
    active_profile: str
    """The active profile; for `auto`, the profile that was chosen."""
    profile_reason: str
    recommended_profile: str
    """The profile that `auto` would choose, regardless of the active profile."""
    recommended_reason: str
    models_dir: str
    memory: Memory
    code_model: str = ""
    """Id of the model that answers requests on code as things are; empty where none can."""
    general_model: str = ""
    """The same for general questions."""
    imports: tuple[ModelStateEvent, ...] = ()
    """Imports under way whose model is not among ``models`` yet, under a provisional id."""
    engine_error: ErrorPayload | None = None
    """As in ``backend:ping``."""


class ModelEnsureRequest(Request, frozen=True, kw_only=True):
    """Make a model ready: verify it, or fetch it when that is allowed."""

    id: ModelId
    allow_download: bool = False
    accept_license: str = ""
    """The ``sha256`` of the licence text that the person has read and accepts."""
    update: bool = False
    """Fetch the file that the catalogue offers now, where the one that is here is another."""


class ModelCancelDownloadRequest(Request, frozen=True, kw_only=True):
    """Stop what is under way with the file of a model."""

    id: ModelId
    discard: bool = False
    """Remove what a download has got so far, also of one that was stopped before."""


class ModelPinRequest(Request, frozen=True, kw_only=True):
    """Keep a model at its version, or let it be updated again."""

    id: ModelId
    pinned: bool


class ModelRequest(Request, frozen=True, kw_only=True):
    """Names one model."""

    id: ModelId


class ModelImportRequest(Request, frozen=True, kw_only=True):
    """Take a GGUF file, or a bundle, from this machine's own disk into the store."""

    path: FilePath
    id: ModelId | None = None
    """Default: made from the file's name."""
    link: bool = False
    """Link to the file instead of copying it."""


class ModelExportRequest(Request, frozen=True, kw_only=True):
    """Write a portable bundle (GGUF, licence, manifest with digests)."""

    id: ModelId
    path: FilePath
    """Folder or file to write."""


class ModelExported(Reply, frozen=True, kw_only=True):
    """Answer of ``model:export``."""

    path: str
    size_bytes: int


class ModelDeleteRequest(Request, frozen=True, kw_only=True):
    """Remove a model from this machine."""

    id: ModelId
    force: bool = False
    """Also when it is loaded: it is unloaded first."""


class ModelLoadRequest(Request, frozen=True, kw_only=True):
    """Load a model and make it ready to answer."""

    id: ModelId
    profile: str | None = None
    force: bool = False
    """Also where it does not fit into memory."""


class LoadedModel(Reply, frozen=True, kw_only=True):
    """Answer of ``model:load``."""

    id: str
    digest: str
    context_window: int
    acceleration: str
    load_ms: float
    fill_in_the_middle: bool
    warning: LoadWarning | None = None


class ModelUnloadRequest(Request, frozen=True, kw_only=True):
    """Ends the worker of a model, which frees everything it held."""

    id: ModelId | None = None
    """None: all that are loaded."""


class DeletedModel(Reply, frozen=True, kw_only=True):
    """Answer of ``model:delete``."""

    id: str
    freed_bytes: int


class ImportManifest(Reply, frozen=True, kw_only=True):
    """The manifest that the store writes for each model; also the manifest of a bundle."""

    id: str
    file: str
    size_bytes: int
    digest: str
    license: str = ""
    origin: Literal["catalogue", "imported"] = "imported"
    linked: bool = False
    pinned: bool = False
    revision: str = ""
    """At the source it came from."""
    verified_mtime_ns: int = 0
    """Modification time of the file when its digest was computed: unchanged means still verified."""
    sample: str = ""
    """Digest of some pieces of the file: after its time has changed it tells a copy from another file."""
    format: int = 1
    extra: dict[str, str] = msgspec.field(default_factory=dict)
