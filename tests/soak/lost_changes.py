"""How many acknowledged changes of one file are lost: ``python -m tests.soak.lost_changes``.

Four writers in two processes change one file of the store 10,000 times between them. Each change was told as
kept when its writer goes on. The limit is that none is missing at the end; the status is 1 where one is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Measured(NamedTuple):
    """What came of it."""

    acknowledged: int
    lost: int
    leftover_files: int
    seconds: float


def measure(folder: Path, *, changes: int, writers: int, processes: int) -> Measured:
    """Let the processes write, and look for what they were told is kept."""
    path = folder / "changes.json"
    each, threads = changes // writers, writers // processes
    began = time.monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.json_writer", path, prefix, str(threads), str(each)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for prefix in "abcdefgh"[:processes]
    ]
    told = [line for process in running for line in process.communicate()[0].split()]
    seconds = time.monotonic() - began
    kept = set(json.loads(path.read_bytes())["changes"])
    leftover = [name for entry in folder.iterdir() if (name := entry.name).startswith(".")]
    return Measured(len(told), len(set(told) - kept), len(leftover), seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.lost_changes", description=__doc__)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="localcoder-changes-") as name:
        found = measure(Path(name), changes=asked.changes, writers=asked.writers, processes=asked.processes)
    print(
        f"{found.lost} of {found.acknowledged} acknowledged changes lost, by {asked.writers} writers in "
        f"{asked.processes} processes ({found.seconds:.1f} s, {found.leftover_files} temporary files left)"
    )
    return 1 if found.lost or found.acknowledged != asked.changes else 0


if __name__ == "__main__":
    sys.exit(main())
