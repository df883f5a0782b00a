"""What lets the manager be shown where there is no JupyterLab: VS Code, Voilà, a page of another's.

Such a front end brings the stock widgets and, it may be, none of JupyterLab's variables; it may lie behind a
policy that lets no page fetch or run anything.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from ipywidgets.embed import dependency_state

from jupyter_localcoder.errors import OutOfMemory
from jupyter_localcoder.widgets import markup

STOCK = {"@jupyter-widgets/base", "@jupyter-widgets/controls"}


@pytest.fixture
def everything(seen: Any, service: Any, make_model: Any) -> Any:
    """The manager with all that it has to show at once."""
    service.models = [
        make_model("small", state="ready", loaded=True),
        make_model("big", state="ready"),
        make_model("coming", state="downloading", activity="download", received_bytes=1),
        make_model("new"),
    ]
    service.imports = [{"id": "other", "state": "downloading", "received_bytes": 1, "total_bytes": 2,
                        "rate_bytes_per_second": 0.0, "activity": "import"}]  # fmt: skip
    service.settings = {"air_gap": True}
    seen.refresh()
    for fold in ("Model settings", "Import a model"):
        found = seen.button(fold)
        if found.description.startswith("▸"):
            found.click()
    for name in ("small", "big", "coming", "new"):
        seen.button("Details", name).click()
    service.failures["model:load"] = OutOfMemory("It does not fit.", refused=True)
    seen.press("Load", "big")
    seen.press("Delete…", "big")
    seen.press("Export…", "small")
    seen.press("Download…", "new")
    assert "Load anyway" in seen.buttons("big")
    assert "You may" in seen.card("new")
    return seen


def test_only_stock_widgets_are_needed(everything: Any) -> None:
    state = dependency_state(everything.manager, drop_defaults=False)
    assert len(state) > 100
    for one in state.values():
        values = one["state"]
        assert {one["model_module"], values["_view_module"] or one["model_module"]} <= STOCK, one
        assert "_esm" not in values


def test_nothing_is_fetched_and_nothing_runs_in_the_page(everything: Any) -> None:
    for forbidden in (
        r"<script",
        r"<link",
        r"<iframe",
        r"<img",
        r"\bsrc=",
        r"\bhref=",
        r"\bon\w+=",
        r"url\(",
    ):
        assert re.search(forbidden, everything.text, re.IGNORECASE) is None, forbidden
    assert "@import" not in markup.STYLE


def test_every_variable_of_a_theme_has_a_stand_in(everything: Any) -> None:
    used = re.findall(r"var\(\s*(--[\w-]+)\s*(,?)", everything.text)
    assert len(used) >= 5
    assert [name for name, comma in used if not comma] == []


def test_its_rules_concern_nothing_else_on_the_page() -> None:
    rules = re.sub(r"</?style>", "", markup.STYLE)
    for selectors in re.findall(r"([^{}]+)\{", rules):
        for selector in selectors.split(","):
            assert selector.strip().startswith(".localcoder-"), selector
