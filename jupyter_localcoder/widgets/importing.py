"""Take a file or a bundle of the machine that runs the assistant into the model folder."""

from __future__ import annotations

from typing import Any

from ..contract.words import MANAGER, filled
from . import markup
from .controller import IMPORT, Controller
from .known import ModelProgress
from .notes import Notes
from .parts import Slot, button, checkbox, column, label, row, text_field


class ImportForm:
    """The form, and what is being imported."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.path = text_field(MANAGER["path"], "/path/on/the/machine/that/runs/the/assistant")
        self.name = text_field(MANAGER["name"], "letters, digits, dots, dashes and underscores")
        self.link = checkbox(MANAGER["link"])
        self.submit = button(MANAGER["import"], self._submit, about="a model from a file", style="primary")
        self._shown: dict[str, tuple[Any, Any]] = {}
        self._under_way = column()
        self._notes = Notes(controller, IMPORT, self.submit.focus)
        self._beside_path, self._beside_name, self._below = Slot(), Slot(), Slot()
        self.box = column(
            (
                self.path,
                self._beside_path.box,
                self.name,
                self._beside_name.box,
                self.link,
                self.submit,
                self._below.box,
                self._under_way,
            )
        )
        self.show()

    def show(self) -> None:
        """Show what is being imported, and beside its field what is wrong with what was entered."""
        controller = self._controller
        note = controller.notes.get(IMPORT)
        shown = self._notes.shown()
        place = self._below
        if note is not None and note.severity == "error":
            place = self._beside_name if note.field == "id" else self._beside_path
        for slot in (self._beside_path, self._beside_name, self._below):
            slot.show(shown if slot is place else None)
        self._shown = {id_: self._part(id_) for id_, _ in controller.imports}
        for id_, progress in controller.imports:
            self._fill(self._shown[id_][0], id_, progress)
        boxes = tuple(box for _, box in self._shown.values())
        if boxes != tuple(self._under_way.children):
            self._under_way.children = boxes

    def _part(self, id_: str) -> tuple[Any, Any]:
        if id_ in self._shown:
            return self._shown[id_]
        said = label()
        stop = button(MANAGER["stop-import"], lambda: self._stop(id_), about=id_)
        return said, column((said, row(stop)))

    def _fill(self, said: Any, id_: str, progress: ModelProgress) -> None:
        said.value = markup.progress(progress, filled(MANAGER["import-of"], id_))

    def _stop(self, id_: str) -> None:
        self.submit.focus()
        self._controller.stop(id_)

    def _submit(self) -> None:
        if IMPORT in self._controller.busy:
            return  # A button that cannot be pressed would lose the focus.
        self._controller.import_file(self.path.value.strip(), self.name.value.strip(), link=self.link.value)
