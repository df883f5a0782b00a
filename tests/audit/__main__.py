"""The command line of the audit: ``python -m tests.audit --help``."""

from __future__ import annotations

import argparse
import enum
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import installed, report
from .accepted import ACCEPTED
from .report import Report, Unreached

REPOSITORY = Path(__file__).parents[2]
SECONDS = 600.0


class Verdict(enum.IntEnum):
    """How it ends; the status of the process."""

    CLEAN = 0
    FOUND = 1
    UNKNOWN = 3
    """A service was not reached, so that nothing can be said."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask both services, and print what they say."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__, epilog=_STATUS)
    parser.add_argument(
        "--pip-service", default="pypi", choices=("pypi", "osv"), help="(default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    verdicts = [
        _say("Python packages", lambda: python_packages(asked.pip_service)),
        _say("JavaScript packages", javascript_packages),
    ]
    if Verdict.FOUND in verdicts:
        return Verdict.FOUND
    return max(verdicts)


def python_packages(service: str) -> Report:
    """Ask about the installed versions of all that the product needs where it runs."""
    versions, missing = installed.closure(installed.declared(REPOSITORY / "pyproject.toml"))
    if missing:
        raise Unreached(f"not installed here: {', '.join(missing)}")
    # One first: where it gets no answer, the others need not be asked about.
    _pip_audit({"pip": versions["pip"]}, service)
    return _pip_audit(versions, service)


def _pip_audit(versions: Mapping[str, str], service: str) -> Report:
    with tempfile.TemporaryDirectory(prefix="localcoder-audit-") as folder:
        pins = Path(folder) / "requirements.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        # Each is pinned, and all are listed: there is nothing to resolve, and no package is fetched.
        options = ("--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json")
        command = [sys.executable, "-m", "pip_audit", "-r", str(pins), "-s", service, *options]
        return report.from_pip_audit(_output(command), versions)


def javascript_packages() -> Report:
    """Ask about the locked versions of what the extension is built of."""
    return report.from_npm_audit(
        _output(["npm", "--prefix", "labextension", "audit", "--omit=dev", "--json"])
    )


def _output(command: list[str]) -> str:
    try:
        ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise Unreached(f"{command[0]}: {failure}") from None
    if not ran.stdout.strip():
        raise Unreached((ran.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return ran.stdout


def _say(name: str, ask: Callable[[], Report]) -> Verdict:
    try:
        answer = ask()
    except Unreached as reason:
        print(f"{name}: NOT KNOWN. The service was not reached: {reason}.")
        return Verdict.UNKNOWN
    open_ = report.left(answer, ACCEPTED)
    lived_with = len(answer.findings) - len(open_)
    more = f", {lived_with} accepted with a reason" if lived_with else ""
    print(f"{name}: {answer.asked} asked about, {len(open_)} open advisories{more}.")
    for finding in open_:
        print(f"  {finding.package} {finding.version}: {' '.join(finding.ids)} ({finding.remedy})")
    return Verdict.FOUND if open_ else Verdict.CLEAN


_STATUS = (
    "Status: 0 no open advisory; 1 there are some; 3 a service was not reached, so that nothing can be said."
)

if __name__ == "__main__":
    sys.exit(main())
