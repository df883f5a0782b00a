"""Operations that generate text, and the frames in which their answers stream."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .common import (
    RESPONSE_ID,
    ErrorPayload,
    MaxTokens,
    ModelStamp,
    Reply,
    Request,
    Sampling,
    SamplingOptions,
    StopStrings,
    Temperature,
    TimeoutMs,
    Timings,
    Usage,
)
from .history import ResponseFinish, ResponseId
from .notebook import (
    MAX_CELLS,
    MAX_VARIABLES,
    KernelVariable,
    NotebookCell,
    NotebookContext,
    Reference,
    Text,
)
from .providers import EMBEDDED

Language = Annotated[str, Meta(max_length=64)]
ProviderName = Annotated[str, Meta(max_length=64)]
Scope = Annotated[str, Meta(max_length=1024)]
Command = Literal["explain", "improve", "fix", "document", "test", "generate", "prompt"]
CHANGES: frozenset[Command] = frozenset({"improve", "fix", "document"})
"""Commands whose answer replaces the code that was sent."""
Finish = ResponseFinish
EndCode = Literal["", "CANCELED", "TIMEOUT"]
CancelReason = Literal["user", "input", "timeout"]
Doubt = Literal["", "confidence", "syntax", "columns", "repetition", "hidden"]
"""Reason against a suggestion: low confidence, a syntax error, a column that the data frame does not have,
repetition of the surrounding code, or hidden characters such as control characters and bidirectional
controls."""


class Origin(Request, frozen=True, kw_only=True):
    """Origin of a request; saved with the answer."""

    notebook: Annotated[str, Meta(max_length=4096)] = ""
    """Path of the notebook."""
    cell: Annotated[str, Meta(max_length=256)] = ""
    """Id of the cell."""
    kernel: Annotated[str, Meta(max_length=256)] = ""
    """Id of the kernel. A kernel knows only the name under which its notebook was opened."""


class GenerationOptions(Request, frozen=True, kw_only=True):
    """Optional parameters of every request that generates text."""

    provider: ProviderName = ""
    """Id of a provider. Empty: the active provider."""
    model: Annotated[str, Meta(max_length=256)] | None = None
    """Model name at the provider. Default: the model configured for the provider; for the embedded provider,
    the model from the settings."""
    profile: str | None = None
    """Profile of the embedded provider, which is then used if no provider is named."""
    max_tokens: MaxTokens | None = None
    stop: StopStrings = ()
    timeout_ms: TimeoutMs | None = None
    sampling: SamplingOptions = msgspec.field(default_factory=SamplingOptions)
    origin: Origin = msgspec.field(default_factory=Origin)
    private: bool = False
    """Do not save the answer in the history."""
    rules: bool = True
    """Give the model the rules of the project that the notebook of ``origin`` belongs to, if the setting
    `rules` is on."""

    @property
    def named_provider(self) -> str:
        """Id of the provider that the request names; a profile is one of the embedded engine. Empty: none."""
        return self.provider or (EMBEDDED if self.profile else "")


class GenerateRequest(GenerationOptions, frozen=True, kw_only=True):
    """Run a command on a piece of code."""

    command: Command
    code: Text = ""
    instruction: Text = ""
    """Additional instruction of the user; the whole prompt for the command ``prompt``."""
    error: Text = ""
    """The traceback, for ``fix``."""
    language: Language = "python"
    context: tuple[NotebookCell, ...] = ()
    """Cells of the notebook, in the order in which the model reads them."""
    below: Annotated[tuple[NotebookCell, ...], Meta(max_length=MAX_CELLS)] = ()
    """Cells after the code. The model does not read them; a change must keep the names that they use."""
    variables: Annotated[tuple[KernelVariable, ...], Meta(max_length=MAX_VARIABLES)] = ()
    """What the kernel knows; the model reads those that the request names."""
    cell_magic: Annotated[str, Meta(max_length=4096)] = ""
    """Cell magics at the top of the cell if ``code`` is only a part of it; they set the language."""


class Message(Request, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Text


class ChatRequest(GenerationOptions, frozen=True, kw_only=True):
    """The next turn of a conversation.

    Without ``conversation``, nothing is stored: ``messages`` contains all turns so far and ends with a user
    message. With ``conversation``, the service knows the earlier turns: ``messages`` contains only the new
    user message, optionally preceded by an instruction (role `system`). The id of the turn is the run id.
    """

    messages: Annotated[tuple[Message, ...], Meta(max_length=1000)] = ()
    references: Annotated[tuple[Reference, ...], Meta(max_length=100)] = ()
    """Context attached to the question; saved with the turn, and also read in later turns."""
    variables: Annotated[tuple[KernelVariable, ...], Meta(max_length=MAX_VARIABLES)] = ()
    """What the kernel knows; the model reads those that the question or its references name. Not saved."""
    conversation: (
        Annotated[
            str,
            Meta(
                pattern=rf"^({RESPONSE_ID}|new)\Z", description="Id of a conversation, or `new` to start one."
            ),
        ]
        | None
    ) = None
    parent: (
        Annotated[
            str,
            Meta(
                pattern=rf"^({RESPONSE_ID})?\Z",
                description="Id of the turn that this turn follows. An earlier turn creates a branch; "
                "empty starts the conversation again. Default: the last turn.",
            ),
        ]
        | None
    ) = None
    regenerate: ResponseId | None = None
    """Answer this turn again, in addition to the existing answer. Question and references are stored, so
    ``messages`` (except for an instruction) and ``references`` must be empty."""


class CompleteRequest(Request, frozen=True, kw_only=True):
    """Complete the text between ``prefix`` and ``suffix`` (fill-in-the-middle)."""

    prefix: Text
    """Text before the cursor, of the cell with the cursor only."""
    suffix: Text = ""
    notebook: NotebookContext | None = None
    """The cells around that cell."""
    language: Language = "python"
    multiline: bool = True
    """False ends the completion at the first line break."""
    automatic: bool = False
    """Whether the completion was requested automatically; it is then withheld if confidence is low."""
    ahead: bool = False
    """Whether it continues a suggestion that is not accepted yet; completions and commands then go first."""
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    timeout_ms: TimeoutMs | None = None
    """Time limit in milliseconds from the request. A partial completion finishes with `timeout`, which is not
    an error. Default: the setting ``completion_timeout_seconds``."""
    stop: StopStrings = ()
    provider: ProviderName = ""
    """Id of a provider. Empty: the setting ``completion_provider``."""
    model: Annotated[str, Meta(max_length=256)] | None = None
    """Model name at the provider. Default: as for `GenerationOptions`."""
    seed: Annotated[int, Meta(ge=0, le=2**32 - 2)] | None = None
    scope: Scope = ""
    """Identifies the edited document, such as a notebook path: requests of one scope share cached state."""


class WarmRequest(Request, frozen=True, kw_only=True):
    """Prefill the prompt of an expected completion, at the lowest priority."""

    prefix: Text
    suffix: Text = ""
    notebook: NotebookContext | None = None
    language: Language = "python"
    model: str | None = None
    scope: Scope = ""


class Warmed(Reply, frozen=True, kw_only=True):
    """Answer of ``tab:warm``."""

    finish: Finish | Literal["skipped"]
    """`skipped`: nothing to prefill, no model is loaded and the settings do not request loading one, or
    another provider completes;
    `canceled`: replaced by a newer request of the same scope, or by a completion; `stop` without tokens:
    the model was loaded, and the document is empty."""
    prompt_tokens: int
    cached_tokens: int
    """Number of prompt tokens that were already cached."""
    milliseconds: float


class CompleteCancelRequest(Request, frozen=True, kw_only=True):
    """Cancel a completion."""

    run: str
    reason: CancelReason = "user"


class LlmCancelRequest(Request, frozen=True, kw_only=True):
    """Cancel a waiting or running request."""

    id: str


class LlmCancelAllRequest(Request, frozen=True, kw_only=True):
    """Cancel all waiting and running requests."""


class CanceledCount(Reply, frozen=True, kw_only=True):
    """Number of cancelled requests."""

    count: int


class Started(Reply, frozen=True, kw_only=True, tag="started", tag_field="type"):
    """The first frame of a stream, with the id used to cancel the request."""

    run: str
    conversation: str = ""
    """Id of the conversation; empty if there is none."""
    provider: str = EMBEDDED
    """Id of the provider to which the prompt is sent."""
    started_at: str = ""
    """Start time, ISO 8601 in UTC."""


class Delta(Reply, frozen=True, kw_only=True, tag="delta", tag_field="type"):
    """The next piece of the answer or of its reasoning."""

    run: str
    text: str
    """Empty while the model reasons."""
    reasoning: str = ""
    """Reasoning of the model; not part of the answer."""
    attempt: int = 1
    """2: the first answer could not be used, and this piece belongs to a second one, which replaces it."""


class Confidence(Reply, frozen=True, kw_only=True):
    """Confidence of the model in a completion."""

    log_probability: float
    """Natural logarithm of the probability of the whole answer, its end included; 0 is certain."""
    first_token_margin: float
    """Difference between the two highest logits of the first token."""


class PromptPart(Reply, frozen=True, kw_only=True):
    """Tokens of a prompt that come from one source."""

    source: str
    """For example `imports and definitions`, `cells above`, `cells below`, `kernel`, `this cell`."""
    tokens: int
    left_out_tokens: int = 0
    """Tokens of this source that were omitted because they did not fit or were less relevant."""


class Change(Reply, frozen=True, kw_only=True):
    """The code of an answer, prepared for insertion."""

    code: str
    """Replaces the request's ``code`` or ``cell``, or is inserted as new code. Magics keep their position,
    and copies of other cells are removed."""
    notes: tuple[str, ...] = ()
    """Changes made to the answer, one sentence each."""
    problem: str = ""
    """Why the code must not be inserted, as a sentence; empty if it may be inserted."""
    recovery: str = ""
    """Suggested fix for the problem."""


class PlaceRequest(Request, frozen=True, kw_only=True):
    """Code of an existing answer that is to be inserted into a notebook."""

    code: Text
    info: Annotated[str, Meta(max_length=1024)] = ""
    """Info string of its code fence, such as `python`."""
    cell: Text = ""
    """Text of the code cell to replace; empty for a new cell."""
    language: Language = "python"
    """Language of the notebook's kernel."""


class Done(Reply, frozen=True, kw_only=True, tag="done", tag_field="type"):
    """The last frame of a request that finished, or was stopped with a partial answer."""

    run: str
    text: str
    """The whole answer: all deltas of the last attempt joined, without leading deltas that turned out to be
    reasoning; empty if it is withheld."""
    reasoning: str = ""
    """Reasoning of the model, up to the size that is saved."""
    finish: Finish
    """`length`: token limit reached; `timeout`: time limit reached, with a partial answer."""
    code: EndCode = ""
    """`CANCELED` or `TIMEOUT`: stopped with a partial answer, which is not a failure. Empty: finished
    normally, or at the token limit."""
    usage: Usage
    timings: Timings
    model: ModelStamp
    sampling: Sampling | None
    """Null for providers other than the embedded one, which do not report it."""
    prompt_sha256: str
    """SHA-256 digest of the token ids of the prompt: equal digests mean equal prompts. Empty, like digest and
    quantisation of the model, for providers other than the embedded one."""
    text_sha256: str = ""
    """SHA-256 digest of the answer in UTF-8, hexadecimal. Empty from an older server."""
    provider: str = EMBEDDED
    """Id of the provider that answered."""
    cost_usd: float | None = None
    """Estimated cost in US dollars from the user's price table; null if there is no price."""
    confidence: Confidence | None = None
    """Confidence of the model; for completions only."""
    parts: tuple[PromptPart, ...] = ()
    """Sources of the prompt tokens, in the order of the prompt."""
    withheld: Doubt = ""
    """Why a completion is not shown."""
    doubt: Doubt = ""
    """Reason against a completion that is shown anyway because of the settings."""
    conversation: str = ""
    """Id of the conversation; the turn has the id of the run. An empty answer is not a turn."""
    parent: str = ""
    """Id of the previous turn; empty for the first turn."""
    left_out_turns: int = 0
    """Number of oldest turns that were omitted because they did not fit into the context window."""
    change: Change | None = None
    """The prepared change, for commands whose answer is code."""
    note: str = ""
    """Why the request was stopped, as a sentence, if no client cancelled it."""


class InspectRequest(Request, frozen=True, kw_only=True):
    """Request the prompt of a recent request."""

    run: str = ""
    """Id of a completion or a command; empty: the most recent one."""


class Inspection(Reply, frozen=True, kw_only=True):
    """Prompt and timings of a request. Kept in memory only, never on disk."""

    run: str
    kind: str
    """`tab` for a completion, `generate` or `chat`."""
    time: str
    """End time, ISO 8601 in UTC."""
    scope: str
    prompt: str
    """The exact text, including control tokens."""
    redacted: str
    """The prompt with every non-whitespace character replaced: it preserves structure, lengths and token
    counts, but no content."""
    parts: tuple[PromptPart, ...]
    finish: Finish
    withheld: Doubt
    usage: Usage
    timings: Timings
    model: ModelStamp
    sampling: Sampling | None
    prompt_sha256: str
    provider: str = EMBEDDED
    """Id of the provider. Only the embedded provider reports tokens by source; for others see ``prompt``."""
    confidence: Confidence | None = None
    """As in `Done`."""


class Failed(Reply, frozen=True, kw_only=True, tag="error", tag_field="type"):
    """The last frame of a request that failed."""

    run: str
    error: ErrorPayload


Frame = Started | Delta | Done | Failed
"""Frames of a stream: one `Started`, any number of `Delta`, and one `Done` or `Failed`."""
