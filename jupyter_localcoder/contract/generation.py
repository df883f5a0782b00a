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
from .notebook import NotebookCell, NotebookContext, Reference, Text
from .providers import EMBEDDED

Language = Annotated[str, Meta(max_length=64)]
ProviderName = Annotated[str, Meta(max_length=64)]
Scope = Annotated[str, Meta(max_length=1024)]
Command = Literal["explain", "improve", "fix", "document", "test", "generate", "prompt"]
CHANGES: frozenset[Command] = frozenset({"improve", "fix", "document"})
"""Commands whose answer takes the place of the code that was sent."""
Finish = ResponseFinish
EndCode = Literal["", "CANCELED", "TIMEOUT"]
CancelReason = Literal["user", "input", "timeout"]
Doubt = Literal["", "confidence", "syntax", "columns", "repetition", "hidden"]
"""What speaks against a suggestion: the model was not sure, it does not parse where it stands, it names
a column that the data frame does not have, it only repeats what stands around it, or it holds characters that
cannot be seen and act, such as control characters and marks of direction."""


class Origin(Request, frozen=True, kw_only=True):
    """Where a request comes from; it is kept with the answer."""

    notebook: Annotated[str, Meta(max_length=4096)] = ""
    """Path of the notebook."""
    cell: Annotated[str, Meta(max_length=256)] = ""
    """Id of the cell."""
    kernel: Annotated[str, Meta(max_length=256)] = ""
    """Id of the kernel that asks. It knows the name with which its notebook was opened, and no later one."""


class GenerationOptions(Request, frozen=True, kw_only=True):
    """What every request that generates may say about how; all of it is optional."""

    provider: ProviderName = ""
    """Id of a provider. Empty: the active one."""
    model: Annotated[str, Meta(max_length=256)] | None = None
    """As its provider calls it. Default: the one that the provider is configured with; of the embedded
    one the one of the settings."""
    profile: str | None = None
    """Of the embedded provider, which then answers where no provider is named."""
    max_tokens: MaxTokens | None = None
    stop: StopStrings = ()
    timeout_ms: TimeoutMs | None = None
    sampling: SamplingOptions = msgspec.field(default_factory=SamplingOptions)
    origin: Origin = msgspec.field(default_factory=Origin)
    private: bool = False
    """Keep nothing of it in the history."""


class GenerateRequest(GenerationOptions, frozen=True, kw_only=True):
    """One command over a piece of code."""

    command: Command
    code: Text = ""
    instruction: Text = ""
    """What the person adds in words; the whole prompt of the command ``prompt``."""
    error: Text = ""
    """The traceback, for ``fix``."""
    language: Language = "python"
    context: tuple[NotebookCell, ...] = ()
    """Cells of the notebook, in the order in which the model reads them."""
    cell_magic: Annotated[str, Meta(max_length=4096)] = ""
    """The lines of cell magics at the top of the cell, where ``code`` is only a part of it: they say in which
    language it is."""


class Message(Request, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Text


class ChatRequest(GenerationOptions, frozen=True, kw_only=True):
    """The next turn of a conversation.

    Without ``conversation`` nothing is remembered: ``messages`` are all turns so far, the last of them the
    user's. With one, the service knows what was said: ``messages`` is the user's new turn alone, with an
    instruction (role `system`) before it where there is one. The turn gets the id of the run.
    """

    messages: Annotated[tuple[Message, ...], Meta(max_length=1000)] = ()
    references: Annotated[tuple[Reference, ...], Meta(max_length=100)] = ()
    """What stands beside the question; kept with the turn, and read again in later ones."""
    conversation: (
        Annotated[str, Meta(pattern=rf"^({RESPONSE_ID}|new)\Z", description="An id, or `new` to begin one.")]
        | None
    ) = None
    parent: (
        Annotated[
            str,
            Meta(
                pattern=rf"^({RESPONSE_ID})?\Z",
                description="The turn that this one follows: an earlier one to branch off there; empty to "
                "begin the conversation again. Default: its last turn.",
            ),
        ]
        | None
    ) = None
    regenerate: ResponseId | None = None
    """Answer this turn of the conversation once more, beside the answer that is there: the question and its
    references are known, and neither ``messages`` nor ``references`` is given, except for an instruction."""


class CompleteRequest(Request, frozen=True, kw_only=True):
    """Fill in the middle: what stands between ``prefix`` and ``suffix``?"""

    prefix: Text
    """Of the cell with the cursor, and of no other."""
    suffix: Text = ""
    notebook: NotebookContext | None = None
    """What stands around that cell."""
    language: Language = "python"
    multiline: bool = True
    """False ends the completion at the first line break."""
    automatic: bool = False
    """Nobody asked for it by hand: it is withheld where the model is not sure of it."""
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    timeout_ms: TimeoutMs | None = None
    """From the request on; what came by then ends with `timeout`, which is no error. Default: the setting
    ``completion_timeout_seconds``."""
    stop: StopStrings = ()
    provider: ProviderName = ""
    """Id of a provider. Empty: the one of the setting ``completion_provider``."""
    model: Annotated[str, Meta(max_length=256)] | None = None
    """As its provider calls it. Default: as for `GenerationOptions`."""
    seed: Annotated[int, Meta(ge=0, le=2**32 - 2)] | None = None
    scope: Scope = ""
    """Names what is edited, such as a notebook's path: requests of one scope share what was computed."""


class WarmRequest(Request, frozen=True, kw_only=True):
    """Read a prompt ahead of the completion that will need it, below every other request."""

    prefix: Text
    suffix: Text = ""
    notebook: NotebookContext | None = None
    language: Language = "python"
    model: str | None = None
    scope: Scope = ""


class Warmed(Reply, frozen=True, kw_only=True):
    """Answer of ``tab:warm``."""

    finish: Finish | Literal["skipped"]
    """`skipped`: there is nothing to read, no model is loaded and the settings do not ask to load one, or
    another provider completes;
    `canceled`: given up for a newer request of the same scope, or for a completion; `stop` without tokens:
    the model was loaded, and nothing stands there yet."""
    prompt_tokens: int
    cached_tokens: int
    """How many had been read before."""
    milliseconds: float


class CompleteCancelRequest(Request, frozen=True, kw_only=True):
    """End a completion."""

    run: str
    reason: CancelReason = "user"


class LlmCancelRequest(Request, frozen=True, kw_only=True):
    """End one request, waiting or running."""

    id: str


class LlmCancelAllRequest(Request, frozen=True, kw_only=True):
    """End all requests, waiting or running."""


class CanceledCount(Reply, frozen=True, kw_only=True):
    """How many were ended."""

    count: int


class Started(Reply, frozen=True, kw_only=True, tag="started", tag_field="type"):
    """The first frame: the request has an id, by which it can be cancelled."""

    run: str
    conversation: str = ""
    """The conversation of which it is a turn; empty where there is none."""
    provider: str = EMBEDDED
    """Who answers: the prompt goes there."""
    started_at: str = ""
    """When it began, ISO 8601 in UTC."""


class Delta(Reply, frozen=True, kw_only=True, tag="delta", tag_field="type"):
    """The next piece of the answer, or of the reasoning before it."""

    run: str
    text: str
    """Empty while the model reasons."""
    reasoning: str = ""
    """What the model reasons; it is no part of the answer."""


class Confidence(Reply, frozen=True, kw_only=True):
    """How sure the model was of a completion."""

    log_probability: float
    """Natural logarithm of the probability of the whole answer, its end included; 0 is certain."""
    first_token_margin: float
    """By how much the likeliest first token led before the second, in logits."""


class PromptPart(Reply, frozen=True, kw_only=True):
    """Tokens of a prompt that come from one source."""

    source: str
    """Such as `imports and definitions`, `cells above`, `cells below`, `kernel`, `this cell`."""
    tokens: int
    left_out_tokens: int = 0
    """Tokens of this source that did not fit, or were not worth their place."""


class Change(Reply, frozen=True, kw_only=True):
    """The code of an answer, made ready to be written."""

    code: str
    """To be put in the place of the request's ``code`` or ``cell``, or where new code was asked for: magics
    are where they were, copies of other cells are left out."""
    notes: tuple[str, ...] = ()
    """What was done to the answer, a sentence each."""
    problem: str = ""
    """Why it is not to be written, in a sentence; empty where it may be."""
    recovery: str = ""
    """What can be done then."""


class PlaceRequest(Request, frozen=True, kw_only=True):
    """Code of an answer that is there already, to be put into a notebook."""

    code: Text
    info: Annotated[str, Meta(max_length=1024)] = ""
    """What stands behind its opening fence, such as `python`."""
    cell: Text = ""
    """The code cell whose place it is to take; blank: it is to be a new one."""
    language: Language = "python"
    """That of the notebook's kernel."""


class Done(Reply, frozen=True, kw_only=True, tag="done", tag_field="type"):
    """The last frame of a request that ended as it should, or was stopped with what it had."""

    run: str
    text: str
    """The whole answer: all deltas joined, without those at the beginning that turned out to be reasoning;
    empty where it is withheld."""
    reasoning: str = ""
    """What the model reasoned before it answered, as much of it as is kept."""
    finish: Finish
    """`length`: the token limit ended it; `timeout`: the time limit did, what came is kept."""
    code: EndCode = ""
    """`CANCELED` and `TIMEOUT`: it was stopped with what it had, which is no failure. Empty: it ended by
    itself, or at the token limit."""
    usage: Usage
    timings: Timings
    model: ModelStamp
    sampling: Sampling | None
    """Null where another provider than the embedded one answered, which does not tell."""
    prompt_sha256: str
    """Digest of the prompt's token ids: two answers with the same one were asked the same. Empty where
    another provider answered, so are digest and quantisation of the model."""
    text_sha256: str = ""
    """Digest of the answer: SHA-256 of its text in UTF-8, hexadecimal. Empty from an older server."""
    provider: str = EMBEDDED
    """Who answered."""
    cost_usd: float | None = None
    """An estimate by the user's own price table; null where it has no price."""
    confidence: Confidence | None = None
    """How sure the model was; of completions only."""
    parts: tuple[PromptPart, ...] = ()
    """Where the tokens of the prompt come from, in the prompt's order."""
    withheld: Doubt = ""
    """Why a completion is not shown."""
    doubt: Doubt = ""
    """What speaks against a completion that is shown all the same, because the settings say so."""
    conversation: str = ""
    """The conversation of which it is a turn, under the id of the run; an empty answer is no turn."""
    parent: str = ""
    """The turn before it; empty for the first."""
    left_out_turns: int = 0
    """How many of the earlier turns, the oldest, the model has not read: they did not fit."""
    change: Change | None = None
    """Of a command whose answer is code: what may be written of it."""
    note: str = ""
    """Why it was stopped, in a sentence, where that was nobody's wish."""


class InspectRequest(Request, frozen=True, kw_only=True):
    """Asks what a request was answered from."""

    run: str = ""
    """Id of a completion or a command; empty: the last one."""


class Inspection(Reply, frozen=True, kw_only=True):
    """What the model read for one request, and where its time went. Kept in memory, never on disk."""

    run: str
    kind: str
    """`tab` of a completion, `generate` or `chat`."""
    time: str
    """When it ended, as in ISO 8601, UTC."""
    scope: str
    prompt: str
    """The exact text, control tokens as they are spelled."""
    redacted: str
    """The same with every character replaced that is not white space: structure, lengths and token counts
    can be shown around, content cannot."""
    parts: tuple[PromptPart, ...]
    finish: Finish
    withheld: Doubt
    usage: Usage
    timings: Timings
    model: ModelStamp
    sampling: Sampling | None
    prompt_sha256: str
    provider: str = EMBEDDED
    """Who read it. Only the embedded one tells tokens by source; what was sent to another is ``prompt``."""
    confidence: Confidence | None = None
    """As in `Done`."""


class Failed(Reply, frozen=True, kw_only=True, tag="error", tag_field="type"):
    """The last frame of a request that failed."""

    run: str
    error: ErrorPayload


Frame = Started | Delta | Done | Failed
"""What a stream consists of: one `Started`, any number of `Delta`, one `Done` or `Failed`."""
