"""Where a magic was run: its notebook and its cell, which are kept with the answer, and its kernel.

By the id of the kernel the server knows whether the notebook was renamed since it was opened.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ..client.this_kernel import kernel_of
from ..contract.generation import Origin

_NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""Jupyter's server puts the path of a session's document there; consoles and editors something of theirs."""
_ROOT_VARIABLE = "JUPYTER_LOCALCODER_ROOT"
_MOST_PATH_CHARS = 4096
_MOST_ID_CHARS = 256


def origin_of(shell: InteractiveShell) -> Origin:
    """What is known of it; all of it is empty in a terminal."""
    return Origin(
        notebook=_notebook()[:_MOST_PATH_CHARS],
        cell=_cell(shell)[:_MOST_ID_CHARS],
        kernel=_kernel(shell),
    )


def _notebook() -> str:
    """The path as the browser has it, which is relative to the folder that the server serves."""
    name = os.environ.get(_NOTEBOOK_VARIABLE, "")
    root = os.environ.get(_ROOT_VARIABLE, "")
    if not name.endswith(".ipynb"):
        return ""
    path = Path(name)
    if root and path.is_absolute() and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.as_posix()


def _cell(shell: InteractiveShell) -> str:
    """JupyterLab names the cell in the message that runs it."""
    parent: Any = getattr(shell, "get_parent", dict)()
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    cell = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell if isinstance(cell, str) else ""


def _kernel(shell: InteractiveShell) -> str:
    return kernel_of(getattr(getattr(shell, "kernel", None), "parent", None))[:_MOST_ID_CHARS]
