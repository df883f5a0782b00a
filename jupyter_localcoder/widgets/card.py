"""One model in the manager."""

from __future__ import annotations

from typing import Any

import ipywidgets

from . import markup, words
from .actions import FETCHING, LABELS, STOPPING, Action, actions_of
from .controller import Controller, Note
from .known import KnownModel
from .parts import Fold, button, label, row
from .questions import ask_delete, ask_export, ask_license

_WAY_ON: frozenset[Action] = frozenset({"download", "load", "retry"})


class Card:
    """Shows one model, and hands on what is pressed.

    Questions (the licence, where to export to, whether to delete) are asked in the card itself: not every
    front end has dialogs.
    """

    def __init__(self, controller: Controller, model: KnownModel) -> None:
        self._controller = controller
        self.model = model
        self._head = label()
        self._progress = label()
        self._note: Any = None
        self._question: Any = None
        self._buttons: dict[Action, Any] = {}
        self._first = row()
        self._more = row()
        self._rows = label()
        self._details = Fold("Details", self._make_details, about=model.info.name)
        self.box = ipywidgets.VBox()
        self.box.add_class("localcoder-card")
        self.show(model)

    def show(self, model: KnownModel) -> None:
        """Show the model as it is now."""
        controller = self._controller
        self.model = model
        info = model.info
        memory = controller.listed.memory if controller.listed else None
        license = controller.license_of(info)
        self._head.value = markup.card_head(model, license, memory)
        if model.progress is not None:
            self._progress.value = markup.progress(model.progress, f"Progress of {info.name}")
        first, more = actions_of(model)
        _set(self._first, (*(self._button(action) for action in first), self._details.button))
        _set(self._more, tuple(map(self._button, more)))
        self._rows.value = (
            markup.rows(words.detail_rows(model, license))
            + markup.heading("Memory", 5)
            + markup.rows(words.fit_rows(info.fit, memory))
        )
        if model.under_way:
            self._question = None
        self.show_note()

    def show_note(self) -> None:
        """Show what came of the last thing that was asked for, and which buttons can be pressed."""
        controller, info = self._controller, self.model.info
        note = controller.notes.get(info.id)
        if note is None:
            self._note = None
        elif self._note is None or self._note[0] != note:
            self._note = (note, make_note(controller, info.id, note))
        for action, pressed in self._buttons.items():
            pressed.disabled = info.id in controller.busy and action not in STOPPING
        shown = (
            self._head,
            self._progress if self.model.progress is not None else None,
            self._note[1] if self._note else None,
            self._question,
            self._first,
            self._details.box,
        )
        _set(self.box, tuple(part for part in shown if part is not None))

    def press(self, action: Action) -> None:
        """Do what a button stands for."""
        controller, info = self._controller, self.model.info
        if action in FETCHING:
            self._fetch(update=action == "update")
        elif action == "export":
            self._ask(ask_export(info, lambda path: controller.export(info.id, path), self._answered))
        elif action == "delete":
            self._ask(ask_delete(info, lambda: controller.delete(info.id, force=info.loaded), self._answered))
        elif action in ("pause", "stop", "discard"):
            controller.stop(info.id, discard=action == "discard")
        elif action == "load":
            controller.load(info.id)
        elif action == "unload":
            controller.unload()
        elif action == "verify":
            controller.verify(info.id)
        elif action in ("pin", "unpin"):
            controller.pin(info.id, pinned=action == "pin")
        else:
            controller.change(**{"model" if action == "use-code" else "general_model": info.id})

    def _fetch(self, *, update: bool) -> None:
        controller, info = self._controller, self.model.info
        license = controller.consent_of(info)
        if license is None:
            controller.download(info.id, update=update)
            return
        accepted = license.sha256
        self._ask(
            ask_license(
                info,
                license,
                lambda: controller.download(info.id, accepted, update=update),
                self._answered,
            )
        )

    def _ask(self, question: Any) -> None:
        with self._controller.changing:
            self._question = question
            self.show_note()

    def _answered(self) -> None:
        self._ask(None)

    def _button(self, action: Action) -> Any:
        # Kept, so that the one that has the focus stays the same while others come and go.
        if action not in self._buttons:
            wanted = action == "resume" or (action in _WAY_ON and self.model.for_code)
            style = "danger" if action == "delete" else "primary" if wanted else ""

            def press() -> None:
                self.press(action)

            self._buttons[action] = button(LABELS[action], press, about=self.model.info.name, style=style)
        return self._buttons[action]

    def _make_details(self) -> Any:
        return ipywidgets.VBox((self._rows, self._more))


def make_note(controller: Controller, model: str, note: Note) -> Any:
    """What came of something, with the buttons that go on from there."""
    name = controller.name_of(model)
    buttons = [button("Dismiss", lambda: controller.dismiss(model), about=name)]
    if note.can_force:
        buttons.insert(0, button("Load anyway", lambda: controller.load(model, force=True), about=name))
    return ipywidgets.VBox((label(markup.note(note.severity, note.message, note.recovery)), row(*buttons)))


def _set(box: Any, children: tuple[Any, ...]) -> None:
    if tuple(box.children) != children:
        box.children = children
