"""JupyterLab, with Notebook 7, and a worker that follows rules; ``FOLDER`` is the first argument.

Everything is the product but the process that would compute: see `tests.support.ghost_worker`.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from jupyterlab.labapp import main

from jupyter_localcoder import composition
from jupyter_localcoder.engine.process import WorkerProcess
from jupyter_localcoder.engine.worker_link import Spawn
from tests.support import workers

SCRIPT = Path(workers.__file__).with_name("ghost_worker.py")


def scripted(folder: str) -> Spawn:
    """Starts workers that follow the rules in a folder."""
    return functools.partial(
        WorkerProcess.spawn,
        command=[sys.executable, str(SCRIPT), folder],
        environment=workers.environment(),
    )


if __name__ == "__main__":
    spawn = scripted(sys.argv.pop(1))
    composition.build_service = functools.partial(composition.build_service, spawn=spawn)
    # Each restart is awaited by somebody.
    sys.argv.append("--Supervisor.backoff_first_seconds=0.1")
    main()
