"""Changes a file again and again, and prints each change once it is kept; for a process of its own.

python -m tests.support.json_writer FILE PREFIX WRITERS COUNT
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from jupyter_localcoder.storage.json_file import JsonFile


def main(path: str, prefix: str, writers: int, count: int) -> None:
    """Let some threads make so many changes each, through one object, as the threads of a server do."""
    file = JsonFile(Path(path), what="The changes")

    def write(writer: int) -> None:
        for number in range(count):
            change = f"{prefix}{writer}-{number}"
            with file.change() as document:
                document.setdefault("changes", []).append(change)
            os.write(1, f"{change}\n".encode())

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
