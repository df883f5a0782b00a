"""An address at which a connection is neither taken nor refused: who connects waits."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

_MOST = 64


@contextlib.contextmanager
def deaf_address() -> Iterator[str]:
    """Give ``host:port`` of a server whose queue of connections is full, and stays so."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(_MOST):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.5)
            try:
                waiting.connect(listener.getsockname())
            except OSError:
                break  # as everybody who comes now
        else:
            raise AssertionError("the queue does not fill up")
        yield f"127.0.0.1:{listener.getsockname()[1]}"
