"""What chat templates use beside plain Jinja: the names that the library of their makers gives them.

Templates are written for ``transformers``, whose environment has a tag and a filter of its own. Nothing here
may do more than write what it is given.
"""

from __future__ import annotations

import json
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser


class GenerationTag(Extension):
    """``{% generation %}``: marks, for training, what the assistant has written. It changes no text."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        """Take the block as it stands; what is set in it stays in it, as in a block of ``call``."""
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=lineno)


def as_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as it is, where Jinja's own filter writes it for a page of HTML."""
    return json.dumps(
        value,
        ensure_ascii=bool(ensure_ascii),
        indent=indent,
        separators=separators,
        sort_keys=bool(sort_keys),
    )
