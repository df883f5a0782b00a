"""What the two sides of a trial say to each other, in JSON files of the copy."""

from __future__ import annotations

from typing import Literal

import msgspec

Wall = Literal["namespace", "guard"]
"""`namespace`: the system isolates the process and its children (Linux). `guard`: the interpreter refuses
what leaves the copy; native code is not stopped."""
RefusalKind = Literal["network", "write", "process", "signal"]
RESULT = "the last line"
"""Name under which the value of the last line is compared."""
NEWLY = "newly defined"
LimitKind = Literal["time", "memory", "processes", "disk", "files"]


class TrialLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may use."""

    seconds: float = 30.0
    """Wall time, without the start of the process and the copying of inputs."""
    memory_bytes: int = 2_000_000_000
    """Memory beyond that of the inputs, of all processes of the run together."""
    copied_bytes: int = 256_000_000
    """Inputs, and results that are compared."""
    processes: int = 64
    disk_bytes: int = 1_000_000_000
    """Of all files that the run writes into its folder."""
    open_files: int = 512
    output_chars: int = 1_000_000


class CopiedValue(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value is in the file of values."""

    name: str
    offset: int = 0
    size: int = 0
    """In bytes; 0 if it could not be copied."""
    type: str = ""
    reason: str = ""
    """Why it could not be copied."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do."""

    limits: TrialLimits
    code: str = ""
    inputs: str = ""
    """Path of the folder with the inputs. Empty: compare the results in ``runs``."""
    watched: tuple[str, ...] = ()
    """Names of inputs whose values are compared, also if the code does not bind them again."""
    path: tuple[str, ...] = ()
    """`sys.path` of the kernel."""
    runs: tuple[str, ...] = ()
    """Folders of runs: the old code, the new code, and optionally the old code again."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An exception of the code."""

    type: str
    message: str = ""
    line: int = 0
    """Line of the cell; 0 if it is not known."""
    traceback: str = ""
    name: str = ""
    """The name that a `NameError` is about."""

    @property
    def sentence(self) -> str:
        """Type, message and line."""
        head = self.message.strip().split("\n")[0][:200]
        where = f" (line {self.line})" if self.line else ""
        return f"{self.type}: {head}{where}" if head else f"{self.type}{where}"


class DeniedAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the copy does not permit."""

    kind: RefusalKind
    what: str = ""
    fatal: bool = False
    """Whether the code failed because of it."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    failure: Failure | None = None
    limit: LimitKind | None = None
    """The limit that ended the run."""
    crash: str = ""
    """How the process ended if it did not report anything."""
    seconds: float = 0.0
    peak_bytes: int = 0
    """Growth of the memory during the run."""
    output: str = ""
    displays: tuple[str, ...] = ()
    """Plain text of displayed objects and of the value of the last line."""
    values: tuple[CopiedValue, ...] = ()
    bound: tuple[str, ...] = ()
    """Names that the code has bound."""
    refusals: tuple[DeniedAccess, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the code ran to its end."""
        return self.failure is None and self.limit is None and not self.crash


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not the same after both runs."""

    name: str
    """Name of the variable; empty for the output."""
    detail: str
    """For example `3 rows`."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What two runs have made."""

    differences: tuple[Difference, ...] = ()
    uncompared: tuple[str, ...] = ()
    """Names whose values could not be compared."""
    varying: tuple[str, ...] = ()
    """Names whose values differ between two runs of the old code."""
