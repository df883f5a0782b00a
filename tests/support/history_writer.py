"""Keeps answers one after the other, and prints the id of each once it is kept; for a process of its own.

python history_writer.py FOLDER PREFIX COUNT [PAUSE]

Before answer number PAUSE it waits for a line, if it is given one to wait for.
"""

from __future__ import annotations

import sys

from jupyter_localcoder.history import HistoryStore
from tests.support.responses import response


def main(folder: str, prefix: str, count: int, pause: int | None = None) -> None:
    store = HistoryStore(history_dir=folder)
    for number in range(count):
        if number == pause:
            sys.stdin.readline()
        one = response(
            prompt_id=f"p{number % 5}",
            prompt=f"word{prefix}x{number}",
            content="An answer of some length. " * 40,
            conversation_id=prefix * 16,
        )
        store.keep(one)
        print(one.id, flush=True)
        if number % 50 == 49:
            store.delete(one.id)
            print(f"-{one.id}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
