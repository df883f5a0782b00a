"""The widget: puts the parts together, and shows each what of the controller's traits concerns it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ..client import Client, connect
from ..contract.words import MANAGER, filled
from . import markup
from .card import Card
from .controller import GENERAL, Controller
from .head import LoadedModelView
from .importing import ImportForm
from .notes import Notes
from .parts import Fold, close, column, label
from .plain import summary
from .pulse import Pulse
from .running import Running

Made = Callable[[], Client]


class ModelManager(ipywidgets.VBox):  # type: ignore[misc]
    """Look after the models from a cell: download, load, unload, import, export, delete, choose.

    Parameters
    ----------
    client
        Reaches the service. Default: the one of the magics where they are loaded, else `client.connect`.

    Examples
    --------
    >>> from jupyter_localcoder import ModelManager
    >>> ModelManager()

    """

    def __init__(self, client: Client | None = None, *, controller: Controller | None = None) -> None:
        self._own: Client | None = None
        self.controller = controller or Controller(
            (lambda: client) if client is not None else _client_of_magics() or self._connected
        )
        self._spoken = label()
        self._notes = column()
        self._said = label()
        self._head = LoadedModelView(self.controller)
        self._general = Notes(self.controller, GENERAL, self._head.focus)
        self._cards: dict[str, Card] = {}
        self._models = column()
        self._folder = label()
        self._importing = ImportForm(self.controller)
        self._running: Running | None = None
        importing = Fold(MANAGER["import-file"], lambda: self._importing.box)
        running = Fold(MANAGER["model-settings"], self._make_running)
        self._import_fold = importing
        super().__init__(
            (
                label(markup.STYLE),
                self._spoken,
                self._notes,
                self._head.box,
                label(markup.heading(MANAGER["models"])),
                self._models,
                self._folder,
                importing.button,
                importing.box,
                running.button,
                running.box,
            )
        )
        self.add_class("localcoder-manager")
        self._pulse = Pulse(self.controller.refresh, lambda: self.controller.interval_seconds)
        self._bound: list[tuple[Callable[[Any], None], list[str]]] = [
            (self._show, ["moment"]),
            (self._show_notes, ["notes", "trouble", "moment"]),
            (self._show_busy, ["busy"]),
            (self._show_spoken, ["spoken"]),
        ]
        for show, names in self._bound:
            self.controller.observe(show, names)
        self._show()
        self._show_notes()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and as text what it shows, for where no widget is."""
        self.controller.refresh()
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = summary(self.controller)
        if getattr(_shell(), "kernel", None) is not None:  # a terminal shows the text, and that once
            self._pulse.start()
        return bundle

    def close(self) -> None:
        """Take it off all pages, and ask the service no more."""
        bound, self._bound = getattr(self, "_bound", []), []
        for show, names in bound:
            self.controller.unobserve(show, names)
        if bound:
            self._pulse.stop()
            for child in (*self.children, self._said):
                close(child)
            if self._own is not None:
                self._own.close()
        super().close()

    def _connected(self) -> Client:
        if self._own is None:
            shell = _shell()
            self._own = connect(config=shell.config if shell is not None else None)
        return self._own

    def _make_running(self) -> Any:
        self._running = Running(self.controller)
        return self._running.box

    def _show(self, _change: Any = None) -> None:
        controller = self.controller
        if controller.listed is None:
            return
        self._head.show()
        if self._running is not None:
            self._running.show()
        before, self._cards = self._cards, {}
        for known in controller.known:
            card = before.get(known.info.id)
            if card is None:
                card = Card(controller, known, self._import_fold.button.focus)
            else:
                card.show(known)
            self._cards[known.info.id] = card
        boxes = tuple(card.box for card in self._cards.values())
        if boxes != tuple(self._models.children):
            self._models.children = boxes
        self._importing.show()
        if controller.imports and not self._import_fold.is_open:
            self._import_fold.toggle()
        self._folder.value = markup.dim(filled(MANAGER["folder"], controller.listed.models_dir))

    def _show_notes(self, _change: Any = None) -> None:
        controller = self.controller
        shown = []
        if controller.trouble:
            self._said.value = markup.note("error", controller.trouble)
            shown.append(self._said)
        elif controller.listed is None:
            self._said.value = markup.lines("Loading the list of models.")
            shown.append(self._said)
        if (note := self._general.shown()) is not None:
            shown.append(note)
        self._notes.children = tuple(shown)
        self._importing.show()
        for card in self._cards.values():
            card.show_note()

    def _show_busy(self, _change: Any) -> None:
        self._pulse.soon()

    def _show_spoken(self, change: Any) -> None:
        self._spoken.value = markup.spoken(change["new"])


def _client_of_magics() -> Made | None:
    """The client of the magics: a second one in this process could mean a second worker."""
    shell = _shell()
    magics = shell.magics_manager.registry.get("CodingMagics") if shell is not None else None
    link = getattr(magics, "link", None)
    client: Made | None = getattr(link, "client", None)
    return client


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
