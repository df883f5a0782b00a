"""What a worker died of: was it memory?

The system's own count of processes that it has killed for want of memory decides where there is one (Linux).
Where there is none, a SIGKILL that nobody owns up to was probably memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import mentions_memory

_SHORT_SHARE = 0.1
"""Programs that kill before the system must do so (earlyoom, systemd-oomd) act at about this share."""

Verdict = Literal["", "said", "killed", "probably"]
"""Empty: it was not memory. said: by the worker itself. killed: the system did it. probably: nobody says."""

SENTENCES: dict[Verdict, str] = {
    "": "",
    "said": "Memory ran out.",
    "killed": "The system killed it because memory ran out.",
    "probably": "Probably memory ran out.",
}


def kills(root: Path = Path("/")) -> int | None:
    """How many processes the system has killed for want of memory since it started; None: it does not say."""
    try:
        lines = (root / "proc/vmstat").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.isdigit():
            return int(count)
    return None


@dataclass(frozen=True)
class CrashEvidence:
    """What was known while the worker lived, to be held against what is found after its death."""

    count: Callable[[], int | None] = kills
    """Answers what `kills` answers."""
    free: Callable[[], tuple[int, int]] = lambda: (0, 0)
    """Answers free and total memory in bytes; 0 and 0 where that is not known."""

    def verdict(
        self, code: int, last_words: str, *, unexplained: bool, kills_before: int | None, held_bytes: int
    ) -> Verdict:
        """Whether memory was the cause.

        Parameters
        ----------
        code
            Exit status; negative: a signal.
        unexplained
            Whether it was a SIGKILL that this process has not sent.
        held_bytes
            Resident memory of the worker when it was last seen.
        """
        if not unexplained:
            return "said" if code != 0 and mentions_memory(last_words) else ""
        after = self.count()
        if kills_before is None or after is None:
            return "probably"
        if after > kills_before:
            return "killed"
        free, total = self.free()
        # What the worker held is free by now.
        return "probably" if total and free - held_bytes < _SHORT_SHARE * total else ""
