"""What must hold before a release: ``python -m tests.release``; ``--tag`` also creates the tag."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from jupyter_localcoder import __version__
from tests.versions import REPOSITORY


def faults(repository: Path, version: str) -> list[str]:
    """What keeps this version from being released, as sentences."""
    found = []
    for name in ("package.json", "package-lock.json"):
        other = json.loads((repository / "labextension" / name).read_text(encoding="utf-8"))["version"]
        if other != version:
            found.append(f"labextension/{name} has version {other}, and not {version}.")
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## \[?{re.escape(version)}\]? - (.+)$", changelog, re.MULTILINE)
    if heading is None:
        found.append(f"CHANGELOG.md has no section for {version}.")
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        found.append(f"CHANGELOG.md has no date for {version}: `{heading[1]}`.")
    unreleased = re.search(r"^## \[?Unreleased\]?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if unreleased and unreleased[1].strip():
        found.append(f"CHANGELOG.md has entries under Unreleased: move them to {version}.")
    if _git(repository, "status", "--porcelain"):
        found.append("The working tree is not clean.")
    return found


def main(arguments: Sequence[str]) -> int:
    """Say what is wrong, or tag."""
    parser = argparse.ArgumentParser(prog="python -m tests.release")
    parser.add_argument("--tag", action="store_true")
    asked = parser.parse_args(arguments)
    found = faults(REPOSITORY, __version__)
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        return 1
    if asked.tag:
        _git(REPOSITORY, "tag", "--annotate", f"v{__version__}", "--message", f"Version {__version__}")
        print(f"Created the tag v{__version__}. Push it to publish.")
    return 0


def _git(repository: Path, *arguments: str) -> str:
    ended = subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
