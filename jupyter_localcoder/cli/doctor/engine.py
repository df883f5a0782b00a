"""Doctor: what the installed llama.cpp can do, asked in a process of its own.

A build for another processor ends with a signal as it is imported; here that is a line of the report.
"""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ...errors import PackageMissing
from ...machine.child_environment import environment_for_computing
from ...machine.optional_packages import LLAMA_CPP, has_module
from .finding import Finding, note, ok, problem
from .requirements import argument_of

TIMEOUT_SECONDS = 60.0

_PROBE = """
import json, llama_cpp
print("\\n" + json.dumps({
    "version": llama_cpp.__version__,
    "features": llama_cpp.llama_print_system_info().decode(errors="replace"),
    "gpu": bool(llama_cpp.llama_supports_gpu_offload()),
}))
"""

Ask = Callable[[list[str]], "subprocess.CompletedProcess[str]"]


def _run_command(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        env=environment_for_computing(),
    )


def findings(ask: Ask = _run_command) -> Iterator[Finding]:
    """Look; ``ask`` runs a command and gives back what it printed."""
    if not has_module(LLAMA_CPP):
        # Not a problem: remote providers answer without it.
        missing = PackageMissing.of("local")
        yield note("Engine", str(missing), missing.recovery)
        return
    try:
        ended = ask([sys.executable, "-c", _PROBE])
    except (OSError, subprocess.TimeoutExpired) as failure:
        yield problem("Engine", f"llama.cpp does not answer: {failure}", _build_again())
        return
    if ended.returncode != 0:
        yield problem("Engine", f"llama.cpp cannot be used: {_why(ended)}", _build_again())
        return
    facts: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    yield ok("Engine", f"llama-cpp-python {facts['version']}")
    yield _features(str(facts["features"]))
    yield _gpu(bool(facts["gpu"]))


def _build_again() -> str:
    return (
        "Build it on this machine: `pip install --force-reinstall --no-deps --no-cache-dir"
        f" --no-binary llama-cpp-python {argument_of('llama-cpp-python')}`."
    )


def _why(ended: subprocess.CompletedProcess[str]) -> str:
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        hint = ", built for another processor" if name == "SIGILL" else ""
        return f"it was terminated by {name}{hint}"
    lines = ended.stderr.strip().splitlines()
    return lines[-1] if lines else f"it exited with code {ended.returncode}"


def enabled(features: str) -> list[str]:
    """The features that are on, of llama.cpp's own line: ``CPU : SSE3 = 1 | AVX = 0 | …``."""
    pairs = (part.rsplit(":", 1)[-1].split("=") for part in features.split("|"))
    return [pair[0].strip() for pair in pairs if len(pair) == 2 and pair[1].strip() == "1"]


def _features(features: str) -> Finding:
    on = enabled(features)
    found = ", ".join(on) or "none"
    if platform.machine().lower() in ("x86_64", "amd64") and "AVX2" not in on:
        return note(
            "CPU build", found, f"AVX2 is not used: answers are several times slower. {_build_again()}"
        )
    return ok("CPU build", found)


def _gpu(supported: bool) -> Finding:
    if supported:
        return ok("GPU", "this build can use the GPU")
    flag = "-DGGML_METAL=on" if sys.platform == "darwin" else "-DGGML_CUDA=on` or `-DGGML_VULKAN=on"
    return note(
        "GPU",
        "this build runs on the CPU only",
        f"The small models are quick enough. For a GPU, build with `CMAKE_ARGS={flag}`; see “GPUs” in the "
        "documentation.",
    )
