"""JupyterLab whose worker says what a test wrote into a file: ``{"says": "text", "ends": true}``.

Everything else is real: the page, the server, the service, the supervisor, the pipes and the process.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jupyterlab.labapp import main

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine import process
from tests.support.scripted_worker import Scripted

_ROOT = Path(__file__).parents[2]


class Answering(Scripted):
    """A scripted worker that reads its script anew for every request."""

    def __init__(self, answers: Path) -> None:
        super().__init__("says")
        self._answers = answers

    def take(self, frame: wire.ToWorker) -> None:
        if isinstance(frame, wire.GenerateFrame):
            self.says(frame, **json.loads(self._answers.read_text()))
        else:
            super().take(frame)


def _command() -> list[str]:
    answers = os.environ["TEST_ANSWERS_FILE"]
    code = (
        f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from pathlib import Path; "
        "from tests.support.lab_of_answers import Answering; "
        f"Answering(Path({answers!r})).run()"
    )
    return [sys.executable, "-c", code]


if __name__ == "__main__":
    process.worker_command = _command
    sys.exit(main())
