"""JupyterLab's themes, and how a page changes to one."""

from __future__ import annotations

from typing import Any

LIGHT, DARK, HIGH_CONTRAST = THEMES = (
    "JupyterLab Light",
    "JupyterLab Dark",
    "JupyterLab Dark High Contrast",
)


def wear(page: Any, theme: str) -> None:
    """Change to a theme, and wait until the page wears it and nothing lies over it any more."""
    page.evaluate(
        "async theme => { await jupyterapp.commands.execute('apputils:change-theme', {theme}); }", theme
    )
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    page.wait_for_function("() => document.querySelector('#jupyterlab-splash') === null")
