"""What the metadata of a cell say about code that a model wrote."""

from __future__ import annotations

from .common import Reply
from .generation import GenerateRequest

METADATA_KEY = "localcoder"
"""Key of this extension in the metadata of a cell."""
OF_OTHER_CELLS = ("context", "below", "variables", "error")
"""Fields of a request that hold the text of other cells or names of the kernel; a traceback quotes lines."""
DIGESTS = ("prompt_sha256", "text_sha256")
"""Fields that are empty for what was private: digests of short texts can be guessed."""


class Provenance(Reply, frozen=True, kw_only=True):
    """What an answer depends on, as `%localcoder replay` reads it."""

    id: str
    """Id of the run."""
    command: str
    """`chat` for a turn of a chat."""
    provider: str
    """Id of the provider that answered."""
    model: str
    digest: str
    """Of the file of the model; empty for other providers than the embedded one."""
    quantization: str
    sampling: dict[str, float]
    """Empty where the provider does not tell."""
    seed: int | None
    seeded: bool
    """Whether the seed was asked for: only then is the same text promised."""
    prompt_sha256: str
    text_sha256: str
    completion_tokens: int | None
    finish: str
    time: str
    """ISO 8601, UTC, whole seconds."""
    versions: dict[str, str] | None = None
    """Of the packages; null where a page has written the record, which does not know them."""
    machine: str = ""
    """System and processor; empty as ``versions`` is."""
    request: GenerateRequest | None = None
    """What was asked, without the text of other cells; null for a chat, and where it was private."""
