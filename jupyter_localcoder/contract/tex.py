"""The TeX commands that lose their meaning in what a model writes, in every front end.

Those of MathJax 2 to 4 and of KaTeX are in the list, since a notebook may be shown by any of them.
"""

from __future__ import annotations

_ATTRIBUTES = (
    "action", "bbox", "class", "cssId", "data", "htmlClass", "htmlData", "htmlId", "htmlStyle", "mathtip",
    "mmlToken", "style", "texttip", "toggle", "unicode",
)  # fmt: skip
_ADDRESSES = ("href", "includegraphics", "url")
_EXTENSIONS = ("autoload", "begingroupReset", "begingroupSandbox", "require", "setOptions")
_DEFINITIONS = (
    "DeclareMathOperator", "DeclarePairedDelimiter", "DeclarePairedDelimiters", "DeclarePairedDelimitersX",
    "DeclarePairedDelimitersXPP", "Newextarrow", "catcode", "csname", "def", "edef", "futurelet", "gdef",
    "global", "gnewcommand", "let", "long", "newcommand", "newenvironment", "newtagform", "providecommand",
    "renewcommand", "renewenvironment", "renewtagform", "usetagform", "xdef",
)  # fmt: skip
"""What is defined may grow without end."""

DISARMED_TEX = tuple(sorted({*_ATTRIBUTES, *_ADDRESSES, *_EXTENSIONS, *_DEFINITIONS}))
"""Names without the backslash."""
