"""A real kernel that knows the product, with folders of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import jupyter_localcoder
from tests.support.waiting import PATIENCE_SECONDS


@contextlib.contextmanager
def running_kernel(
    folders: pytest.TempPathFactory, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a kernel; it is ready, and ends with the block.

    Parameters
    ----------
    environment
        More of it for the kernel.
    """
    given = {
        "IPYTHONDIR": str(folders.mktemp("ipython")),
        "JUPYTER_RUNTIME_DIR": str(folders.mktemp("runtime")),
        "PYTHONPATH": str(Path(jupyter_localcoder.__file__).parents[1]),
        **(environment or {}),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE_SECONDS)
            yield manager, client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
