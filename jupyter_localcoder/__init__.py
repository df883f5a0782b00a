"""A coding assistant for Jupyter notebooks that runs wholly on your own machine.

Importing this package imports nothing heavy: the server extension, the magics and the command line
each load what they need when they start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .widgets import ModelManager

__all__ = ["ModelManager", "__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    """Import the widget when it is asked for: who does not, does not pay for ipywidgets."""
    if name == "ModelManager":
        from .widgets import ModelManager

        return ModelManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.app import LocalCoderApp

    return [{"module": "jupyter_localcoder", "app": LocalCoderApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-localcoder"}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: ``%load_ext jupyter_localcoder``.

    Parameters
    ----------
    shell
        The IPython shell that gets the magics.
    """
    from .magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove the magics and close their client: ``%unload_ext jupyter_localcoder``.

    Parameters
    ----------
    shell
        The IPython shell that has the magics.
    """
    from .magics import unregister

    unregister(shell)
