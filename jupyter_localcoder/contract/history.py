"""The history: answers that were kept, conversations made of them, and their titles."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .common import RESPONSE_ID_PATTERN, Layer, Reply, Request
from .notebook import Reference

ResponseKind = Literal["generate", "chat", "queue"]
ResponseFinish = Literal["stop", "length", "filter", "timeout", "canceled"]
"""`filter`: truncated by the provider; `timeout` and `canceled`: the partial answer is saved."""
TitleSource = Literal["model", "generated", "hand"]
"""`model`: there is no title, and the model name is shown instead."""

ResponseId = Annotated[str, Meta(pattern=RESPONSE_ID_PATTERN, description="16 hexadecimal digits.")]
PromptId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="Id of a prompt; answers to the same prompt are grouped.",
    ),
]
ConversationId = Annotated[str, Meta(pattern=RESPONSE_ID_PATTERN, description="16 hexadecimal digits.")]
Limit = Annotated[int, Meta(ge=1, le=1000)]
Offset = Annotated[int, Meta(ge=0, le=1_000_000_000)]
TITLE_CHARS = 120
TitleText = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARS)]


class ResponseInfo(Reply, frozen=True, kw_only=True):
    """One answer that was kept, without its texts."""

    id: str
    prompt_id: str
    kind: ResponseKind
    command: str = ""
    """The command, such as `explain`; empty for a chat and for a queued prompt."""
    conversation_id: str = ""
    """The conversation that it was a turn of; empty where there was none."""
    parent_id: str = ""
    """The turn that it followed in its conversation; empty for the first."""
    created_at: str
    """ISO 8601, UTC."""
    title: str
    """Never empty: the name of the model where there is no title."""
    title_source: TitleSource = "model"
    preview: str = ""
    """How the prompt begins, on one line."""
    provider: str
    model: str
    """The model that answered, as its provider calls it."""
    finish: ResponseFinish
    prompt_tokens: int | None = None
    """Null where the provider did not say; so with the other counts."""
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    """An estimate by the user's own price table; null where it has no price."""
    milliseconds: float = 0.0
    notebook: str = ""
    """Path of the notebook that it was asked from."""
    cell: str = ""
    """Id of the cell that it was asked from."""


class Response(ResponseInfo, frozen=True, kw_only=True):
    """One answer that was kept, whole."""

    digest: str = ""
    """SHA-256 of the GGUF file that answered; empty for other providers than the embedded one."""
    quantization: str = ""
    sampling: dict[str, int | float] = msgspec.field(default_factory=dict)
    """What is known of how the tokens were drawn, the seed included."""
    prompt_sha256: str = ""
    """Digest of the prompt's token ids, as in `Done`."""
    prompt: str = ""
    """What was asked."""
    references: tuple[Reference, ...] = ()
    """Context attached to the question of a chat."""
    left_out_turns: int = 0
    """How many of the earlier turns of its conversation, the oldest, the model had not read."""
    reasoning: str = ""
    """What the model reasoned before it answered, as much of it as is kept. It is not searched, and no later
    question shows it to a model."""
    not_offered: str = ""
    """Why the code of a whole answer was not offered as a change, and what can be done then, in sentences;
    empty where it was, or where there was nothing to offer."""
    content: str = ""
    """The answer."""
    text_sha256: str = ""
    """Digest of the answer, as in `Done`."""


class ResponseListRequest(Request, frozen=True, kw_only=True):
    """Ask for a page of what was kept, newest first."""

    prompt_id: PromptId | None = None
    """Of this prompt only."""
    limit: Limit = 100
    offset: Offset = 0


class ResponseList(Reply, frozen=True, kw_only=True):
    """A page; answers whose file is gone are left out of it."""

    responses: tuple[ResponseInfo, ...]
    total: int
    """Of all pages together, those included whose file turns out to be gone."""
    offset: int


class ResponseRequest(Request, frozen=True, kw_only=True):
    """Names one answer."""

    id: ResponseId


class ResponseDeleteAllRequest(Request, frozen=True, kw_only=True):
    """Delete the answers to one prompt, or all there are."""

    prompt_id: PromptId | None = None
    all: bool = False
    """All of every prompt: it must be said, so that a forgotten id deletes nothing."""


class DeletedCount(Reply, frozen=True, kw_only=True):
    """How many were deleted."""

    count: int


class ResponseSearchRequest(Request, frozen=True, kw_only=True):
    """Look for words in prompts, answers and titles."""

    query: Annotated[str, Meta(min_length=1, max_length=1000)]
    """All of the words must occur; `"words in quotes"` in this order. The beginning of a word is enough."""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Offset = 0


class Excerpt(Reply, frozen=True, kw_only=True):
    """A piece of the text in which something was found."""

    text: str
    match: bool
    """Whether this piece is what was looked for."""


class Found(Reply, frozen=True, kw_only=True):
    """An answer in which the words occur."""

    response: ResponseInfo
    excerpt: tuple[Excerpt, ...]


class ResponsesFound(Reply, frozen=True, kw_only=True):
    """A page of them, newest first."""

    found: tuple[Found, ...]
    more: bool
    """Whether there is another page."""
    offset: int


class ResponseExportRequest(Request, frozen=True, kw_only=True):
    """Write one answer, those to one prompt, or all, into a zip file."""

    id: ResponseId | None = None
    prompt_id: PromptId | None = None
    path: Annotated[str, Meta(max_length=4096)] = ""
    """A folder, or the file to write, on the machine of the service; a relative one begins where Jupyter's
    file browser does. Empty: the answer carries the file."""


class ResponsesExported(Reply, frozen=True, kw_only=True):
    """A zip file was made."""

    count: int
    """How many answers it holds."""
    size_bytes: int
    path: str
    """Where it was written; empty where ``content`` is the file."""
    content: bytes = b""
    """The file, in Base64."""


class HistoryChanged(Reply, frozen=True, kw_only=True):
    """Event ``history:changed``: what is listed is not what it was."""

    reason: Literal["kept", "deleted", "titled", "swept"]
    """`swept`: the history was made to agree with its files."""
    response_id: str = ""
    """The one answer that it is about; empty where there are several."""
    conversation_id: str = ""
    """The conversation of that answer, or the one that was deleted or titled."""


class TitleConfig(Reply, frozen=True, kw_only=True):
    """How titles are made."""

    enabled: bool = True
    """Whether titles are made."""
    provider: str = ""
    """Id of a provider; empty: the embedded engine."""
    model: str = ""
    """Id of a model; empty: the one that is loaded. None is ever loaded for a title."""
    timeout_seconds: float = 60.0
    """Give up after so long. To wait until nothing else is asked for does not count."""
    sources: dict[str, Layer] = msgspec.field(default_factory=dict)
    """The layer that decided each of the fields above."""
    problem: str = ""
    """A sentence that says why no titles are made now; empty where nothing is in the way."""


class TitleConfigGetRequest(Request, frozen=True, kw_only=True):
    """Asks for it."""


class TitleConfigSetRequest(Request, frozen=True, kw_only=True):
    """Change some of it; a wrong timeout (10 to 120 s), provider or model is `TITLE_CONFIG_INVALID`.

    Where another provider is named and no model, the model of the former one is forgotten.
    """

    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    provider: Annotated[str, Meta(max_length=64)] | msgspec.UnsetType = msgspec.UNSET
    model: Annotated[str, Meta(max_length=256)] | msgspec.UnsetType = msgspec.UNSET
    timeout_seconds: float | msgspec.UnsetType = msgspec.UNSET


class TitleSetRequest(Request, frozen=True, kw_only=True):
    """Set the title of an answer."""

    id: ResponseId
    title: TitleText


class TitleStatus(Reply, frozen=True, kw_only=True):
    """Event ``title:status``."""

    response_id: str
    status: Literal["pending", "completed", "failed"]
    title: str
    """The current title; the model name if there is no title."""
    time: str
    """ISO 8601, UTC."""
    model: str = ""
    """The model that was asked for it; empty before one was."""


class ConversationListRequest(Request, frozen=True, kw_only=True):
    """Ask for a page of conversations, the one that was last spoken in first."""

    notebook: Annotated[str, Meta(max_length=4096)] | None = None
    """Of this notebook only."""
    kernel: Annotated[str, Meta(max_length=256)] = ""
    """Id of the kernel that asks, as in `Origin`."""
    limit: Limit = 100
    offset: Offset = 0


class ConversationInfo(Reply, frozen=True, kw_only=True):
    """One conversation, without its turns."""

    id: str
    title: str
    """The title set by the user, else the title of the first turn, else the start of the first question."""
    turns: int
    notebook: str
    created_at: str
    """ISO 8601, UTC; so is the next."""
    updated_at: str
    branched_from: str = ""
    """The turn at which it left another conversation; empty where it did not."""


class ConversationList(Reply, frozen=True, kw_only=True):
    """A page of conversations."""

    conversations: tuple[ConversationInfo, ...]
    total: int
    offset: int


class ConversationRequest(Request, frozen=True, kw_only=True):
    """Names one conversation."""

    id: ConversationId


class ConversationGetRequest(Request, frozen=True, kw_only=True):
    """Asks for a conversation with its turns."""

    id: ConversationId
    turn: ResponseId | None = None
    """Show the path through this turn, to the newest one that follows it. Default: the path to the turn
    that was answered last."""


class ConversationRenameRequest(Request, frozen=True, kw_only=True):
    """Set the title of a conversation."""

    id: ConversationId
    title: TitleText


class Conversation(Reply, frozen=True, kw_only=True):
    """One conversation, whole: each turn is a prompt and its answer."""

    info: ConversationInfo
    turns: tuple[Response, ...]
    alternatives: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """For each of these turns that has others at its place (it was asked again, or branched off before):
    the ids of all of them, oldest first, its own included."""


class ConversationBranchRequest(Request, frozen=True, kw_only=True):
    """Begin another conversation that shares the turns up to one of them."""

    id: ConversationId
    response_id: ResponseId
    """The last turn that is shared."""
