"""The provenance that is stored with an answer, and how to replay it.

A record is stored in the metadata of the answer's output under `localcoder` and saved with the notebook. It
contains the request about the cell, and no text of other cells: notebooks are shared, and deleted text must
not remain in them. The kernel keeps the complete request for replay.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
from collections import OrderedDict
from datetime import datetime, timezone
from typing import Any

import msgspec

from .._version import __version__
from ..contract import codec
from ..contract.common import SamplingOptions
from ..contract.generation import Done, GenerateRequest
from ..contract.provenance import DIGESTS, METADATA_KEY, OF_OTHER_CELLS
from ..contract.providers import EMBEDDED
from ..errors import InvalidArgument, LocalCoderError
from ..text.digest import text_digest

KEPT = 200
"""Answers of this kernel that can be replayed by their id; older ones from the metadata of their output."""


Record = dict[str, Any]


def record_of(request: GenerateRequest, done: Done) -> Record:
    """All that an answer depends on, as plain values for JSON.

    ``seeded`` says whether the seed was asked for: only then is the same text promised. ``versions`` and
    ``machine`` are those of this kernel, which are the server's own where both run side by side.
    """
    return {
        "command": request.command,
        **stamp_of(done, request.sampling.seed),
        "seeded": request.sampling.seed is not None,
        "request": _without_defaults(request),
    }


def saved(record: Record) -> Record:
    """What of a record goes into the notebook: no text of other cells, and nothing of what was private."""
    request = record.get("request")
    if not isinstance(request, dict):
        return record
    kept = {name: value for name, value in record.items() if name != "request"}
    if request.get("private"):
        return {**kept, **dict.fromkeys(DIGESTS, "")}
    return {**kept, "request": {name: request[name] for name in request if name not in OF_OTHER_CELLS}}


def stamp_of(done: Done, asked_seed: int | None = None) -> Record:
    """Provenance of a text, regardless of the request."""
    return {
        "id": done.run,
        "provider": done.provider,
        "model": done.model.id,
        "digest": done.model.digest,
        "quantization": done.model.quantization,
        "sampling": sampling_of(done),
        "seed": done.sampling.seed if done.sampling is not None else asked_seed,
        "prompt_sha256": done.prompt_sha256,
        "text_sha256": text_digest(done.text),
        "completion_tokens": done.usage.completion_tokens,
        "finish": done.finish,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": _versions(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def sampling_of(done: Done) -> dict[str, Any]:
    """How the tokens were drawn; empty where the provider does not tell."""
    drawn: dict[str, Any] = msgspec.to_builtins(done.sampling) if done.sampling is not None else {}
    return drawn


def request_again(record: Record) -> GenerateRequest:
    """The request of a record, with the model, seed and sampling that it was answered with.

    Raises
    ------
    InvalidArgument
        It is no record, or one of an answer that did not come to its end.

    """
    if "error" in record or record.get("finish") == "canceled":
        raise InvalidArgument(
            "This answer is incomplete and cannot be compared.",
            recovery="Run the cell again instead.",
        )
    if record.get("command") == "chat":
        raise InvalidArgument(
            "This is a chat answer: it depends on the turns before it and cannot be replayed.",
            recovery="Use `%%chat --again`, or *Answer again* in the sidebar.",
        )
    try:
        request = codec.decode(GenerateRequest, record["request"])
        provider = str(record.get("provider", EMBEDDED))
        if provider != EMBEDDED:
            return msgspec.structs.replace(request, provider=provider)
        sampling = codec.decode(SamplingOptions, record["sampling"])
        limit = request.max_tokens
        if record["finish"] == "length":  # the limit may have come from settings that are others now
            limit = int(record["completion_tokens"])
        return msgspec.structs.replace(
            request, provider=provider, model=str(record["model"]), sampling=sampling, max_tokens=limit
        )
    except (KeyError, TypeError, ValueError, LocalCoderError):
        raise InvalidArgument(
            "This is not the record of an answer.",
            recovery="Give `last`, the id of an answer of this kernel, or the JSON under `localcoder` in the "
            "metadata of its output.",
        ) from None


def reasons(record: Record, again: Record) -> list[str]:
    """Why another text came: what was not the same, a sentence each; never empty."""
    found = []
    if again["provider"] != EMBEDDED:
        return [f"It was answered by the provider {again['provider']}, whose output is not reproducible."]
    if record.get("digest") != again["digest"]:
        found.append(
            f"The file of {again['model']} differs: {str(record.get('digest'))[:12]} then, "
            f"{again['digest'][:12]} now."
        )
    elif record.get("prompt_sha256") != again["prompt_sha256"]:
        found.append("The prompt differs: the wording of the command has changed.")
    # A change that was accepted in a cell does not know the machine and the versions of the server.
    then, now = record.get("versions") or again["versions"], again["versions"]
    found += [
        f"{name} was {then.get(name) or 'not known'} then, and is {now.get(name) or 'not known'} now."
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if record.get("machine", again["machine"]) != again["machine"]:
        found.append(f"The machine differs: {record['machine']} then, {again['machine']} now.")
    if record.get("sampling") != again["sampling"]:
        found.append("The sampling parameters differ.")
    if record.get("finish") != again["finish"]:
        found.append(f"The finish reason differs: `{record.get('finish')}` then, `{again['finish']}` now.")
    if not record.get("seeded"):
        found.append(
            "The request had no `--seed`. Its random seed was recorded, but the state of the cache and "
            "concurrent requests can change the result when two tokens are almost equally likely. Only "
            "`--seed` guarantees the same text."
        )
    return found or [
        "All recorded values are the same. The build of llama.cpp, the CPU or GPU, the number of threads "
        "and the context window are not recorded."
    ]


class Records:
    """The last answers of this kernel, by id, with their texts."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Record, str]] = OrderedDict()

    def add(self, record: Record, text: str) -> None:
        """Keep one, and forget the oldest beyond `KEPT`."""
        self._kept[record["id"]] = record, text
        self._kept.move_to_end(record["id"])
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def find(self, name: str) -> tuple[Record, str | None]:
        """A record and the text of its answer, where that is known.

        Parameters
        ----------
        name
            `last`, an id or the beginning of one, or the JSON of a record or of an output's metadata.

        Raises
        ------
        InvalidArgument
            There is none.

        """
        if name.lstrip().startswith("{"):
            return _decoded(name), None
        if name == "last" and self._kept:
            return next(reversed(self._kept.values()))
        fitting = [kept for id_, kept in self._kept.items() if id_ == name] or [
            kept for id_, kept in self._kept.items() if id_.startswith(name)
        ]
        if len(fitting) == 1:
            return fitting[0]
        count = "More than one id" if fitting else "No id"
        raise InvalidArgument(
            f"{count} of this kernel's answers begins with `{name}`."
            if self._kept
            else "There are no answers in this kernel yet.",
            recovery="For an older answer, pass the JSON under `localcoder` in the metadata of its output.",
        )


def _decoded(text: str) -> Record:
    try:
        value: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as failure:
        raise InvalidArgument(
            f"The JSON cannot be read: {failure}.", recovery="Copy all of it, from { to }."
        ) from None
    inner = value.get(METADATA_KEY, value)
    return inner if isinstance(inner, dict) else {}


def _without_defaults(request: GenerateRequest) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(request)
    bare: dict[str, Any] = msgspec.to_builtins(GenerateRequest(command=request.command))
    # Where it was asked is no part of what was asked, and a notebook that is shared tells no paths.
    del plain["origin"]
    return {name: value for name, value in plain.items() if name == "command" or value != bare[name]}


def _versions() -> dict[str, str]:
    versions = {"jupyter_localcoder": __version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # the server may have it, elsewhere
        versions["llama-cpp-python"] = importlib.metadata.version("llama-cpp-python")
    return versions
