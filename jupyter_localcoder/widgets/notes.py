"""What came of something that was asked for, with the buttons that go on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import markup
from .controller import Controller, ControllerNote
from .parts import button, column, label, row


class Notes:
    """The note of one place: of a model, of a form, or of the manager as a whole.

    Parameters
    ----------
    place
        Its key in `Controller.notes`.
    back
        Takes the focus from a button that goes with its note.

    """

    def __init__(self, controller: Controller, place: str, back: Callable[[], None]) -> None:
        self._controller = controller
        self._place = place
        self._back = back
        self._made: tuple[ControllerNote, Any] | None = None

    def shown(self) -> Any:
        """The widget of the note that there is now; None where there is none."""
        note = self._controller.notes.get(self._place)
        if note is None:
            self._made = None
        elif self._made is None or self._made[0] != note:
            self._made = (note, self._create_note(note))
        return self._made[1] if self._made else None

    def _create_note(self, note: ControllerNote) -> Any:
        controller, place = self._controller, self._place
        name = controller.name_of(place)
        buttons = [button("Dismiss", self._then(lambda: controller.dismiss(place)), about=name)]
        if note.can_force:
            force = self._then(lambda: controller.load(place, force=True))
            buttons.insert(0, button("Load anyway", force, about=name))
        said = label(markup.note(note.severity, note.message, note.recovery))
        return column((said, row(*buttons)))

    def _then(self, do: Callable[[], None]) -> Callable[[], None]:
        def press() -> None:
            self._back()
            do()

        return press
