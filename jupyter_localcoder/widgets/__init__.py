"""The model manager as a widget in a cell: wherever ipywidgets are shown, also outside of JupyterLab.

`controller` knows what the service says and asks it for what a person wants; it holds all state in traits
and knows nothing of widgets. `manager` and the modules that it puts together show these traits and hand on
what is pressed; they know nothing of the service. `known`, `actions`, `words` and `markup` are pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import PackageMissing
from ..machine.optional_packages import IPYWIDGETS, has_module

if TYPE_CHECKING:
    from .manager import ModelManager

__all__ = ["ModelManager"]


def __getattr__(name: str) -> Any:
    """Import ipywidgets when a widget is asked for: the manager as text does without."""
    if name != "ModelManager":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not has_module(IPYWIDGETS):
        raise PackageMissing.of("widgets")
    from .manager import ModelManager

    return ModelManager
