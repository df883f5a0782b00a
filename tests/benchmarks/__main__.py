"""The command line of the benches: ``python -m tests.benchmarks --help``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from jupyter_localcoder.errors import LocalCoderError

from . import machine, report
from .bench import BENCHES
from .figure import Figure
from .setting import Setting
from .workspace import DEFAULT_MODEL, Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches; the status is 1 where a target is missed, 2 where a bench cannot run."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every child is ended
    chosen = [bench for bench in BENCHES if not asked.names or bench.name in asked.names]
    here = machine.describe()
    figures: list[Figure] = []
    try:
        with Workspace(asked.model) as workspace:
            setting = Setting(
                workspace, asked.repeat, asked.peer_url, asked.traces, asked.other_model,
                limit=asked.limit, suites=tuple(asked.suites.split(",")) if asked.suites else (),
                keep=asked.keep,
            )  # fmt: skip
            print(*here.lines(), _model_line(workspace), "", report.head(), sep="\n", flush=True)
            for bench in chosen:
                for figure in bench.run(setting):
                    figures.append(figure)
                    print(report.row(figure), flush=True)
            model = {"id": workspace.model.id, "digest": workspace.model.digest}
    except LocalCoderError as error:
        print(f"{error.message} {error.recovery}".strip(), file=sys.stderr)
        return 2
    if asked.json:
        asked.json.write_text(report.document(here, model, figures), encoding="utf-8")
    return 1 if any(figure.met is False for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the product in real processes. Run it on a machine that does nothing else.",
        epilog="\n".join(f"{bench.name:<10}{bench.summary}" for bench in BENCHES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benches to run (default: all)")
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="PATH_OR_ID",
        help="GGUF file, or an installed model (default: %(default)s)",
    )
    parser.add_argument("--repeat", type=_positive, metavar="N", help="pairs of each comparison")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine, figures and every sample")
    parser.add_argument(
        "--peer-url", default="", metavar="URL", help="a llama-server with the same model, to compare with"
    )
    parser.add_argument(
        "--traces", type=Path, metavar="FOLDER", help="notebooks for the benches that replay typing"
    )
    parser.add_argument(
        "--other-model", type=Path, metavar="FILE", help="GGUF file of another model, to switch to"
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="cases of each suite of `answers`")
    parser.add_argument("--suites", default="", metavar="A,B", help="suites of `answers` (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the answers of `answers` there")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _model_line(workspace: Workspace) -> str:
    model, load = workspace.model, workspace.plan.load
    return (
        f"{model.id} · {model.quantization} · {model.size_bytes / 1e6:.0f} MB · context {load.n_ctx} · "
        f"batch {load.n_batch}/{load.n_ubatch}"
    )


if __name__ == "__main__":
    sys.exit(main())
