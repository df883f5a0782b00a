"""One model in the manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..contract.words import ACTIONS, MANAGER, ModelAction, filled
from . import markup, words
from .actions import ENDING, FETCHING, STOPPING, actions_of
from .controller import Controller
from .known import KnownModel
from .notes import Notes
from .parts import Fold, Slot, button, close, column, label, rename, row
from .questions import ask_delete, ask_export, ask_license

_WAY_ON: frozenset[ModelAction] = frozenset({"download", "load", "retry"})
_ONE_PLACE: dict[ModelAction, ModelAction] = {"unpin": "pin"}
"""Actions that take turns at one button."""


class Card:
    """Shows one model, and hands on what is pressed.

    Questions (the licence, where to export to, whether to delete) are asked in the card itself: not every
    front end has dialogs. They and the notes stand behind the buttons that bring them, where Tab leads.

    Who uses the keyboard keeps their place: the first button is the same one whatever it is called, and
    where a press makes its own button go, the focus goes to the first one at once. Never later: by then
    the person may be anywhere, and a kernel cannot see where.

    Parameters
    ----------
    leave
        Takes the focus elsewhere: the card will go.

    """

    def __init__(
        self, controller: Controller, model: KnownModel, leave: Callable[[], None] = lambda: None
    ) -> None:
        self._controller = controller
        self.model = model
        self._leave = leave
        self._head = label()
        self._progress = label()
        self._progress_slot, self._note_slot, self._question_slot = Slot(), Slot(), Slot()
        self._question: Any = None
        self._action: ModelAction = "load"
        self._primary = button("", lambda: self.press(self._action), about=model.info.name)
        self._notes = Notes(controller, model.info.id, self._primary.focus)
        self._buttons: dict[ModelAction, Any] = {}
        self._placed: dict[ModelAction, ModelAction] = {}
        """What each of them stands for now."""
        self._others = row()
        self._more = row()
        self._rows = label()
        self._details = Fold(MANAGER["details"], self._make_details, about=model.info.name)
        self.box = column(
            (
                self._head,
                self._progress_slot.box,
                row(self._primary, self._others, self._details.button),
                self._note_slot.box,
                self._details.box,
                self._question_slot.box,
            )
        )
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
            self._progress.value = markup.progress(model.progress, filled(MANAGER["progress-of"], info.name))
        (primary, *first), more = actions_of(model)
        self._action = primary
        rename(self._primary, ACTIONS[primary], info.name, style=self._style(primary))
        _set(self._others, tuple(map(self._button, first)))
        _set(self._more, tuple(map(self._button, more)))
        self._rows.value = (
            markup.rows(words.detail_rows(model, license))
            + markup.heading(MANAGER["memory"], 5)
            + markup.rows(words.fit_rows(info.fit, memory))
        )
        if model.under_way:
            self._question = None
        self.show_note()

    def show_note(self) -> None:
        """Show what came of the last thing that was asked for."""
        self._progress_slot.show(self._progress if self.model.progress is not None else None)
        self._note_slot.show(self._notes.shown())
        self._question_slot.show(self._question)

    def press(self, action: ModelAction) -> None:
        """Do what a button stands for."""
        controller, info = self._controller, self.model.info
        if info.id in controller.busy and action not in STOPPING:
            # A button that cannot be pressed would lose the focus, so it is the press that does nothing.
            return
        if action in ENDING:
            self._primary.focus()
        if action in FETCHING:
            self._fetch(update=action == "update")
        elif action == "export":
            question = ask_export(info, lambda path: controller.export(info.id, path), self._answered)
            self._show_question(question, f"Choose below where to export {info.name}.")
        elif action == "delete":
            self._show_question(
                ask_delete(info, self._delete, self._answered),
                f"Confirm below whether to delete {info.name}.",
            )
        elif action in ("pause", "stop", "discard"):
            controller.stop(info.id, discard=action == "discard")
        elif action == "load":
            controller.load(info.id)
        elif action == "unload":
            controller.unload(info.id)
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
        self._show_question(
            ask_license(
                info,
                license,
                lambda: controller.download(info.id, accepted, update=update),
                self._answered,
            ),
            f"The licence of {info.name} is shown below.",
        )

    def _delete(self) -> None:
        info = self.model.info
        if info.origin != "catalogue":
            self._leave()
        self._controller.delete(info.id, force=info.loaded)

    def _show_question(self, question: Any, said: str = "") -> None:
        with self._controller.changing:
            before, self._question = self._question, question
            self._controller.spoken = said
            self.show_note()
            if before is not None:
                close(before)

    def _answered(self) -> None:
        self._primary.focus()
        self._show_question(None)

    def _button(self, action: ModelAction) -> Any:
        # Kept, so that the one that has the focus stays the same while others come and go.
        place = _ONE_PLACE.get(action, action)
        if place not in self._buttons:
            self._buttons[place] = button("", lambda: self.press(self._placed[place]))
        self._placed[place] = action
        rename(self._buttons[place], ACTIONS[action], self.model.info.name, style=self._style(action))
        return self._buttons[place]

    def _style(self, action: ModelAction) -> str:
        if action == "delete":
            return "danger"
        return "primary" if action == "resume" or (action in _WAY_ON and self.model.for_code) else ""

    def _make_details(self) -> Any:
        return column((self._rows, self._more))


def _set(box: Any, children: tuple[Any, ...]) -> None:
    if tuple(box.children) != children:
        box.children = children
