"""Which kernel this process is, as its server knows it.

The server divides what is limited among its kernels, which all have one token. A process that is no kernel of
IPython has no id, and neither has a command that a cell starts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

KERNEL_HEADER = "Localcoder-Kernel"
_CONNECTION_FILE = re.compile(r"kernel-([!-~]+)\.json")


def this_kernel() -> str:
    """The id of the kernel in this process; empty where there is none."""
    # Who runs in a kernel has its module: nothing is imported for the others.
    app: Any = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
    return kernel_of(app.instance()) if app is not None and app.initialized() else ""


def kernel_of(app: object) -> str:
    """Read it from the kernel's application: Jupyter names the connection file of a kernel by its id."""
    file = getattr(app, "connection_file", None)
    found = _CONNECTION_FILE.fullmatch(Path(file).name) if isinstance(file, str) else None
    return found[1] if found else ""
