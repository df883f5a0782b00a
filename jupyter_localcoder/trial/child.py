"""The process of a copy: ``python -m jupyter_localcoder.trial.child FOLDER WALL``.

It reads ``job.json`` in its folder, isolates itself, and writes ``report.json``. Its standard input is a
lifeline: when it ends, the process ends, so that a kernel that dies leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import msgspec

from . import isolation
from .report import Job

NO_NAMESPACES = 75
"""Exit status: the system does not permit namespaces. Nothing was run."""
JOB, REPORT, WORK, VALUES = "job.json", "report.json", "work", "values"


def main() -> None:
    """Do the job."""
    own = Path(sys.argv[1])
    job = msgspec.json.decode((own / JOB).read_bytes(), type=Job)
    wall = "namespace" if sys.argv[2] == "namespace" else "guard"
    if wall == "namespace":
        if not isolation.leave_system(own):
            sys.exit(NO_NAMESPACES)
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            # All processes of the namespace have ended with its first one.
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
        isolation.drop_privileges()
    _end_with_lifeline()
    os.chdir(own / WORK)
    _prepare_path(job)
    guard = isolation.AuditHook(own, "namespace" if wall == "namespace" else "guard")
    report: msgspec.Struct
    if job.inputs:
        from .running import run

        report = run(job, own, guard)
    else:
        from .comparing import compare_runs

        isolation.limit_resources(job.limits)
        report = compare_runs([Path(folder) for folder in job.runs])
    temporary = own / f"{REPORT}.new"
    temporary.write_bytes(msgspec.json.encode(report))
    temporary.replace(own / REPORT)
    # Threads and exit handlers of the code are not waited for.
    os._exit(0)


def _end_with_lifeline() -> None:
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)

    def wait() -> None:
        while os.read(lifeline, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _prepare_path(job: Job) -> None:
    """Import from where the kernel imports; this package stays importable."""
    own = str(Path(__file__).resolve().parents[2])
    sys.path[:] = [*job.path, *([] if own in job.path else [own])]


if __name__ == "__main__":
    main()
