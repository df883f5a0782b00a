"""A socket for kernels, where the server's own port hears only who shows a certificate.

A hub with internal TLS makes such servers: they hear the hub and its proxy, whose authorities sign nothing
for a kernel. The socket lies in a folder that only the server's user can open, and serves what the port
serves, behind the same authentication.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer


class LocalSocket:
    """The socket, open from the beginning.

    Parameters
    ----------
    web_app
        What answers there.

    Raises
    ------
    OSError
        It cannot be made: the system has no such sockets, or no place for one.

    """

    def __init__(self, web_app: Any) -> None:
        try:
            from tornado.netutil import bind_unix_socket
        except ImportError:
            raise OSError("this system has no Unix sockets") from None
        # A path in Jupyter's folder could be longer than the system allows a socket's to be.
        self._folder = Path(tempfile.mkdtemp(prefix="localcoder-"))
        self._server = HTTPServer(web_app)
        try:
            self._server.add_socket(bind_unix_socket(self.path, mode=0o600))
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def path(self) -> str:
        """Where it is."""
        return str(self._folder / "socket")

    def close(self) -> None:
        """Hear nobody any more, and leave nothing behind."""
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
