"""The model manager in a cell, for the tests that open it in several front ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.workshop import CODER

playwright = pytest.importorskip("playwright.sync_api")

WIDGET = ".localcoder-manager"
SOURCE = "from jupyter_localcoder import ModelManager\n\nModelManager()"


def write_notebook(folder: Path) -> None:
    """A notebook whose one cell shows the manager: ``widget.ipynb``."""
    cell = {"id": "one", "cell_type": "code", "source": SOURCE, "execution_count": None, "outputs": [],
            "metadata": {}}  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}
    (folder / "widget.ipynb").write_text(json.dumps(notebook))


def card(widget: Any) -> Any:
    """The card of the tiny model."""
    return widget.locator(".localcoder-card").filter(has=widget.page.locator(f"[data-model='{CODER}']"))


def press(widget: Any, label: str) -> None:
    """Press a button of that card."""
    card(widget).get_by_role("button", name=label, exact=True).click()


def apart(part: Any) -> list[str]:
    """Names whose value does not stand beside them."""
    names = part.locator(".localcoder-rows dt")
    playwright.expect(names.first).to_be_visible()
    found: list[str] = names.evaluate_all(
        "names => names.filter(name => {"
        "  const [left, right] = [name, name.nextElementSibling].map(one => one.getBoundingClientRect());"
        "  return right.top !== left.top || right.left < left.right;"
        "}).map(name => name.textContent)"
    )
    return found
