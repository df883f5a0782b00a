"""Where the figures come from: machine, versions, load."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Machine:
    """What stands above the table."""

    date: str
    system: str
    cpu: str
    cores: str
    memory_gb: float
    load: float
    """Load average of the minute before the run; 0 where it is not known. More than 0.2 disturbs."""
    versions: dict[str, str]

    def lines(self) -> list[str]:
        """For people."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            f"{self.date} · {self.system} · {self.cpu} · {self.cores} · {self.memory_gb:.0f} GB",
            f"{versions} · load before {self.load:.2f}",
        ]


def describe() -> Machine:
    """Describe this machine now."""
    names = ("jupyter_localcoder", "llama_cpp_python", "jupyter_server", "tornado", "httpx", "msgspec")
    return Machine(
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=_cpu(),
        cores=f"{psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} threads",
        memory_gb=psutil.virtual_memory().total / 1e9,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        versions={"python": platform.python_version(), **{name: _version(name) for name in names}},
    )


def _version(name: str) -> str:
    if name == "jupyter_localcoder":
        from jupyter_localcoder import __version__

        return __version__
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"
