"""Takes pictures for the docs: ``python -m tests.browser.pictures docs/images``.

Everything in them is the product, and what is suggested the real 0.5B model has written; so look at each
before it is kept. It needs Pillow, which makes them small.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import TimeoutError, sync_playwright

from jupyter_localcoder.models.folder import MODELS_DIR_VARIABLE
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.ghost import CURRENT, SHOWN, Writer, markdown, until, write_notebook
from tests.browser.lab import Lab, running_lab
from tests.support.real_model import MODEL, cache_folder, fetched

SCALE = 1.5
MOST_BYTES = 150_000
TABLE = """\
hive,apiary,queen_age_months,varroa_per_100_bees,nectar_flow_kg
H01,orchard,14,2.1,18.4
H02,orchard,26,4.8,11.2
H03,meadow,8,1.2,22.9
H04,meadow,31,5.6,9.7
H05,forest,19,3.3,15.1
"""
READ = 'import pandas as pd\n\nhives = pd.read_csv("hives.csv")\nhives.head()'
TITLE = "## Which hives need a treatment?"
# The first time, the model has yet to read the notebook and the kernel to tell its columns.
FIRST = 'rich = hives[hives["nectar'
ASKED = 'limit = 3\ntreated = hives[hives["varroa'


@contextlib.contextmanager
def opened() -> Iterator[tuple[Lab, Any]]:
    """A lab with the real model, loaded, and a page in it."""
    assert CHROMIUM is not None
    os.environ[MODELS_DIR_VARIABLE] = str(fetched(cache_folder()))
    patient = {"Service": {"completion_latency_ms": 2000}}  # as on a machine that does nothing else
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder), config=patient) as lab,
        sync_playwright() as play,
    ):
        lab.call("POST", f"models/{MODEL}/load", {})
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1280, "height": 640}, device_scale_factor=SCALE, locale="en-US"
        )
        yield lab, context.new_page()
        browser.close()


def widen(page: Any, panel: str, pixels: int) -> None:
    """Draw the left border of a panel to the left."""
    box = page.locator(panel).bounding_box()
    page.mouse.move(box["x"] - 1, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] - 1 - pixels, box["y"] + 300, steps=5)
    page.mouse.up()
    page.mouse.move(600, 5)
    page.wait_for_timeout(500)


def keep(path: Path, page: Any, part: Any = None) -> None:
    """Take a picture of the page or a part of it, with no more colours than it needs."""
    picture = Image.open(io.BytesIO((part or page).screenshot())).convert("RGB")
    few = picture.quantize(colors=128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, path
    print(path, path.stat().st_size)


def main(folder: Path) -> None:
    """Take them all."""
    with opened() as (lab, page):
        (lab.work / "hives.csv").write_text(TABLE)
        writer = Writer(page, lab)
        writer.enter()
        notebook = write_notebook(lab, "hives.ipynb", READ, markdown(TITLE), "")
        writer.open(notebook, wait_for_kernel=True)
        writer.run()
        page.evaluate(f"() => {{ {CURRENT}.content.widgets[1].rendered = true; }}")
        writer.enter_cell(2)
        writer.execute("application:toggle-left-area")
        page.evaluate("() => { [...jupyterapp.shell.widgets('main')].find(one => !one.context)?.close(); }")
        writer.enter_cell(2)

        def is_suggested(text: str, column: str) -> bool:
            writer.press("Control+a", "Backspace")
            writer.type(text, delay=60)
            with contextlib.suppress(TimeoutError):
                page.wait_for_function(f"() => {SHOWN} !== ''", timeout=8000)
            return column in writer.ghost

        until(lambda: is_suggested(FIRST, "flow_kg"), seconds=90)
        until(lambda: is_suggested(ASKED, "per_100_bees"), seconds=90)
        page.wait_for_timeout(1000)
        keep(folder / "ghost-text.png", page)
        page.set_viewport_size({"width": 1280, "height": 960})
        page.evaluate("() => { jupyterapp.commands.execute('localcoder:inspect-prompt'); }")
        dialog = page.locator(".jp-Dialog-content")
        dialog.get_by_text("Tokens by source").wait_for()
        keep(folder / "inspector.png", page, dialog)
        writer.press("Escape")
        writer.execute("localcoder:open-models")
        page.locator(f".jp-LocalCoder-Models [data-model='{MODEL}']").wait_for()
        widen(page, "#jp-right-stack", 130)
        keep(folder / "models.png", page, page.locator("#jp-right-stack"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
