"""Configuration of the documentation site: ``make docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_VERSION = _ROOT / "jupyter_localcoder" / "_version.py"
_FILES = {
    "SECURITY.md": "security",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "CODE_OF_CONDUCT.md": "code-of-conduct",
}
"""Files of the repository that are pages of the site: hosting services look for them in the root."""

project = "jupyter_localcoder"
author = "the jupyter_localcoder authors"
release = re.findall(r'"([^"]+)"', _VERSION.read_text(encoding="utf-8"))[0]
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "LocalCoder"
html_extra_path = ["openapi.json"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}
html_copy_source = False
# Builds are the same offline: nothing is loaded from another host.
html_use_opensearch = ""
# Fences of notebooks and shells that no lexer reads are text.
suppress_warnings = ["misc.highlighting_failure"]


def _read(_app: Any, name: str, source: list[str]) -> None:
    for file, page in _FILES.items():
        if name == page:
            source[0] = (_ROOT / file).read_text(encoding="utf-8").replace("](docs/", "](")
    for file, page in _FILES.items():
        up = "../" * name.count("/")
        source[0] = re.sub(rf"\]\((\.\./)*{re.escape(file)}", f"]({up}{page}.md", source[0])
    # A fence for tests is a fence of Python.
    source[0] = source[0].replace("```python needs-model", "```python")


def setup(app: Any) -> None:
    """Let links between the repository and the site lead to pages of the site."""
    app.connect("source-read", _read)
