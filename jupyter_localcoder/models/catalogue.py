"""The catalogue: the models, licences and profiles that are offered.

The built-in one is shipped as ``catalogue.json`` with the licence texts beside it. An administrator's
file has the same form and is laid over it: an entry of the same id or name replaces the built-in one.
This module reads these files and nothing else; it does not know what is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import Struct

from ..contract.models import License, Profile
from ..errors import ValidationError
from ..storage.regular import NotRegular, TooLarge, read_regular
from .entries import CatalogueEntry, CatalogueFile, LicenseEntry

MAX_CATALOGUE_BYTES = 4 * 1024 * 1024
MAX_LICENSE_BYTES = 1024 * 1024

_HERE = Path(__file__).parent


class Catalogue(Struct, frozen=True, kw_only=True):
    """Everything that is offered, by id or name."""

    entries: Mapping[str, CatalogueEntry]
    licenses: Mapping[str, License]
    profiles: Mapping[str, Profile]
    notices: Mapping[str, str]
    """By licence id: text that goes along with every copy of a model under it."""

    def answers(self, model_id: str) -> bool:
        """Whether a model may be asked a question: all but those that the catalogue says only complete.

        A base model may have a chat template that it was never trained with, so its header does not say so.
        """
        entry = self.entries.get(model_id)
        return entry is None or "general" in entry.roles

    def by_digest(self, digest: str) -> CatalogueEntry | None:
        """The model whose file has this SHA-256, or None."""
        return next((entry for entry in self.entries.values() if entry.sha256 == digest), None)


def load(overlay: Path | None = None) -> Catalogue:
    """The built-in catalogue, with an administrator's file laid over it.

    Raises
    ------
    ValidationError
        The file cannot be read, or says something that a catalogue may not say; ``field`` in the
        details tells where.

    """
    built_in = _read(_HERE / "catalogue.json")
    layers = [(built_in, _HERE / "licenses")]
    if overlay is not None:
        layers.append((_read(overlay), overlay.parent))
    entries: dict[str, CatalogueEntry] = {}
    licenses: dict[str, License] = {}
    notices: dict[str, str] = {}
    profiles: dict[str, Profile] = {}
    for file, folder in layers:
        for gone in file.remove:
            entries.pop(gone, None)
        entries.update({entry.id: entry for entry in file.models})
        for entry in file.licenses:
            licenses[entry.id] = _license(entry, folder)
            notices[entry.id] = _text(folder / entry.notice_file) if entry.notice_file else ""
        profiles.update({entry.name: entry.profile() for entry in file.profiles})
    removed = {gone for file, _ in layers for gone in file.remove} - set(entries)
    profiles = {
        name: profile
        for name, profile in profiles.items()
        if not removed & {profile.model, profile.general_model, profile.draft_model}
    }
    _check(entries, licenses, profiles)
    return Catalogue(
        entries=MappingProxyType(entries),
        licenses=MappingProxyType(licenses),
        profiles=MappingProxyType(profiles),
        notices=MappingProxyType({key: text for key, text in notices.items() if text}),
    )


def _read(path: Path) -> CatalogueFile:
    raw = _bytes(path, MAX_CATALOGUE_BYTES)
    try:
        return msgspec.json.decode(raw, type=CatalogueFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise _bad(path.name, str(failure)) from None


def _license(entry: LicenseEntry, folder: Path) -> License:
    if bool(entry.text) == (entry.file is not None):
        raise _bad(f"licenses.{entry.id}", "it needs either `text` or `file`")
    text = entry.text or _text(folder / (entry.file or ""))
    return License(
        id=entry.id,
        name=entry.name,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        attribution=entry.attribution,
    )


def _text(path: Path) -> str:
    try:
        return _bytes(path, MAX_LICENSE_BYTES).decode()
    except UnicodeDecodeError:
        raise _bad(path.name, "it is not UTF-8 text") from None


def _bytes(path: Path, limit: int) -> bytes:
    try:
        return read_regular(path, limit)
    except (TooLarge, NotRegular) as failure:
        raise _bad(path.name, str(failure.strerror)) from None
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else str(failure)
        raise _bad(path.name, f"it cannot be read ({reason})") from None


def _check(
    entries: Mapping[str, CatalogueEntry], licenses: Mapping[str, License], profiles: Mapping[str, Profile]
) -> None:
    for entry in entries.values():
        if entry.license not in licenses:
            raise _bad(f"models.{entry.id}.license", f"there is no licence `{entry.license}`")
    folded = [entry_id.casefold() for entry_id in entries]
    if len(set(folded)) < len(folded):
        raise _bad("models", "two ids differ in upper and lower case only")
    for profile in profiles.values():
        for model in (profile.model, profile.general_model, profile.draft_model):
            if model and model not in entries:
                raise _bad(f"profiles.{profile.name}", f"there is no model `{model}`")


def _bad(field: str, what: str) -> ValidationError:
    return ValidationError(
        f"The catalogue of models is not valid: `{field}`: {what}.",
        recovery="Correct the file that `ModelStore.catalogue_path` names, or unset it.",
        field=field,
    )
