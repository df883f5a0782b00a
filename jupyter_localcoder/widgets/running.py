"""How models run: the air gap, what computes, how long a model stays, how long its context is."""

from __future__ import annotations

from typing import Any

from . import markup, words
from .controller import Controller
from .parts import Field, LabelledChoice, column, number, switch, whole_number

_HELP = {
    "air_gap": "Open no connection to another machine: no download, no remote provider."
    " Import models from files.",
    "context_window": "0 takes the one of the profile. More costs memory.",
    "keep_resident": "It is never unloaded by itself.",
    "idle_minutes": "0 never unloads.",
    "completion_timeout_seconds": "What came by then is shown; the model goes on to the next.",
    "prewarm": "The first completion comes at once; memory is taken earlier.",
}
_ACCELERATIONS = [("Automatic", "auto"), ("GPU", "gpu"), ("CPU only", "cpu")]
_RUN_MODES = [("Performance", "performance"), ("Stability: less memory, CPU", "stability")]


class Running:
    """Shows and changes these settings."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._choices = {
            "acceleration": (LabelledChoice("Computed by", self._teller("acceleration")), _ACCELERATIONS),
            "run_mode": (LabelledChoice("Run mode", self._teller("run_mode")), _RUN_MODES),
        }
        self._fields: dict[str, Field] = {
            "air_gap": switch("Air gap", self._teller("air_gap")),
            "context_window": whole_number(
                "Context window (tokens)", 0, 1_048_576, self._teller("context_window")
            ),
            "keep_resident": switch("Keep the model in memory", self._teller("keep_resident")),
            "idle_minutes": number("Unload after minutes of rest", 0, 10_080, self._teller("idle_minutes")),
            "completion_timeout_seconds": number(
                "End a completion after seconds", 0.1, 3600, self._teller("completion_timeout_seconds")
            ),
            "prewarm": switch("Load the model when a notebook is opened", self._teller("prewarm")),
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
                help=markup.dim(fixed or _HELP[name]),
                disabled=bool(fixed) or idle,
            )

    def _teller(self, name: str) -> Any:
        return lambda value: self._controller.change(**{name: value})
