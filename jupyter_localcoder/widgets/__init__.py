"""The model manager as a widget in a cell: wherever ipywidgets are shown, also outside of JupyterLab.

`controller` knows what the service says and asks it for what a person wants; it holds all state in traits
and knows nothing of widgets. `manager` and the modules that it puts together show these traits and hand on
what is pressed; they know nothing of the service. `known`, `actions`, `words` and `markup` are pure.
"""

from __future__ import annotations

from .manager import ModelManager

__all__ = ["ModelManager"]
