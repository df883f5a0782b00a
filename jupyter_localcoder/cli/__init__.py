"""The command line, ``jupyter localcoder …``: parse, ask the client or the model store, print.

One module per subcommand. Nothing here decides what the assistant does: that is behind the client and
the store, which are imported only by the commands that need them, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command of ``sys.argv`` and leave with its exit code."""
    from .run import run

    sys.exit(run(sys.argv[1:]))
