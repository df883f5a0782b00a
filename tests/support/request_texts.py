"""What each text of a request is: a file of the machine, or something that never becomes a path. Pure.

A new field has to be put down here, and a file has to be declared with its operation (`Operation.reads`,
`Operation.writes`): then the server asks whether who names it may (`tests/server/test_file_access.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

FILES = {"ModelImportRequest.path", "ModelExportRequest.path", "ResponseExportRequest.path"}
LABELS = {
    "CallRequest.path", "CallRequest.cell", "ConversationListRequest.notebook", "NotebookContext.path",
    "Origin.notebook", "Origin.cell", "Origin.kernel", "ConversationListRequest.kernel",
    "NotebookCell.id", "Reference.name", "SuggestionOutcome.model", "SuggestionOutcome.language",
}  # fmt: skip
"""Kept or compared as they are; never opened."""
NAMES = {
    "CallRequest.model", "CallRequest.prompt_id", "CallRequest.provider", "ChatRequest.model",
    "ChatRequest.profile", "ChatRequest.provider", "CompleteCancelRequest.run", "CompleteRequest.model",
    "CompleteRequest.provider", "CompleteRequest.scope", "GenerateRequest.model", "GenerateRequest.profile",
    "GenerateRequest.provider", "InspectRequest.run", "LlmCancelRequest.id",
    "ModelEnsureRequest.accept_license", "ModelLoadRequest.profile",
    "ProviderSaveRequest.model", "ProviderSaveRequest.name", "QueueGetRequest.id", "RetryRequest.id",
    "ResponseDeleteAllRequest.prompt_id", "ResponseExportRequest.prompt_id", "ResponseListRequest.prompt_id",
    "SettingsUpdateRequest.general_model", "SettingsUpdateRequest.title_model",
    "SettingsUpdateRequest.model", "SettingsUpdateRequest.profile",
    "TitleConfigSetRequest.model", "TitleConfigSetRequest.provider", "WarmRequest.model", "WarmRequest.scope",
}  # fmt: skip
"""Looked up among what is known; where one names a folder of ours, it is checked first."""
ADDRESSES = {"ProviderSaveRequest.base_url"}
"""http and https only."""
TEXTS = {
    "GenerateRequest.cell_magic",
    "CallRequest.prompt", "CallRequest.stop", "CallRequest.parameters", "ChatRequest.stop",
    "CompleteRequest.language", "CompleteRequest.prefix", "CompleteRequest.suffix", "CompleteRequest.stop",
    "Column.name", "Column.dtype", "ConversationRenameRequest.title", "GenerateRequest.code",
    "GenerateRequest.error", "GenerateRequest.instruction", "GenerateRequest.language",
    "GenerateRequest.stop", "KernelVariable.name", "KernelVariable.signature", "KernelVariable.type",
    "Message.content", "NotebookCell.error", "NotebookCell.head", "NotebookCell.hint", "NotebookCell.source",
    "PlaceRequest.cell", "PlaceRequest.code", "PlaceRequest.info", "PlaceRequest.language",
    "ProbeRequest.language",
    "ProviderSaveRequest.fill_template", "Reference.language", "Reference.text",
    "ResponseSearchRequest.query", "TitleSetRequest.title", "WarmRequest.language", "WarmRequest.prefix",
    "WarmRequest.suffix",
}  # fmt: skip
"""For a person or a model to read."""


def texts_of(type_: Any, where: str = "") -> Iterator[str]:
    """``Struct.field`` of every text in a request that is not held by a pattern."""
    if isinstance(type_, inspect.Metadata):
        yield from texts_of(type_.type, where)
    elif isinstance(type_, inspect.StructType):
        for field in type_.fields:
            yield from texts_of(field.type, f"{type_.cls.__name__}.{field.name}")
    elif isinstance(type_, inspect.UnionType):
        for one in type_.types:
            yield from texts_of(one, where)
    elif isinstance(type_, inspect.VarTupleType | inspect.ListType):
        yield from texts_of(type_.item_type, where)
    elif isinstance(type_, inspect.DictType):
        yield from texts_of(type_.value_type, where)
    elif isinstance(type_, inspect.StrType) and type_.pattern is None:
        yield where
    else:
        numbers = (inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.NoneType)
        assert isinstance(type_, (*numbers, inspect.LiteralType, inspect.StrType)), type_
