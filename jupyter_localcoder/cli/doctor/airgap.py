"""Doctor: the air gap, tried on this machine instead of believed.

The worker's walls are run against in a process of their own. Then two commands run with the air gap on: one
that would download, which must be refused, and one that lets the model write. Where strace is installed
their system calls, and those of the worker, are traced: none may name an address of another machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...contract.models import ModelList
from ..exits import ExitCode
from .finding import Finding, note, ok, problem
from .trace import contacts, tracer

_SECONDS = 300.0

# 192.0.2.1 is an address for examples that no machine has; to connect a datagram socket sends nothing.
_PROBE = """
import ctypes, json, socket, struct
from jupyter_localcoder.worker.isolation import close_network
wall = close_network()
try:
    socket.socket().connect(("192.0.2.1", 9))
    python = "open"
except PermissionError:
    python = "refused"
except OSError as failure:
    python = str(failure)
libc = ctypes.CDLL(None, use_errno=True)
handle = libc.socket(2, 2, 0)
address = struct.pack("=H", 2) + struct.pack("!H4s8x", 9, bytes([192, 0, 2, 1]))
native = "open" if handle >= 0 and libc.connect(handle, address, len(address)) == 0 else "refused"
print(json.dumps({"wall": wall, "python": python, "native": native}))
"""


def findings(air_gap: bool, known: ModelList) -> Iterator[Finding]:
    """Try it.

    Parameters
    ----------
    air_gap
        The setting in force; what is tried here is tried with the air gap on, whatever it is.
    """
    if air_gap:
        yield ok("Air gap", "on")
    else:
        yield note("Air gap", "off", "`jupyter localcoder config set air_gap true` turns it on.")
    yield worker()
    yield from _trial(known)


def worker() -> Finding:
    """Run against the walls around the worker."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True
        )
        told = json.loads(ended.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as failure:
        return problem("Worker", f"its isolation cannot be tested: {failure}", "Please report it.")
    if told["python"] != "refused":
        return problem("Worker", f"Python code in it can open a connection ({told['python']})", "Report it.")
    if told["native"] == "refused":
        return ok("Worker", "no network for Python code and native code (separate network namespace)")
    return note(
        "Worker",
        "no network for Python code; network namespaces are not available to this user",
        "llama.cpp itself opens no connection. To enforce this, use a firewall or a container.",
    )


def _trial(known: ModelList) -> Iterator[Finding]:
    absent = next((info.id for info in known.models if info.state == "idle"), None)
    ready = min((m for m in known.models if m.state == "ready"), key=lambda m: m.size_bytes, default=None)
    if absent is not None:
        refused, outside = _run(["models", "pull", absent], ExitCode.REFUSED)
        yield (
            ok("Download", "refused before any connection")
            if refused
            else problem("Download", "was not refused with the air gap on", "Please report it.")
        )
        yield _traced("Trace of a download", outside)
    if ready is None:
        yield note(
            "Answer", "not tested: no model is on this machine", "Import a model, and run this command again."
        )
        return
    answered, outside = _run(["explain", "-", "--max-tokens=8", f"--model={ready.id}"], ExitCode.OK)
    yield (
        ok("Answer", f"{ready.id} writes with the air gap on")
        if answered
        else problem(
            "Answer",
            f"{ready.id} does not write with the air gap on",
            "For details, run `jupyter localcoder doctor`.",
        )
    )
    yield _traced("Trace of an answer", outside)


def _run(arguments: list[str], expected: ExitCode) -> tuple[bool, tuple[str, ...] | None]:
    """Run a command of ours, alone and with the air gap on.

    Returns
    -------
    tuple
        Whether it ended as expected; the addresses of other machines that it named, None where that
        cannot be seen.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace"
        before = tracer(file)
        command = [sys.executable, "-m", "jupyter_localcoder.cli", *arguments, "--quiet"]
        try:
            ended = subprocess.run(
                [*(before or []), *command, "--LocalCoderSettings.air_gap=True"],
                input="print(1)\n",
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
                env=_alone(os.environ, folder),
            )
        except (OSError, subprocess.TimeoutExpired):
            return False, None
        if before is None or not file.exists():
            return ended.returncode == expected, None
        return ended.returncode == expected, contacts(file.read_text(errors="replace").splitlines()).outside


def _alone(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """An environment in which no running server is found: what is traced is the whole of it."""
    kept = {name: text for name, text in environment.items() if not name.startswith("JUPYTER_LOCALCODER_")}
    return {**kept, "JUPYTER_RUNTIME_DIR": folder}


def _traced(topic: str, outside: tuple[str, ...] | None) -> Finding:
    if outside is None:
        return note(
            topic,
            "not made: strace is not installed, or may not trace",
            "Install strace to trace system calls.",
        )
    if outside:
        return problem(topic, f"named {', '.join(outside[:5])}", "Something opens connections: report it.")
    return ok(topic, "no address of another machine in any system call")
