"""Where the bytes of a model come from, in sentences for the person who is about to fetch it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .entries import FileSource, HubSource, PackageIndexSource, Source, UrlSource
from .sources.numbering import numbered


def origins(sources: Sequence[Source]) -> tuple[str, ...]:
    """A sentence for each source, in the order in which they are tried."""
    return tuple(_origin(source) for source in sources)


def _origin(source: Source) -> str:
    if isinstance(source, HubSource):
        where = f"The model hub: `{source.file}` of `{source.repo}`"
        if source.is_fixed:
            return f"{where}, revision {source.revision}."
        return f"{where}, the newest on the branch {source.revision}: only the SHA-256 fixes the content."
    if isinstance(source, PackageIndexSource):
        return (
            f"The Python package index: {_packages(source)}, version {source.version}. They are published by "
            "third parties, not by the makers of the model; they are read as data, never installed or run."
        )
    if isinstance(source, UrlSource):
        return f"The web address {source.url}."
    assert isinstance(source, FileSource)  # noqa: S101 - there is no other kind
    return f"The file {source.path} on this machine."


def _packages(source: PackageIndexSource) -> str:
    first, last = (numbered(source.name, number) for number in (1, source.count))
    return f"the packages `{first}` to `{last}`" if source.count > 1 else f"the package `{first}`"
