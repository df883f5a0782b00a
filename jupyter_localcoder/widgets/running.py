"""How models run: the air gap, what computes, how long a model stays, how long its context is."""

from __future__ import annotations

from typing import Any

from ..contract.settings import CompletionSeconds, ContextWindow, IdleMinutes, limits_of
from ..contract.words import ACCELERATIONS, RUN_MODES, SETTINGS, SETTINGS_HELP
from . import markup, words
from .controller import Controller
from .parts import Field, LabelledChoice, column, number, switch, whole_number

_ACCELERATIONS: list[tuple[str, str]] = [(word, value) for value, word in ACCELERATIONS.items()]
_RUN_MODES: list[tuple[str, str]] = [(word, value) for value, word in RUN_MODES.items()]


class Running:
    """Shows and changes these settings."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._choices = {
            "acceleration": (
                LabelledChoice(SETTINGS["acceleration"], self._teller("acceleration")),
                _ACCELERATIONS,
            ),
            "run_mode": (LabelledChoice(SETTINGS["run_mode"], self._teller("run_mode")), _RUN_MODES),
        }
        self._fields: dict[str, Field] = {
            "air_gap": switch(SETTINGS["air_gap"], self._teller("air_gap")),
            "context_window": whole_number(
                SETTINGS["context_window"], *limits_of(ContextWindow), self._teller("context_window")
            ),
            "keep_resident": switch(SETTINGS["keep_resident"], self._teller("keep_resident")),
            "idle_minutes": number(
                SETTINGS["idle_minutes"], *limits_of(IdleMinutes), self._teller("idle_minutes")
            ),
            "completion_timeout_seconds": number(
                SETTINGS["completion_timeout_seconds"],
                *limits_of(CompletionSeconds),
                self._teller("completion_timeout_seconds"),
            ),
            "prewarm": switch(SETTINGS["prewarm"], self._teller("prewarm")),
        }
        order = ("air_gap", "acceleration", "run_mode", "context_window", "keep_resident", "idle_minutes",
                 "completion_timeout_seconds", "prewarm")  # fmt: skip
        boxes = {name: choice.box for name, (choice, _) in self._choices.items()}
        boxes |= {name: field.box for name, field in self._fields.items()}
        self.box = column([boxes[name] for name in order])
        self.show()

    def show(self) -> None:
        """Show what is in force now."""
        view = self._controller.settings
        if view is None:
            return
        for name, (choice, options) in self._choices.items():
            fixed = words.fixed_text(view, name)
            choice.offer(options, getattr(view.settings, name), help=markup.dim(fixed), disabled=bool(fixed))
        for name, field in self._fields.items():
            fixed = words.fixed_text(view, name)
            idle = name == "idle_minutes" and view.settings.keep_resident
            field.show(
                getattr(view.settings, name),
                help=markup.dim(fixed or SETTINGS_HELP[name]),
                disabled=bool(fixed) or idle,
            )

    def _teller(self, name: str) -> Any:
        return lambda value: self._controller.change(**{name: value})
