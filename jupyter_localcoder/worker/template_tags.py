"""What chat templates use beside plain Jinja: the names that the library of their makers gives them.

Templates are written for ``transformers``, whose environment has a tag and a filter of its own. Nothing here
may do more than write what it is given.
"""

from __future__ import annotations

import json
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser

_WIDEST_INDENT = 16


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
    """JSON as it is, where Jinja's own filter writes it for a page of HTML.

    Raises
    ------
    SecurityError
        The layout would multiply what is written.
    """
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= _WIDEST_INDENT):
        raise SecurityError("the indent of JSON is too wide")
    if separators is not None and any(len(str(one)) > _WIDEST_INDENT for one in separators):
        raise SecurityError("a separator of JSON is too long")
    return json.dumps(
        value,
        ensure_ascii=bool(ensure_ascii),
        indent=indent,
        separators=separators,
        sort_keys=bool(sort_keys),
    )
