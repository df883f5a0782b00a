"""The made parts of the reference in docs/: errors, magics, the Python interface, sources of models.

python -m tests.reference_pages [--check]
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_localcoder import client, errors
from jupyter_localcoder.magics.chatting import ChatMagics
from jupyter_localcoder.magics.coding import CodingMagics
from jupyter_localcoder.models import catalogue
from jupyter_localcoder.models.origins import origins
from jupyter_localcoder.widgets import ModelManager

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def updated(page: str, blocks: dict[str, Callable[[], Iterator[str]]]) -> str:
    """The page with what the code declares today in its blocks."""
    return _BLOCK.sub(lambda match: match[1] + "".join(blocks[match[2]]()) + match[3], page)


def _sources() -> Iterator[str]:
    yield "| model | sources, in this order | SHA-256 of the file |\n| --- | --- | --- |\n"
    for entry in catalogue.load().entries.values():
        told = "<br>".join(f"{number}. {told}" for number, told in enumerate(origins(entry.sources), 1))
        yield f"| `{entry.id}` | {told} | `{entry.sha256}` |\n"


def _errors() -> Iterator[str]:
    yield "| code | HTTP status | meaning | what to do |\n| --- | --- | --- | --- |\n"
    for code, cls in sorted(errors.by_code().items()):
        yield f"| `{code}` | {cls.http_status} | {_cell(cls.sentence)} | {_cell(cls.advice)} |\n"


def _magics() -> Iterator[str]:
    actions = {}
    for cls in (CodingMagics, ChatMagics):
        for name in cls.magics["cell"]:
            function = getattr(cls, name)
            # The help of argparse is laid out differently by each version of Python: only the text is taken.
            text = (
                (inspect.getdoc(function) or "").split("[words ...]\n")[1].split("positional arguments:")[0]
            )
            yield f"### `%%{name}`\n\n```text\n{textwrap.dedent(text).strip()}\n```\n\n"
            for action in function.parser._actions:
                actions.setdefault(tuple(action.option_strings), (action, []))[1].append(name)
    yield "### Options\n\n| option | meaning | magics |\n| --- | --- | --- |\n"
    every = max(len(names) for _, names in actions.values())
    for options, (action, names) in actions.items():
        if options:
            which = "all" if len(names) == every else ", ".join(f"`%%{name}`" for name in names)
            value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
            said = _cell(str(action.help).replace("%%", "%"))
            yield f"| `{', '.join(options)}{value}` | {said} | {which} |\n"


def _python() -> Iterator[str]:
    documented: list[tuple[str, Any]] = [
        ("jupyter_localcoder.ModelManager", ModelManager),
        ("jupyter_localcoder.client.connect", client.connect),
        ("jupyter_localcoder.client.Client", client.Client),
        ("jupyter_localcoder.client.Stream", client.Stream),
        ("jupyter_localcoder.errors.LocalCoderError", errors.LocalCoderError),
    ]
    for name, subject in documented:
        yield from _documented(f"## `{name}`", subject)
        if inspect.isclass(subject) and subject is not ModelManager:
            for member, function in vars(subject).items():
                if not member.startswith("_") and inspect.isfunction(function):
                    yield from _documented(f"### `{subject.__name__}.{member}`", function)


def _documented(heading: str, subject: Any) -> Iterator[str]:
    yield f"{heading}\n\n```text\n{textwrap.dedent(inspect.getdoc(subject) or '').strip()}\n```\n\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: dict[str, dict[str, Callable[[], Iterator[str]]]] = {
    "errors.md": {"errors": _errors},
    "magics.md": {"magics": _magics},
    "model-sources.md": {"sources": _sources},
    "python-api.md": {"python": _python},
}


def main() -> int:
    """Write the parts, or say which page is stale."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, blocks in PAGES.items():
        before = (DOCS / name).read_text(encoding="utf-8")
        after = updated(before, blocks)
        if after != before:
            stale.append(name)
            if not check:
                (DOCS / name).write_text(after, encoding="utf-8")
    if check and stale:
        print(f"{', '.join(stale)}: not what the code declares: run `make generate`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
