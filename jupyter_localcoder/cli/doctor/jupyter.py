"""Doctor: is the extension known to the Jupyter server and to JupyterLab, and does a server run?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jupyter_core.paths import jupyter_config_path, jupyter_path, jupyter_runtime_dir

from .finding import Finding, note, ok

EXTENSION = "jupyter_localcoder"
LABEXTENSION = "jupyter-localcoder"


def findings() -> Iterator[Finding]:
    """Look."""
    yield server_extension(jupyter_config_path())
    yield lab_extension(jupyter_path("labextensions"))
    yield from servers(Path(jupyter_runtime_dir()))


def server_extension(config_path: Sequence[str]) -> Finding:
    """Whether the Jupyter server loads the extension, by its config files."""
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=list(config_path))
    enabled = manager.get_jpserver_extensions().get(EXTENSION)  # type: ignore[no-untyped-call]  # of theirs
    if enabled:
        return ok("Server extension", "enabled")
    return note(
        "Server extension",
        "disabled" if enabled is False else "not registered",
        "The assistant is not available in JupyterLab: run `jupyter server extension enable "
        f"{EXTENSION}`. Magics and the command line work without it.",
    )


def lab_extension(labextensions_path: Sequence[str]) -> Finding:
    """Whether JupyterLab finds the extension, and nobody has switched it off."""
    from jupyterlab_server.config import get_federated_extensions, get_page_config

    if LABEXTENSION not in get_federated_extensions(list(labextensions_path)):
        return note(
            "Lab extension",
            "not installed",
            "Install the package with `pip` (an installation from a clone builds it, with Node).",
        )
    disabled = get_page_config(list(labextensions_path)).get("disabledExtensions", [])
    if LABEXTENSION in disabled:
        return note("Lab extension", "disabled", f"`jupyter labextension enable {LABEXTENSION}`.")
    return ok("Lab extension", "installed and enabled")


def servers(runtime_dir: Path) -> Iterator[Finding]:
    """The running servers of this user that have loaded the extension."""
    from ...client.connection import running

    found = running(runtime_dir)
    for connection in found:
        yield ok("Running server", f"{connection.url} (process {connection.pid})")
    if not found:
        yield ok("Running server", "none", "Start one with `jupyter lab`; magics also work without a server.")
