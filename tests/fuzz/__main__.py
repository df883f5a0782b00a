"""The command line of the fuzzer: ``python -m tests.fuzz --help``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.mutated_headers import mutated
from tests.support.tiny_model import write_tiny_model

from . import guided

_WITHOUT = "atheris is not installed (pip install atheris; where it has no wheel it needs clang)."


def main(arguments: Sequence[str] | None = None) -> int:
    """Try hostile headers; the status is 1 where one is neither read nor refused in time."""
    asked = _parser().parse_args(arguments)
    guided_by_coverage = asked.how != "random" and asked.first is None
    if guided_by_coverage and importlib.util.find_spec("atheris") is None:
        print(f"Coverage does not lead: {_WITHOUT}", file=sys.stderr, flush=True)
        if asked.how == "guided":
            return 2
        print("Headers are damaged at random instead.", file=sys.stderr, flush=True)
        guided_by_coverage = False
    with tempfile.TemporaryDirectory(prefix="localcoder-fuzz-") as name:
        if not guided_by_coverage:
            return _at_random(Path(name), asked.seconds, asked.first)
        print("Coverage leads.", flush=True)
        # A process of its own: libFuzzer leaves without a chance to remove the folder.
        child = ("-c", "from tests.fuzz.__main__ import in_child; in_child()", name, str(asked.seconds))
        return subprocess.run([sys.executable, *child], check=False).returncode


def in_child() -> None:
    """Fuzz in this process, which ends with it."""
    folder = Path(sys.argv[1])
    guided.run(folder, _models(folder), float(sys.argv[2]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="(default: %(default)s)")
    parser.add_argument(
        "--first", type=int, help="number of the first header, at random (default: by the time)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--guided", dest="how", action="store_const", const="guided", help="led by coverage; needs atheris"
    )
    how.add_argument("--random", dest="how", action="store_const", const="random", help="damaged at random")
    parser.set_defaults(how="")
    return parser


def _models(folder: Path) -> tuple[Path, ...]:
    """Files of different headers to begin with."""
    return (
        write_tiny_model(folder / "qwen2.gguf"),
        write_tiny_model(folder / "llama.gguf", architecture="llama", fill_in_the_middle=False),
        write_tiny_model(folder / "bare.gguf", chat_template=None, layers=1),
    )


def _at_random(folder: Path, seconds: float, first: int | None) -> int:
    # Not before: the guided child has to see these modules imported for the first time.
    from .trial import Trial

    wholes = [model.read_bytes() for model in _models(folder)]
    number = first if first is not None else int(time.time()) * 1000
    print(f"From number {number} (--first {number} tries the same ones).")
    trial = Trial(folder)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        data = mutated(wholes[number // 3 % len(wholes)], number)
        if wrong := trial.put(data, f"number {number}"):
            print(f"Number {number}: {wrong}: {trial.keep(data)}\n{trial}")
            return 1
        number += 1
    print(trial)
    return 0


if __name__ == "__main__":
    sys.exit(main())
