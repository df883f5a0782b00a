"""What goes along with a request: the cells around, and what the kernel knows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.browser.ghost import CURRENT, KERNEL_MS, GhostLab, Writer, code, markdown, until

KERNEL = Path(sys.executable)
FRAME = "import pandas as pd\ndf = pd.DataFrame({'price_eur': [1.5, 2.0], 'rooms': [3, 4]})"
# The model repeats the columns that it has read.
ECHO = {"ends": "df[", "echo": r'"(price\w*)"', "as": '"{0}"'}


def test_cells_go_along_in_their_order(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "circumference = ", "pieces": ["2 * PI * radius"]}])
    path = ghost_lab.write(
        "around.ipynb",
        code("PI = 3.14159", 1),
        markdown("The radius is that of the earth."),
        "",
        code("print(circumference)"),
    )
    writer.open(path)
    writer.enter_cell(2)
    writer.type("circumference = ")
    writer.sees("2 * PI * radius")
    *_, asked = [one for one in ghost_lab.asked if one["prefix"].endswith("circumference = ")]
    whole = "\n".join(asked["texts"])
    for text in ("PI = 3.14159", "The radius is that of the earth.", "print(circumference)"):
        assert text in whole
    assert whole.index("PI = 3.14159") < whole.index("of the earth") < whole.index("print(circumference)")


def test_columns_of_a_frame_are_known(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ECHO])
    writer.open(ghost_lab.write("frame.ipynb", FRAME, ""), wait_for_kernel=True)
    writer.run()
    writer.enter_cell(1)
    writer.knows("df")
    writer.type("df[")
    writer.sees('"price_eur"')
    writer.press("Tab")
    assert writer.text.startswith('df["price_eur"')
    # Asked in silence: no output, no number, no line of history.
    counts = writer.page.evaluate(
        f"() => {CURRENT}.content.widgets.map(cell => cell.model.executionCount ?? null)"
    )
    assert counts[0] == 1
    writer.page.evaluate(
        f"() => {{ {CURRENT}.content.activeCell.model.sharedModel.setSource('print(len(In), In[-2:])'); }}"
    )
    writer.run()
    writer.page.wait_for_function(f"() => {CURRENT}.content.widgets[1].model.outputs.length > 0")
    output = writer.page.evaluate(f"() => {CURRENT}.content.widgets[1].model.outputs.get(0).toJSON().text")
    assert "".join(output).startswith("3 ")
    assert "base64" not in "".join(output)


def test_what_the_kernel_knows_is_there_as_soon_as_it_is_switched_on(
    writer: Writer, ghost_lab: GhostLab
) -> None:
    ghost_lab.rules([{"ends": "q = ", "pieces": ["1"]}])

    def told() -> bool:
        ghost_lab.forget()
        writer.enter_cell(1)
        writer.press("Control+a", "Backspace")
        writer.type("q = ")
        writer.sees("1")
        return any("In the kernel" in text for text in ghost_lab.asked[-1]["texts"])

    with writer.settings(kernelKnowledge=False):
        writer.open(ghost_lab.write("switch.ipynb", FRAME, ""), wait_for_kernel=True)
        writer.run()
        writer.settle()
        assert not told()
    writer.knows("df")
    assert told()
    with writer.settings(kernelKnowledge=False):
        assert not told()


def test_rows_of_a_frame_go_along_only_where_somebody_wants_them(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "first = ", "pieces": ["df.iloc[0]"]}])
    writer.open(ghost_lab.write("rows.ipynb", f"{FRAME}\ndf", ""), wait_for_kernel=True)
    writer.run()

    def told() -> list[str]:
        """The lines of the next request that hold rows."""
        ghost_lab.forget()
        writer.enter_cell(1)
        writer.press("Control+a", "Backspace")
        writer.type("first = ")
        writer.sees("df.iloc[0]")
        lines = [line for text in ghost_lab.asked[-1]["texts"] for line in text.splitlines()]
        assert "# Out: DataFrame" in lines
        return [line for line in lines if line.startswith("# 1 ")]

    assert told() == []
    with writer.settings(dataFrameHeads=True):
        assert told() == ["# 1  2.0  4"]
        writer.page.evaluate("() => { jupyterapp.commands.execute('localcoder:inspect-prompt'); }")
        dialog = writer.page.get_by_role("dialog")
        dialog.get_by_role("row", name="data frame previews").wait_for()
        writer.press("Escape")
        dialog.wait_for(state="detached")
    assert told() == []


def test_a_busy_kernel_is_left_alone(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "x = ", "pieces": ["still_here"]}])
    cells = ("known = 1", "import time\nwhile True:\n    time.sleep(0.02)", "")
    writer.open(ghost_lab.write("busy.ipynb", *cells), wait_for_kernel=True)
    writer.run()
    writer.knows("known")
    writer.settle()
    writer.page.evaluate(
        f"""() => {{
          const {{ kernel }} = {CURRENT}.sessionContext.session;
          window.silent = 0;
          kernel.anyMessage.connect((_, {{ msg, direction }}) => {{
            if (direction === 'send' && msg.header.msg_type === 'execute_request' && msg.content.silent) {{
              window.silent += 1;
            }}
          }});
          jupyterapp.commands.execute('notebook:run-cell-and-select-next');
        }}"""
    )
    writer.page.wait_for_function(f"() => {CURRENT}.sessionContext.session.kernel.status === 'busy'")
    writer.enter_cell(2)
    writer.type("x = ")
    writer.sees("still_here")
    writer.settle()
    assert writer.page.evaluate("() => window.silent") == 0
    writer.page.evaluate(f"() => {CURRENT}.sessionContext.session.kernel.interrupt()")
    writer.page.wait_for_function("() => window.silent === 1", timeout=KERNEL_MS)


def test_two_notebooks_keep_apart(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "total = ", "echo": r"(\w+_rate) = ", "as": "{0}"}])
    first = ghost_lab.write("first.ipynb", "tax_rate = 0.19", "")
    second = ghost_lab.write("second.ipynb", "interest_rate = 0.02", "")
    for path, name in ((first, "tax_rate"), (second, "interest_rate"), (first, "tax_rate")):
        writer.open(path)
        writer.enter_cell(1)
        writer.press("Control+a", "Backspace")
        writer.type("total = ")
        writer.sees(name)
        assert not any("_rate" in text and name not in text for text in ghost_lab.asked[-1]["texts"])


def test_cells_are_read_ahead(writer: Writer, ghost_lab: GhostLab) -> None:
    def warmed() -> list[str]:
        return [one["prefix"] for one in ghost_lab.events(event="asked", priority="warm")]

    writer.open(ghost_lab.write("warm.ipynb", "first = 1", "second = 2", "third = 3"), wait_for_kernel=True)
    until(lambda: "first = 1" in warmed())
    writer.enter_cell(1)
    until(lambda: any("second = 2" in prefix for prefix in warmed()))
    writer.run()
    until(lambda: any("third = 3" in prefix or prefix == "" for prefix in warmed()))
    writer.knows("second")
    writer.settle()
    sent = len(writer.sent("tab:warm"))
    writer.enter_cell(0)
    until(lambda: len(writer.sent("tab:warm")) > sent)
    writer.settle()
    sent = len(writer.sent("tab:warm"))
    writer.type(" + 1 + 2 + 3")
    writer.settle()
    assert len(writer.sent("tab:warm")) == sent
    # Who types at once in the cell that he has entered is not waited for either.
    writer.page.evaluate(
        f"""() => {{
          const notebook = {CURRENT}.content;
          notebook.activeCellIndex = 1;
          notebook.activeCell.editor.editor.dispatch({{
            changes: {{ from: 0, insert: ' ' }}, userEvent: 'input.type'
          }});
        }}"""
    )
    writer.settle()
    assert len(writer.sent("tab:warm")) == sent


@pytest.mark.parametrize("first", ["code", "a title"])
def test_opening_a_notebook_loads_the_model_and_reads_it(
    writer: Writer, ghost_lab: GhostLab, first: str
) -> None:
    def warmed() -> str:
        return "\n".join(
            text for one in ghost_lab.events(event="asked", priority="warm") for text in one["texts"]
        )

    ghost_lab.call("POST", "models/unload")
    ghost_lab.call("PATCH", "settings", {"prewarm": True})
    try:
        title = [markdown("# Penguins")] if first == "a title" else []
        # JupyterLab opens it by itself at the first cell, in command mode.
        writer.open(ghost_lab.write("opened.ipynb", *title, "first = 1", "second = 2"), enter=False)
        until(lambda: "first = 1" in warmed() and "second = 2" in warmed())
        assert ghost_lab.call("GET", "health")["model"] == "tiny"
        assert ghost_lab.asked == []
    finally:
        ghost_lab.call("PATCH", "settings", {"prewarm": None})
        ghost_lab.call("POST", "models/tiny/load", {})


def test_a_text_first_is_read_on_from_once_and_no_text_after_it(writer: Writer, ghost_lab: GhostLab) -> None:
    cells = [markdown("# Penguins"), markdown("Data"), "first = 1", markdown("More"), "second = 2"]
    writer.open(ghost_lab.write("titled.ipynb", *cells), enter=False)
    until(lambda: ghost_lab.events(event="asked", priority="warm"))
    texts = "\n".join(ghost_lab.events(event="asked", priority="warm")[0]["texts"])
    assert "# Penguins" in texts
    assert "first = 1" in texts
    writer.settle()
    assert len(writer.sent("tab:warm")) == 1
    select = "notebook:move-cursor-down"
    writer.execute(select)
    writer.settle()
    assert len(writer.sent("tab:warm")) == 1  # a text
    writer.execute(select)
    until(lambda: len(writer.sent("tab:warm")) == 2)  # code
    writer.execute(select)
    writer.settle()
    assert len(writer.sent("tab:warm")) == 2
    assert ghost_lab.asked == []


def test_nothing_is_read_ahead_without_code_or_where_it_is_not_wanted(
    writer: Writer, ghost_lab: GhostLab
) -> None:
    titled = [markdown("# Penguins"), "first = 1"]
    off = {"localcoder": {"completion": False}}
    writer.open(ghost_lab.write("prose.ipynb", markdown("# Penguins"), markdown("Data")), enter=False)
    writer.settle()
    writer.open(ghost_lab.write("off.ipynb", *titled, **off), enter=False)
    writer.settle()
    with writer.settings(completionMode="off"):
        writer.open(ghost_lab.write("later.ipynb", *titled), enter=False)
        writer.settle()
        assert writer.sent("tab:warm") == []
    until(lambda: writer.sent("tab:warm"))


def test_another_line_is_read_ahead_and_the_same_one_is_not(writer: Writer, ghost_lab: GhostLab) -> None:
    def warmed() -> list[str]:
        return [one["prefix"] for one in ghost_lab.events(event="asked", priority="warm")]

    lines = "first = 1\nsecond = 2\nthird = 3"
    writer.open(ghost_lab.write("lines.ipynb", "known = 1", lines), wait_for_kernel=True)
    writer.run()
    writer.knows("known")  # The end of a run is a reason to read ahead, too.
    writer.enter_cell(1)
    writer.press("Control+End")
    until(lambda: "first = 1\nsecond = 2\nthird = 3" in warmed())
    writer.press("ArrowUp")
    until(lambda: "first = 1\nsecond = " in warmed())  # the column stays
    writer.settle()
    sent = len(writer.sent("tab:warm"))
    writer.press("ArrowLeft", "ArrowLeft")
    writer.settle()
    assert len(writer.sent("tab:warm")) == sent


def test_what_the_model_has_read_can_be_seen(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "secret = ", "pieces": ["42"]}])
    writer.open(ghost_lab.write("inspect.ipynb", "key = 'hunter2'", ""))
    writer.enter_cell(1)
    writer.type("secret = ")
    writer.sees("42")
    writer.page.evaluate("() => { jupyterapp.commands.execute('localcoder:inspect-prompt'); }")
    dialog = writer.page.get_by_role("dialog")
    dialog.get_by_text("Tokens by source").wait_for()
    content = dialog.inner_text()
    for word in ("Reading", "Writing", "Waiting", "from the cache", "inspect.ipynb"):
        assert word in content, content
    writer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy Redacted").click()
    writer.page.locator(".Toastify__toast").filter(has_text="Redacted prompt copied").wait_for()
    copied = writer.page.evaluate("() => navigator.clipboard.readText()")
    assert "timings" in copied
    assert "hunter2" not in copied
    assert "secret" not in copied
