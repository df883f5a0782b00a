"""A real JupyterLab and a real browser.

Run these in a pytest process of their own: their event loop and that of the server tests conflict.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ghost import GhostLab, Writer
from tests.browser.lab import Lab, running_lab
from tests.browser.patience import STEP_MS, new_context
from tests.browser.workshop import Workshop, running_workshop

playwright = pytest.importorskip("playwright.sync_api")
playwright.expect.set_options(timeout=STEP_MS)

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# For all steps of a test together, on a busy machine.
TEST_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not any(
            mark.name == "timeout" for mark in item.own_markers
        ):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Take the place of pytest-jupyter's fixture: the loop of this process is Playwright's."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Take the place of pytest-jupyter's fixture: no server lives in this process."""


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: playwright.Browser) -> Iterator[playwright.Page]:
    context = new_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension on both sides."""
    with running_lab(tmp_path) as lab:
        yield lab


@pytest.fixture
def bare_lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension in the page, and none in the server."""
    with running_lab(tmp_path, with_extension=False) as lab:
        yield lab


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One lab for all tests of a module, with tiny models to be had from this machine."""
    with running_workshop(tmp_path_factory.mktemp("workshop")) as workshop:
        yield workshop


@pytest.fixture
def workshop(shared_workshop: Workshop) -> Workshop:
    """The shared lab, as on a machine that has no model yet."""
    shared_workshop.empty()
    return shared_workshop


@pytest.fixture(scope="session")
def ghost_lab(tmp_path_factory: pytest.TempPathFactory, tiny_gguf: Path) -> Iterator[GhostLab]:
    """JupyterLab with a worker that follows rules, for all tests that can share it."""
    lab = GhostLab(tmp_path_factory.mktemp("ghost"))
    try:
        lab.start_with(tiny_gguf)
        yield lab
    finally:
        lab.stop()


@pytest.fixture(scope="session")
def ghost_page(browser: playwright.Browser, ghost_lab: GhostLab) -> Iterator[Writer]:
    """Somebody who has JupyterLab open."""
    context = new_context(browser)
    writer = Writer(context.new_page(), ghost_lab)
    writer.enter()
    yield writer
    context.close()


@pytest.fixture
def writer(ghost_page: Writer, ghost_lab: GhostLab, tmp_path: Path) -> Iterator[Any]:
    """The same, with nothing open and nothing asked; what the page complains of is an error."""
    ghost_lab.rules([])
    ghost_page.forget()
    yield ghost_page
    ghost_page.page.screenshot(path=tmp_path / "end.png")
    complaints = list(ghost_page.complaints)
    ghost_page.leave()
    ghost_lab.quiet()
    ghost_lab.forget()
    assert complaints == []
