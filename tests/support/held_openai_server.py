"""llama-cpp-python's server, which a file holds: ``python held_openai_server.py FILE OPTIONS…``.

While the file is there, it computes a few tokens of an answer, and no other one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from llama_cpp import Llama
from llama_cpp.server.__main__ import main

_STEPS = 16


def hold(file: Path) -> None:
    """See the top of the file."""
    evaluate, done = Llama.eval, 0

    def held(self: Llama, tokens: Any) -> None:
        nonlocal done
        done = done + 1 if file.exists() else 0
        while done > _STEPS and file.exists():
            time.sleep(0.01)
        evaluate(self, tokens)

    Llama.eval = held


if __name__ == "__main__":
    hold(Path(sys.argv.pop(1)))
    main()
