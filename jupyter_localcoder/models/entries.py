"""The typed form of a catalogue: what it may say, and nothing about where it is read from."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ..contract.common import ModelId
from ..contract.models import Profile, Role
from .shape import Shape

FileName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\Z", description="A plain file name, no folder in it."),
]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


def fixed_revision(revision: str) -> str:
    """The revision if it names one state of the source; empty for a branch, which names whatever is newest.

    Commits and versions have digits. A name without any, such as ``main``, is that of a branch, and says
    nothing of the file that is here.
    """
    return revision if any(character.isdigit() for character in revision) else ""


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: a typing slip in an administrator's file is heard."""


class HubSource(_Entry, frozen=True, kw_only=True, tag="hub"):
    """A file of a repository on the model hub."""

    repo: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
    revision: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
    """A commit. A branch only where no commit is known to hold the file: the digest alone pins it then."""
    file: FileName

    @property
    def is_fixed(self) -> bool:
        """Whether the revision names the same file at all times, as far as its name says."""
        return fixed_revision(self.revision) != ""


class PackageIndexSource(_Entry, frozen=True, kw_only=True, tag="package_index"):
    """A file cut into the wheels of a Python package index; ``{n}`` and ``{n:02}`` stand for the number."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]|\{n(:0[1-9])?\})*\Z")]
    version: Annotated[str, Meta(pattern=r"^[0-9][A-Za-z0-9.!+]*\Z")]
    count: Annotated[int, Meta(ge=1, le=1000)]
    member: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_.-]|/|\{n(:0[1-9])?\})+\Z")]
    """Path of the data file inside of each wheel."""


class UrlSource(_Entry, frozen=True, kw_only=True, tag="url"):
    """A file on a web server."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+/\S*\Z")]


class FileSource(_Entry, frozen=True, kw_only=True, tag="file"):
    """A file on a disk that this machine sees."""

    path: Annotated[str, Meta(min_length=1, max_length=4096)]


Source = HubSource | PackageIndexSource | UrlSource | FileSource


_TENSORS_PER_LAYER, _OTHER_TENSORS = 12, 3
"""Those of Qwen2.5; others have a few less, which makes no difference that counts."""


class Architecture(_Entry, frozen=True, kw_only=True):
    """Numbers for the memory estimate, as long as there is no header to read them from."""

    layers: Annotated[int, Meta(ge=1, le=512)]
    attention_layers: Annotated[int, Meta(ge=0, le=512)] = 0
    """Those with keys and values; 0: all of them."""
    heads: Count
    kv_heads: Count
    key_length: Count
    value_length: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """0: the same as ``key_length``."""
    embedding_length: Count
    vocabulary: Annotated[int, Meta(ge=1, le=10_000_000)]
    repackable_bytes: Annotated[int, Meta(ge=0)] = 0
    recurrent_bytes: Annotated[int, Meta(ge=0)] = 0
    """State of the recurrent layers, for one sequence."""


class CatalogueEntry(_Entry, frozen=True, kw_only=True):
    """One model that can be fetched."""

    id: ModelId
    name: Text
    file: FileName
    size_bytes: Annotated[int, Meta(ge=1)]
    sha256: Sha256
    quantization: Text
    parameters: Text
    license: Text
    """Id of a licence of the same catalogue."""
    context_length: Annotated[int, Meta(ge=1, le=100_000_000)]
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    fill_in_the_middle: bool
    sources: Annotated[tuple[Source, ...], Meta(min_length=1, max_length=16)]
    """In the order in which they are tried."""
    architecture: Architecture | None = None

    @property
    def revision(self) -> str:
        """The revision or version that the first source pins; empty where it pins none, as a branch does."""
        for source in self.sources:
            if isinstance(source, HubSource):
                return fixed_revision(source.revision)
            if isinstance(source, PackageIndexSource):
                return source.version
        return ""

    @property
    def shape(self) -> Shape | None:
        """The numbers for the memory estimate, or None where the catalogue does not have them."""
        numbers = self.architecture
        if numbers is None:
            return None
        return Shape(
            weights_bytes=self.size_bytes,
            repackable_bytes=numbers.repackable_bytes,
            kv_heads_total=(numbers.attention_layers or numbers.layers) * numbers.kv_heads,
            recurrent_bytes=numbers.recurrent_bytes,
            heads=numbers.heads,
            key_length=numbers.key_length,
            value_length=numbers.value_length or numbers.key_length,
            embedding_length=numbers.embedding_length,
            vocabulary=numbers.vocabulary,
            tensors=_TENSORS_PER_LAYER * numbers.layers + _OTHER_TENSORS,
        )


class LicenseEntry(_Entry, frozen=True, kw_only=True):
    """A licence: its text inline, or in a file beside the catalogue."""

    id: Text
    name: Text
    text: str = ""
    file: FileName | None = None
    attribution: Annotated[str, Meta(max_length=200)] = ""
    """Words that must be shown wherever the model is offered."""
    notice_file: FileName | None = None
    """Text that must go along with every copy of the model."""


class ProfileEntry(_Entry, frozen=True, kw_only=True):
    """A profile as written in a catalogue."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\Z")]
    description: Annotated[str, Meta(max_length=500)] = ""
    model: ModelId
    general_model: ModelId
    context_window: Annotated[int, Meta(ge=256, le=1_048_576)]
    draft_model: Annotated[str, Meta(max_length=128)] = ""

    def profile(self) -> Profile:
        """The form in which it is answered."""
        return msgspec.convert(msgspec.to_builtins(self), Profile)


class CatalogueFile(_Entry, frozen=True, kw_only=True):
    """A catalogue as it stands in a file."""

    format: Annotated[int, Meta(ge=1, le=1)] = 1
    licenses: tuple[LicenseEntry, ...] = ()
    models: tuple[CatalogueEntry, ...] = ()
    profiles: tuple[ProfileEntry, ...] = ()
    remove: tuple[ModelId, ...] = ()
    """Models of the built-in catalogue that are not to be offered; profiles that name them go too."""
