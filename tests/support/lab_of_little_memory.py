"""JupyterLab on a machine whose free memory a test decides: the number in a file, while there is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jupyterlab.labapp import main

from jupyter_localcoder.models import memory

_real = memory.available


def _available(root: Path = Path("/")) -> tuple[int, int]:
    free, total = _real(root)
    try:
        return int(Path(os.environ["TEST_FREE_MEMORY_FILE"]).read_text()), total
    except FileNotFoundError:
        return free, total


memory.available = _available

if __name__ == "__main__":
    sys.exit(main())
