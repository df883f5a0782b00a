"""Which optional packages are installed in this environment; nothing is imported to find out."""

from __future__ import annotations

import importlib.util

LLAMA_CPP = "llama_cpp"
IPYWIDGETS = "ipywidgets"


def has_module(name: str) -> bool:
    """Whether a top-level module can be found, also one that was installed a moment ago."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # an import hook refuses it, or it was put into `sys.modules` by hand
        return False
