"""What is asked before something that cannot be taken back: a licence, a deletion; and where to export to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..contract.models import License, ModelInfo
from ..contract.words import MANAGER, filled
from ..text.units import size
from . import markup
from .parts import button, column, label, row, text_field

Do = Callable[[], None]


def ask_license(info: ModelInfo, license: License, accept: Do, answered: Do) -> Any:
    """Show the licence, whole, before the first byte."""
    said = filled(MANAGER["license-question"], info.name, size(info.size_bytes), license.name)
    return column(
        (
            label(markup.lines(said) + _origins(info) + markup.license_box(license)),
            row(
                button(MANAGER["accept"], _then(accept, answered), about=info.name, style="primary"),
                button(MANAGER["decline"], answered, about=info.name),
            ),
        )
    )


def _origins(info: ModelInfo) -> str:
    if not info.origins:
        return ""
    items = "".join(f"<li>{markup.safe(origin)}</li>" for origin in info.origins)
    digest = filled(MANAGER["expected-digest"], info.digest)
    return markup.lines(MANAGER["origins"]) + f"<ol>{items}</ol>" + markup.lines(digest)


def ask_delete(info: ModelInfo, delete: Do, answered: Do) -> Any:
    """Ask whether a model is to be removed, and say what that removes."""
    said = [
        filled(MANAGER["delete-question"], info.name),
        MANAGER["link-removed" if info.linked else "file-deleted"],
        MANAGER["unloaded-first"] if info.loaded else "",
    ]
    return column(
        (
            label(markup.lines(" ".join(filter(None, said)))),
            row(
                button("Keep it", answered, about=info.name),
                button(MANAGER["delete"], _then(delete, answered), about=info.name, style="danger"),
            ),
        )
    )


def ask_export(info: ModelInfo, export: Callable[[str], None], answered: Do) -> Any:
    """Ask for the folder that a bundle is written into."""
    path = text_field("Export to", "a folder, for example /media/stick")

    def write() -> None:
        if path.value.strip():
            export(path.value.strip())
            answered()

    said = (
        "Folder on the machine that runs the assistant. The model is written there with its licence and "
        "digests."
    )
    return column(
        (
            path,
            label(markup.dim(said)),
            row(
                button(MANAGER["export"], write, about=info.name, style="primary"),
                button("Cancel", answered, about=f"export of {info.name}"),
            ),
        )
    )


def _then(first: Do, second: Do) -> Do:
    def both() -> None:
        second()
        first()

    return both
