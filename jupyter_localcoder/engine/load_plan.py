"""A model and how to load it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..contract import wire

Role = Literal["code", "general"]
"""What a model is used for."""


@dataclass(frozen=True)
class LoadPlan:
    """A model and how to load it; two equal plans are the same load."""

    model: str
    """Id of the model."""
    digest: str
    quantization: str
    profile: str
    load: wire.LoadFrame
    """Parameters of the worker; its ``id`` is not used."""
    gpu_asked: bool = False
    """Whether the settings ask for a GPU, and not only for what is there."""
    costs: Mapping[int, float] = field(default_factory=dict, compare=False)
    """Seconds of a batch by its tokens, where they were measured before."""
    costs_are_new: bool = field(default=False, compare=False)
    """Whether that was a moment ago."""
    memory_bytes: int = field(default=0, compare=False)
    """Most private memory that the worker may take; 0: no limit."""
    note: str = field(default="", compare=False)
    """What a person should know of this choice; said when it is ready."""
