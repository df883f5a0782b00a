"""The life of the inference worker, as a table.

::

    stopped ──start──▶ starting ──hello──▶ loading ──loaded──▶ ready ⇄ busy
       ▲                  │                   │                  │       │
       │                  └───────crash───────┴──────crash───────┴───────┤
       │                                                                 ▼
       ├──────────────── unloading ◀──unload── (any of them)          backoff ──retry──▶ starting
       │                                                                 │
       └──────────────────────────── reset ◀── failed ◀──give up─────────┘

Everything that decides what may follow what lives here. An illegal move raises and changes nothing.
Each start of a worker begins a new *generation*; what arrives from an older one is void.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.backend import WorkerState

_ENDS: dict[str, WorkerState] = {"crash": "backoff", "unload": "unloading", "give_up": "failed"}

TABLE: dict[WorkerState, dict[str, WorkerState]] = {
    "stopped": {"start": "starting"},
    "starting": {"hello": "loading", **_ENDS},
    "loading": {"loaded": "ready", **_ENDS},
    "ready": {"work": "busy", **_ENDS},
    "busy": {"idle": "ready", **_ENDS},
    "unloading": {"gone": "stopped"},
    "backoff": {"retry": "starting", "unload": "stopped", "give_up": "failed"},
    "failed": {"reset": "stopped"},
}


class IllegalMove(RuntimeError):
    """The table has no such move from this state."""


@dataclass
class WorkerStateMachine:
    """Where the worker is in its life, and how many workers there have been."""

    state: WorkerState = "stopped"
    generation: int = 0

    def move(self, move: str) -> WorkerState:
        """Make a move of the table, and answer the new state.

        Raises
        ------
        IllegalMove
            The table does not have it; nothing is changed.

        """
        try:
            after = TABLE[self.state][move]
        except KeyError:
            raise IllegalMove(f"no move {move!r} from {self.state!r}") from None
        if after == "starting":
            self.generation += 1
        self.state = after
        return after

    def can(self, move: str) -> bool:
        """Whether the table has this move from here."""
        return move in TABLE[self.state]
