"""The IPython magics: `%load_ext jupyter_localcoder` calls `register`.

Loading them makes no connection and imports no HTTP library: that waits for the first magic.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import cast

from IPython.core.interactiveshell import InteractiveShell

from ..client import Client, connect
from .chatting import ChatMagics
from .coding import CodingMagics
from .failure import Interrupted, MagicFailure
from .link import Link
from .managing import ManagingMagics
from .record import Records

__all__ = ["Interrupted", "MagicFailure", "register", "unregister"]

_CLASSES = (CodingMagics, ChatMagics, ManagingMagics)


def register(shell: InteractiveShell, make_client: Callable[[], Client] | None = None) -> None:
    """Add the magics to a shell; nothing happens if they are there already.

    Parameters
    ----------
    shell
        The IPython shell that gets the magics.
    make_client
        Makes the client when it is first needed. Default: `client.connect` with the shell's configuration.

    """
    if CodingMagics.__name__ in shell.magics_manager.registry:
        return
    link = Link(make_client or (lambda: connect(config=shell.config)))
    records = Records()
    coding = CodingMagics(shell, link, records)
    shell.register_magics(coding)
    shell.register_magics(ChatMagics(shell, link))
    shell.register_magics(ManagingMagics(shell, link, records))
    shell.events.register("post_run_cell", coding.errors.note)
    atexit.register(link.close)


def unregister(shell: InteractiveShell) -> None:
    """Remove the magics and close their client; nothing happens if they are not there.

    Parameters
    ----------
    shell
        The IPython shell that has the magics.
    """
    registry = shell.magics_manager.registry
    coding = cast("CodingMagics | None", registry.get(CodingMagics.__name__))
    if coding is None:
        return
    shell.events.unregister("post_run_cell", coding.errors.note)
    cast("ManagingMagics", registry[ManagingMagics.__name__]).close()
    for magics in _CLASSES:
        registry.pop(magics.__name__, None)
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
    atexit.unregister(coding.link.close)
    coding.link.close()
