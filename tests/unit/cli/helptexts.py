"""The help of every command, for docs/cli.md; as a program it writes them into that file.

python tests/unit/cli/helptexts.py
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from jupyter_localcoder.cli.command import LocalCoderCommand
from jupyter_localcoder.cli.console import Console
from jupyter_localcoder.cli.ports import real_ports
from jupyter_localcoder.cli.root import LocalCoderRoot

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
_BLOCK = re.compile(r"(?P<mark><!-- help: (?P<name>[^>]*?) ?-->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def commands(app: LocalCoderCommand | None = None, name: str = "") -> Iterator[tuple[str, LocalCoderCommand]]:
    """Every command, by its name without `jupyter localcoder` in front."""
    if app is None:
        console = Console(io.StringIO(), io.StringIO(), io.StringIO())
        app = LocalCoderRoot(console=console, ports=real_ports())
    yield name, app
    for sub, (make, _) in app.subcommands.items():
        yield from commands(make(app), f"{name} {sub}".strip())


def updated(page: str) -> str:
    """The page with the help of today in its blocks."""
    texts = {name: "\n".join(app.emit_help()).strip() for name, app in commands()}

    def block(match: re.Match[str]) -> str:
        return f"{match['mark']}```text\n{texts[match['name']]}\n```\n{match['end']}"

    return _BLOCK.sub(block, page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
