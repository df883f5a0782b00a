"""What a model writes is text: in a notebook it asks nobody for anything, and runs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.ghost import CURRENT, GhostLab, Writer, code
from tests.browser.patience import harmless
from tests.support.hostile_answers import HOSTILE
from tests.unit.magics.test_safe_text import ATTACKS

RUNS = f"() => {CURRENT}.content.activeCell.model.executionCount"
OUTPUT = f"{CURRENT}.content.activeCell.outputArea.node"
ACTS = f"""() => [...{OUTPUT}.querySelectorAll('.jp-RenderedMarkdown')].flatMap(shown => [
    ...shown.querySelectorAll(
      'img, script, iframe, object, embed, form, button, svg, style, link, video, audio, '
      + '[onerror], [onload], [onclick], [data-commandlinker-command], '
      + '[href^="javascript:" i], [href^="data:" i]'
    )
  ]).map(one => one.outerHTML)"""


def answer(writer: Writer, lab: GhostLab, text: str, number: int) -> None:
    """Let the model write this in answer to the active cell, and wait until it is shown."""
    lab.rules([{"ends": "", "pieces": [f"answer {number}\n\n{text}"]}])
    before = writer.page.evaluate(RUNS) or 0
    writer.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-cell'); }")
    writer.page.wait_for_function(f"before => ({RUNS})() > before", arg=before)
    writer.page.wait_for_function(
        f"text => {OUTPUT}.querySelector('.jp-RenderedMarkdown')?.innerText.includes(text)",
        arg=f"answer {number}",
    )


@pytest.mark.timeout(1800)
def test_hostile_answers_act_in_no_way_and_ask_nobody(writer: Writer, ghost_lab: GhostLab) -> None:
    page: Any = writer.page
    foreign: list[str] = []
    dialogs: list[str] = []
    own = page.url.split("/user/")[0]

    def note(request: Any) -> None:
        if not request.url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:")):
            foreign.append(request.url)

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", note)
    page.on("dialog", dismiss)
    try:
        writer.open(
            ghost_lab.write("hostile.ipynb", code("%load_ext jupyter_localcoder"), code("%%explain\nx = 1")),
            wait_for_kernel=True,
        )
        writer.run()
        writer.enter_cell(1)
        for number, attack in enumerate((*ATTACKS, *HOSTILE)):
            answer(writer, ghost_lab, f"before\n\n{attack}\n\nafter", number)
            assert page.evaluate(ACTS) == [], attack
        answer(writer, ghost_lab, "See [the page](https://evil/page), ![a](https://evil/p.png) after.", -1)
        assert (
            page.evaluate(f"() => {OUTPUT}.querySelector('.jp-RenderedMarkdown a').href")
            == "https://evil/page"
        )
        harmless(page)
    finally:
        page.remove_listener("request", note)
        page.remove_listener("dialog", dismiss)
    assert foreign == []
    assert dialogs == []
