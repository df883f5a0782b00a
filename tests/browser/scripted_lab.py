"""JupyterLab, with Notebook 7, and a worker that follows rules; ``FOLDER`` is the first argument.

Everything is the product but the process that would compute: see `tests.support.ghost_worker`.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from jupyterlab.labapp import main

from jupyter_localcoder import composition
from jupyter_localcoder.engine.pool import WorkerPool
from jupyter_localcoder.engine.process import WorkerProcess
from tests.support import workers

SCRIPT = Path(workers.__file__).with_name("ghost_worker.py")


def scripted(folder: str) -> functools.partial[WorkerPool]:
    """A `WorkerPool` whose workers follow the rules in a folder."""
    spawn = functools.partial(
        WorkerProcess.spawn,
        command=[sys.executable, str(SCRIPT), folder],
        environment=workers.environment(),
    )
    return functools.partial(WorkerPool, spawn=spawn)


if __name__ == "__main__":
    composition.WorkerPool = scripted(sys.argv.pop(1))  # type: ignore[assignment, misc]
    # Each restart is awaited by somebody.
    sys.argv.append("--Supervisor.backoff_first_seconds=0.1")
    main()
