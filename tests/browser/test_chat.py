"""The chat in the sidebar: what a person sees of it, and what becomes of the notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.answering import MODEL, Answers, running_answers
from tests.browser.ghost import CURRENT, KERNEL_MS, READY, VARIABLES
from tests.browser.patience import harmless, settle, until
from tests.browser.test_commands import ACTING, SET_SOURCE, fenced, opened
from tests.browser.test_providers import Vendor
from tests.browser.themes import DARK, LIGHT, wear
from tests.support.hostile_answers import AWAY, HOSTILE

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

CHAT = ".jp-LocalCoder-Chat"
SOURCES = """() => jupyterapp.shell.widgets('main').next().value
  .content.widgets.map(cell => cell.model.sharedModel.getSource())"""
ACTIVATE = """index => {
  jupyterapp.shell.widgets('main').next().value.content.activeCellIndex = index;
}"""
RECORD = """index => jupyterapp.shell.widgets('main').next().value
  .content.widgets[index].model.getMetadata('localcoder')"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with running_answers(tmp_path_factory.mktemp("chat")) as answers:
        yield answers


@pytest.fixture
def vendor(answers: Answers) -> Iterator[Vendor]:
    """Another provider than the embedded one; after the test it is gone."""
    vendor = Vendor()
    fields = {"type": "openai_compatible", "name": "The lab", "base_url": vendor.url, "model": "small"}
    answers.lab.call("PUT", "providers/lab", fields)
    yield vendor
    answers.lab.call("POST", "providers/embedded/activate")
    answers.lab.call("DELETE", "providers/lab")
    vendor.close()


def chat_of(page: Any) -> Any:
    """Open the chat; its panel."""
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-chat'); }")
    chat = page.locator(CHAT)
    expect(box(chat)).to_be_focused()
    return chat


def box(chat: Any) -> Any:
    return chat.get_by_role("textbox", name="Question")


def says(chat: Any) -> Any:
    return chat.get_by_role("status")


def button(chat: Any, name: str) -> Any:
    return chat.get_by_role("button", name=name, exact=True)


def chips(place: Any) -> Any:
    return place.locator(".jp-LocalCoder-Chips li")


def ask(page: Any, chat: Any, words: str) -> None:
    box(chat).fill(words)
    box(chat).press("Enter")


def sent_by(page: Any) -> list[str]:
    """What the page asks in chats from now on; before it is opened."""
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    return sent


def test_a_question_is_answered_and_its_code_used(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("It **grows**:\n\n" + fenced("y = x + 1") + "\nThat is all.")
    opened(page, answers, "use.ipynb", "x = 1", "print(x)")
    chat = chat_of(page)
    ask(page, chat, "How does it grow?")
    expect(says(chat)).to_have_text("Done.")
    expect(chat.locator("strong")).to_have_text("grows")
    expect(chat.locator(".jp-LocalCoder-Turn-usage")).to_contain_text(f"{MODEL} · 3 tokens read, ")
    page.screenshot(path=tmp_path / "chat-light.png")
    assert violations(page, CHAT) == []
    wear(page, DARK)
    page.screenshot(path=tmp_path / "chat-dark.png")
    assert violations(page, CHAT) == []
    wear(page, LIGHT)

    button(chat, "Insert below").click()
    page.wait_for_function(f"() => ({SOURCES})().length === 3")
    assert page.evaluate(SOURCES) == ["x = 1", "print(x)", "y = x + 1"]
    record = page.evaluate(RECORD, 2)
    assert (record["command"], record["model"]) == ("chat", MODEL)
    assert page.locator(".jp-OutputArea-output").count() == 0, "nothing runs by itself"


def test_code_replaces_a_cell_once_the_change_is_accepted(
    page: Any, answers: Answers, tmp_path: Path
) -> None:
    answers.say(fenced("y = x + 1"))
    opened(page, answers, "replace.ipynb", "x = 1", "print(x)")
    chat = chat_of(page)
    ask(page, chat, "How does it grow?")
    expect(says(chat)).to_have_text("Done.")
    replace = button(chat, "Replace cell")
    replace.click()
    change = page.get_by_role("region", name="LocalCoder: Replace the cell")
    expect(change).to_be_focused()
    expect(change.get_by_role("status")).to_contain_text("1 change suggested.")
    expect(change.locator(".cm-deletedChunk")).to_contain_text("print(x)")
    assert page.evaluate(SOURCES) == ["x = 1", "print(x)"]
    for theme in (DARK, LIGHT):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, ".jp-LocalCoder-Command") == [], theme
    change.focus()
    page.keyboard.press("Escape")
    expect(change).to_have_count(0)
    assert page.evaluate(SOURCES) == ["x = 1", "print(x)"]

    replace.click()
    expect(change).to_be_focused()
    page.evaluate(SET_SOURCE, "print(x, x)")
    expect(change.get_by_role("status")).to_contain_text("The cell was changed in the meantime")
    expect(change.get_by_role("button", name="Accept all")).to_have_count(0)
    replace.click()  # it takes the place of the other
    expect(change).to_have_count(1)
    expect(change).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(change).to_have_count(0)
    assert page.evaluate(SOURCES) == ["x = 1", "y = x + 1"]
    record = page.evaluate(RECORD, 1)
    assert (record["command"], record["model"]) == ("chat", MODEL)
    expect(page.locator(".jp-CodeCell .cm-content").nth(1)).to_be_focused()
    page.keyboard.press("Control+z")
    assert page.evaluate(SOURCES) == ["x = 1", "print(x, x)"]
    assert page.locator(".jp-OutputArea-output").count() == 0, "nothing runs by itself"


def test_code_takes_the_place_of_a_cell_below_its_magics(page: Any, answers: Answers, tmp_path: Path) -> None:
    cells = ("%%time\n%matplotlib inline\nx = 1", "%%bash\nls", "a()\n%time f()\nb()", "%%html\n<p>")
    answers.say(fenced("x = 2"))
    opened(page, answers, "magics.ipynb", *cells)
    chat = chat_of(page)
    ask(page, chat, "How?")
    expect(says(chat)).to_have_text("Done.")
    change = page.get_by_role("region", name="LocalCoder: Replace the cell")
    page.evaluate(ACTIVATE, 0)
    button(chat, "Replace cell").click()
    expect(change.locator(".cm-deletedChunk")).to_contain_text("x = 1")
    page.screenshot(path=tmp_path / "magics.png")
    change.get_by_role("button", name="Accept all").click()
    expect(change).to_have_count(0)
    after = ["%%time\n%matplotlib inline\nx = 2", *cells[1:]]
    assert page.evaluate(SOURCES) == after

    # What does not fit the cell is said, and nothing is changed.
    toasts = page.locator(".Toastify [role=alert]")
    for index, problem in ((1, "which is bash"), (2, "omits `%time f()`")):
        page.evaluate(ACTIVATE, index)
        button(chat, "Replace cell").click()
        expect(toasts.filter(has_text=problem)).to_be_visible()
        expect(change).to_have_count(0)
    assert page.evaluate(SOURCES) == after
    # Another language than the notebook's gets the magic below which it runs.
    answers.say("```bash\nls -l\n```\n")
    ask(page, chat, "And in a shell?")
    expect(button(chat, "Insert below")).to_have_count(2)
    expect(says(chat)).to_have_text("Done.")
    page.evaluate(ACTIVATE, 1)
    button(chat, "Replace cell").last.click()
    change.get_by_role("button", name="Accept all").click()
    expect(change).to_have_count(0)
    page.evaluate(ACTIVATE, 3)
    button(chat, "Insert below").last.click()
    page.wait_for_function(f"() => ({SOURCES})().length === 5")
    assert page.evaluate(SOURCES) == [after[0], "%%bash\nls -l", *after[2:], "%%bash\nls -l"]


def test_the_versions_of_an_answer_are_browsed(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("first")
    opened(page, answers, "versions.ipynb", "x = 1")
    chat = chat_of(page)
    texts = chat.locator(".jp-RenderedMarkdown")
    ask(page, chat, "Why?")
    expect(says(chat)).to_have_text("Done.")
    versions = chat.get_by_role("group", name="Versions of this turn")
    expect(versions).to_have_count(0)
    answers.say("second")
    button(chat, "Answer again").click()
    expect(texts).to_have_text(["second"])
    expect(versions).to_contain_text("2 of 2")
    expect(says(chat)).to_have_text("Done.")
    previous, following = (button(versions, f"{way} version") for way in ("Previous", "Next"))
    expect(following).to_be_disabled()
    previous.focus()
    page.keyboard.press("Enter")
    expect(texts).to_have_text(["first"])
    expect(versions).to_contain_text("1 of 2")
    expect(previous).to_be_focused()
    page.screenshot(path=tmp_path / "versions.png")
    assert violations(page, CHAT) == []

    answers.say("third")
    ask(page, chat, "And?")
    expect(texts).to_have_text(["first", "third"])
    expect(says(chat)).to_have_text("Done.")
    following.click()
    expect(texts).to_have_text(["second"])
    previous.click()
    expect(texts).to_have_text(["first", "third"])


def test_a_conversation_is_renamed(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("With half of the brain.")
    opened(page, answers, "rename.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "How do whales sleep?")
    choice = chat.get_by_role("combobox", name="Conversation")
    chosen = choice.locator("option:checked")
    expect(chosen).to_have_text("How do whales sleep?")
    choice.focus()
    page.keyboard.press("F2")
    title = page.get_by_role("dialog").get_by_role("textbox")
    expect(title).to_have_value("How do whales sleep?")
    page.screenshot(path=tmp_path / "rename.png")
    title.fill("Whales at night")
    page.keyboard.press("Enter")
    expect(chosen).to_have_text("Whales at night")
    expect(choice).to_be_focused()
    button(chat, "Rename…").click()
    title.fill("Whales")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(chosen).to_have_text("Whales")
    page.screenshot(path=tmp_path / "renamed.png")
    assert violations(page, CHAT) == []
    titles = [one["title"] for one in answers.lab.call("GET", "conversations")["conversations"]]
    assert titles[0] == "Whales"


def test_conversations_go_on_in_a_renamed_notebook(page: Any, answers: Answers, tmp_path: Path) -> None:
    """That of the chat, and that of the magic in the notebook."""
    answers.say("an answer")
    opened(page, answers, "before.ipynb", "%load_ext jupyter_localcoder", "%%chat\nOne?", "%%chat\nTwo?")
    page.wait_for_function(READY)
    outputs = page.locator(".jp-CodeCell .jp-OutputArea-output")

    def run(index: int) -> None:
        page.evaluate(ACTIVATE, index)
        page.evaluate("() => { jupyterapp.commands.execute('notebook:run-cell'); }")

    run(0)
    run(1)
    expect(outputs.filter(has_text="an answer")).to_have_count(1)
    chat = chat_of(page)
    ask(page, chat, "Three?")
    expect(says(chat)).to_have_text("Done.")

    page.evaluate("() => { jupyterapp.commands.execute('docmanager:rename'); }")
    name = page.get_by_role("dialog").get_by_role("textbox")
    name.fill("after.ipynb")
    name.press("Enter")
    page.wait_for_function("() => jupyterapp.shell.currentWidget.context.path === 'after.ipynb'")
    expect(page.get_by_role("dialog")).to_have_count(0)

    run(2)
    expect(outputs.filter(has_text="an answer")).to_have_count(2)
    ask(page, chat, "Four?")
    expect(chat.locator(".jp-RenderedMarkdown")).to_have_count(2)
    expect(says(chat)).to_have_text("Done.")
    questions = chat.locator(".jp-LocalCoder-Turn-question")
    expect(questions).to_have_text([re.compile("Three"), re.compile("Four")])
    page.screenshot(path=tmp_path / "renamed.png")
    chat.get_by_role("combobox", name="Conversation").select_option(label="One?")
    expect(questions).to_have_text([re.compile("One"), re.compile("Two")])


def test_another_provider_answers_and_a_private_question_is_not_kept(
    page: Any, answers: Answers, vendor: Vendor, tmp_path: Path
) -> None:
    answers.say("From here.")
    opened(page, answers, "who.ipynb", "x = 1")
    chat = chat_of(page)
    usage = chat.locator(".jp-LocalCoder-Turn-usage")
    who = chat.get_by_label("Answered by")
    expect(who.locator("option:checked")).to_have_text("Active provider")
    ask(page, chat, "Who are you?")
    expect(chat).to_contain_text("From here.")
    assert vendor.asked == []

    who.select_option("The lab")
    expect(chat).to_contain_text(
        f"The lab answers. Prompts go to another program on this machine, at {vendor.place}."
    )
    page.screenshot(path=tmp_path / "who.png")
    assert violations(page, CHAT) == []
    chat.get_by_label("Private").check()
    expect(chat).to_contain_text("Not saved")
    ask(page, chat, "And you?")
    expect(chat.locator("strong")).to_have_text("the lab")
    expect(usage.last).to_have_text("small by lab · private: not saved")
    assert [one["content"] for one in vendor.asked[0][1:]] == ["Who are you?", "From here.", "And you?"]

    def kept() -> list[str]:
        found = answers.lab.call("GET", "responses")["responses"]
        return [one["preview"] for one in found if "you?" in one["preview"]]

    until(kept)
    assert kept() == ["Who are you?"]

    chat.get_by_label("Private").uncheck()
    who.select_option("Active provider")
    answers.lab.call("POST", "providers/lab/activate", {})
    expect(chat).to_contain_text("The lab answers.")
    ask(page, chat, "Still there?")
    expect(usage.last).to_have_text("small by lab")
    assert len(vendor.asked) == 2
    answers.lab.call("POST", "providers/embedded/activate", {})
    expect(chat).not_to_contain_text("The lab answers.")


def test_an_answer_is_stopped_and_asked_for_again(page: Any, answers: Answers) -> None:
    answers.say("It begins\n\n" + "and goes on\n\n" * 60 + "to here\n\n", ends=False)
    opened(page, answers, "stop.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "Go on.")
    expect(chat.locator(".jp-LocalCoder-Turn-answer")).to_contain_text("It begins")
    expect(chat.get_by_text("to here")).to_be_in_viewport()
    expect(says(chat)).to_have_text("Writing.")
    button(chat, "Stop").click()
    expect(says(chat)).to_have_text("Stopped.")
    expect(chat.locator(".jp-LocalCoder-Turn-answer")).to_contain_text("It begins")
    answers.say("It ends.")
    button(chat, "Answer again").click()
    expect(says(chat)).to_have_text("Done.")
    expect(chat.locator(".jp-RenderedMarkdown")).to_have_text("It ends.")


def test_no_button_takes_the_place_of_who_uses_the_keyboard(page: Any, answers: Answers) -> None:
    answers.say("It begins", ends=False)
    opened(page, answers, "keys-place.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "Go on.")
    expect(says(chat)).to_have_text("Writing.")
    button(chat, "Stop").press("Enter")
    expect(says(chat)).to_have_text("Stopped.")
    expect(button(chat, "Send")).to_be_focused()
    expect(button(chat, "Send")).to_be_disabled()
    button(chat, "Edit").press("Enter")
    expect(chat.get_by_role("textbox", name="Edit the question")).to_be_focused()
    page.keyboard.press("Escape")
    expect(box(chat)).to_be_focused()
    answers.say("It ends.")
    button(chat, "Answer again").press("Enter")
    expect(says(chat)).to_have_text("Done.")
    expect(box(chat)).to_be_focused()


def test_a_lost_connection_is_said(page: Any, answers: Answers) -> None:
    sockets: list[Any] = []

    def connect(socket: Any) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            socket.connect_to_server()
        else:
            socket.close()

    page.route_web_socket(re.compile("localcoder/channel"), connect)
    opened(page, answers, "away.ipynb", "x = 1")
    chat = chat_of(page)
    expect(chat.get_by_role("alert")).to_have_count(0)
    sockets[0].close()
    expect(chat.get_by_text("Connection to the Jupyter server lost.")).to_be_visible()
    assert violations(page, CHAT) == []


def test_a_question_is_edited_and_the_conversation_found_again(page: Any, answers: Answers) -> None:
    answers.say("first answer")
    sent = sent_by(page)
    opened(page, answers, "edit.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "One?")
    expect(says(chat)).to_have_text("Done.")
    ask(page, chat, "Two?")
    expect(chat.locator(".jp-RenderedMarkdown")).to_have_count(2)
    expect(says(chat)).to_have_text("Done.")
    answers.say("another answer")
    button(chat, "Edit").first.click()
    edit = chat.get_by_role("textbox", name="Edit the question")
    expect(edit).to_be_focused()
    edit.fill("Three?")
    edit.press("Enter")
    expect(chat.locator(".jp-RenderedMarkdown")).to_have_text("another answer")
    expect(chat.locator(".jp-LocalCoder-Turn")).to_have_count(1)
    asked = [frame for frame in sent if '"op":"chat"' in frame]
    assert len(asked) == 3
    assert '"conversation":"new"' in asked[0]
    assert '"parent":""' in asked[2]

    expect(says(chat)).to_have_text("Done.")
    button(chat, "New").click()
    expect(chat.locator(".jp-LocalCoder-Turn")).to_have_count(0)
    choice = chat.get_by_role("combobox", name="Conversation")
    choice.select_option(index=1)
    expect(chat.locator(".jp-LocalCoder-Turn-question").last).to_contain_text("Three?")
    button(chat, "Delete").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(chat.locator(".jp-LocalCoder-Turn")).to_have_count(0)


def test_what_goes_along_is_shown_as_chips(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("Fine.")
    (answers.lab.work / "My Data").mkdir(exist_ok=True)
    (answers.lab.work / "My Data" / "notes.txt").write_text("Prices are net.")
    sent = sent_by(page)
    opened(page, answers, "chips.ipynb", "secret = 'hidden'\nsizes = [1, 2]")
    page.wait_for_function(READY)
    page.keyboard.press("Control+Enter")
    chat = chat_of(page)
    box(chat).press_sequentially("What is @")
    options = chat.locator("[role=listbox] [role=option]")
    expect(options.first).to_contain_text("@cell")
    box(chat).press("Enter")
    expect(chips(chat)).to_have_text(["@cell cell 1"])
    expect(box(chat)).to_have_value("What is ")

    box(chat).press_sequentially("@file:my")
    expect(options).to_have_text(["@file:My Data/ "])
    box(chat).press("Tab")
    expect(options).to_have_text(["@file:My Data/notes.txt "])
    page.screenshot(path=tmp_path / "mention.png")
    assert violations(page, CHAT) == []
    box(chat).press("Enter")
    expect(chips(chat)).to_have_count(2)

    variable = options.filter(has_text="@variable:secret")
    # The kernel is asked a moment after the run.
    page.wait_for_function(
        f"() => {VARIABLES}({CURRENT}.sessionContext).some(({{ name }}) => name === 'secret')",
        timeout=KERNEL_MS,
    )
    box(chat).fill("What is ")
    box(chat).press_sequentially("@secr")
    variable.click()
    expect(chips(chat)).to_have_count(3)
    button(chat, "Remove @cell cell 1").click()
    expect(chips(chat)).to_have_text(["@file My Data/notes.txt", "@variable secret"])
    box(chat).fill("What is it?")
    box(chat).press("Enter")
    expect(chips(chat.locator(".jp-LocalCoder-Turn"))).to_have_text(
        ["@file My Data/notes.txt", "@variable secret"]
    )
    expect(says(chat)).to_have_text("Done.")
    asked = next(frame for frame in sent if '"op":"chat"' in frame)
    assert "Prices are net." in asked
    assert "secret: str" in asked
    assert "hidden" not in asked, "a value went along"
    page.screenshot(path=tmp_path / "chips.png")

    # What the question names goes along without being chosen, unless the person says no.
    switch = chat.get_by_role("checkbox", name="Use kernel variables")
    expect(switch).to_be_checked()
    assert '"variables":[' in asked
    switch.uncheck()
    box(chat).fill("And what is secret?")
    box(chat).press("Enter")
    expect(chat.locator(".jp-LocalCoder-Turn")).to_have_count(2)
    until(lambda: sum('"op":"chat"' in frame for frame in sent) == 2)
    last = next(frame for frame in reversed(sent) if '"op":"chat"' in frame)
    assert '"variables"' not in last
    assert "And what is secret?" in last
    switch.check()
    page.screenshot(path=tmp_path / "switch.png")
    chat.get_by_role("button", name="Prompt", exact=True).last.click()
    expect(page.locator(".jp-LocalCoder-Inspector")).to_contain_text("Tokens by source")
    assert violations(page, ".jp-LocalCoder-Inspector") == []


def test_a_command_is_gone_on_with(page: Any, answers: Answers) -> None:
    answers.say("It prints.")
    opened(page, answers, "go-on.ipynb", "print(1)")
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:explain'); }")
    panel = page.locator(".jp-LocalCoder-Command")
    panel.get_by_role("button", name="Ask in chat").click()
    chat = page.locator(CHAT)
    expect(chips(chat)).to_have_text(["@cell Explain", "Text Explain"])
    expect(box(chat)).to_be_focused()


def test_keys_are_enough(page: Any, answers: Answers) -> None:
    answers.say("It begins", ends=False)
    opened(page, answers, "keys-chat.ipynb", "x = 1")
    page.keyboard.press("Alt+Shift+c")
    page.keyboard.press("c")
    chat = page.locator(CHAT)
    expect(box(chat)).to_be_focused()
    expect(chips(chat)).to_have_text(["@cell cell 1"])
    page.keyboard.type("Why?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("And when?")
    page.keyboard.press("Enter")
    expect(says(chat)).to_have_text("Writing.")
    page.keyboard.press("Escape")
    expect(says(chat)).to_have_text("Stopped.")
    expect(chat.locator(".jp-LocalCoder-Turn-question p")).to_have_text("Why?\nAnd when?")
    assert page.evaluate(SOURCES) == ["x = 1"], "no key went to the notebook"


def test_nothing_in_an_answer_acts(page: Any, answers: Answers) -> None:
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: troubles.append(popup.url))
    answers.say("ready")
    opened(page, answers, "hostile.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "Begin.")
    expect(says(chat)).to_have_text("Done.")
    for number, hostile in enumerate(HOSTILE):
        answers.say(f"{hostile}\n\nanswer {number}.")
        button(chat, "Answer again").click()
        expect(chat.locator(".jp-LocalCoder-Markdown")).to_contain_text(f"answer {number}.")
        found = page.evaluate(ACTING, f"{CHAT} .jp-LocalCoder-Markdown .jp-RenderedMarkdown")
        assert found == [], f"{hostile}: {found}"
        expect(says(chat)).to_have_text("Done.")
    harmless(page)
    assert [url for url in asked if url.startswith(AWAY)] == []
    assert troubles == []


def test_notebook_7(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("An answer.")
    answers.notebook("chat-seven.ipynb", "x = 1")
    page.goto(answers.lab.page("notebooks/chat-seven.ipynb"))
    content = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    expect(content).to_contain_text("x = 1")
    content.click()
    page.keyboard.press("Alt+Shift+c")
    page.keyboard.press("c")
    chat = page.locator(CHAT)
    expect(chips(chat)).to_have_text(["@cell cell 1"])
    ask(page, chat, "Why?")
    expect(chat.locator(".jp-RenderedMarkdown")).to_have_text("An answer.")
    page.screenshot(path=tmp_path / "chat-notebook7.png")


def compose(page: Any, text: str, key: str = "Enter") -> None:
    """Write with an input method: a candidate, a key that is for it alone, and the text in its place."""
    ime = page.context.new_cdp_session(page)
    ime.send("Input.imeSetComposition", {"text": "nihon", "selectionStart": 5, "selectionEnd": 5})
    page.keyboard.press(key)
    # A browser reports the key so on other systems.
    page.evaluate(
        """key => document.activeElement.dispatchEvent(new KeyboardEvent(
          'keydown', { key, keyCode: 229, bubbles: true, cancelable: true }
        ))""",
        key,
    )
    ime.send("Input.insertText", {"text": text})
    ime.detach()


def test_keys_of_an_input_method_are_for_it_alone(page: Any, answers: Answers) -> None:
    answers.say("Fine.")
    sent = sent_by(page)
    opened(page, answers, "ime.ipynb", "x = 1")
    chat = chat_of(page)

    def asked() -> int:
        return len([frame for frame in sent if '"op":"chat"' in frame])

    box(chat).focus()
    compose(page, "日本")
    expect(box(chat)).to_have_value("日本")
    assert asked() == 0
    # In the list behind the @, it chooses nothing; Escape does not close it, nor does Tab leave it.
    options = chat.locator("[role=listbox] [role=option]")
    box(chat).press_sequentially(" @")
    expect(options.first).to_contain_text("@cell")
    for key in ("Enter", "Tab", "Escape", "ArrowDown"):
        page.evaluate(
            """key => document.activeElement.dispatchEvent(new KeyboardEvent(
              'keydown', { key, isComposing: true, bubbles: true, cancelable: true }
            ))""",
            key,
        )
    settle(page)
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(chips(chat)).to_have_count(0)
    box(chat).fill("One?")
    box(chat).press("Enter")
    expect(says(chat)).to_have_text("Done.")
    assert asked() == 1

    button(chat, "Edit").first.click()
    edit = chat.get_by_role("textbox", name="Edit the question")
    expect(edit).to_be_focused()
    edit.press("End")
    compose(page, "日本")
    compose(page, "語", "Escape")
    expect(edit).to_have_value("One?日本語")
    assert asked() == 1
    edit.press("Escape")

    # A title is written in a dialog of JupyterLab.
    button(chat, "Rename…").click()
    title = page.locator(".jp-Dialog input")
    expect(title).to_be_focused()
    compose(page, "日本")
    compose(page, "語", "Escape")
    expect(title).to_have_value(re.compile("日本語$"))
    title.press("Escape")
    expect(page.locator(".jp-Dialog")).to_have_count(0)


def test_what_is_written_out_goes_along(page: Any, answers: Answers) -> None:
    answers.say("Fine.")
    (answers.lab.work / "draft.py").write_text("saved = 1\n")
    sent = sent_by(page)
    opened(page, answers, "written.ipynb", "mine = 3")
    # Opened behind the notebook, and changed without being saved.
    page.evaluate(
        """async () => {
          const file = await jupyterapp.commands.execute(
            'docmanager:open', { path: 'draft.py', options: { activate: false, mode: 'tab-after' } }
          );
          await file.context.ready;
          file.context.model.sharedModel.setSource('unsaved = 2\\n');
        }"""
    )
    chat = chat_of(page)
    ask(page, chat, "What do @cell and @file:draft.py, say?")
    expect(chips(chat.locator(".jp-LocalCoder-Turn"))).to_have_text(["@cell cell 1", "@file draft.py"])
    expect(says(chat)).to_have_text("Done.")
    asked = next(frame for frame in sent if '"op":"chat"' in frame)
    assert "mine = 3" in asked
    assert "unsaved = 2" in asked
    assert "saved = 1" not in asked.replace("unsaved", "")
    # What is not there is said, and the question stays.
    ask(page, chat, "And @file:nothing.py?")
    expect(chat.get_by_role("alert").filter(has_text="There is no file")).to_be_visible()
    expect(box(chat)).to_have_value("And @file:nothing.py?")
    assert len([frame for frame in sent if '"op":"chat"' in frame]) == 1
    page.evaluate(
        """() => { for (const widget of [...jupyterapp.shell.widgets('main')]) {
          if (widget.context?.path === 'draft.py') { widget.context.model.dirty = false; widget.dispose(); }
        } }"""
    )


def test_outputs_and_errors_go_along(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("Fine.")
    sent = sent_by(page)
    opened(page, answers, "failed.ipynb", "1 / 0", "print('all is', 6 * 7)", "x = 1")
    page.wait_for_function(READY)
    page.evaluate(ACTIVATE, 0)
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-cell'); }")
    page.locator(".jp-OutputArea-output", has_text="ZeroDivisionError").wait_for(timeout=KERNEL_MS)
    page.evaluate(ACTIVATE, 1)
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-cell'); }")
    page.get_by_text("all is 42").wait_for(timeout=KERNEL_MS)
    chat = chat_of(page)
    options = chat.locator("[role=listbox] [role=option]")
    box(chat).press_sequentially("Why @")
    # The error is that of another cell than the current one, which has none.
    expect(options.filter(has_text="@error")).to_contain_text("cell 1")
    expect(options.filter(has_text="@output")).to_contain_text("cell 2")
    page.screenshot(path=tmp_path / "error.png")
    box(chat).press_sequentially("err")
    box(chat).press("Enter")
    expect(chips(chat)).to_have_text(["@error cell 1"])
    box(chat).press_sequentially("with @output?")
    box(chat).press("Enter")
    expect(says(chat)).to_have_text("Done.")
    expect(chips(chat.locator(".jp-LocalCoder-Turn"))).to_have_text(["@error cell 1", "@output cell 2"])
    asked = next(frame for frame in sent if '"op":"chat"' in frame)
    assert "ZeroDivisionError" in asked
    assert "all is 42" in asked
    assert "\\u001b" not in asked
    # Where there is none, that is said.
    page.evaluate(ACTIVATE, 2)
    ask(page, chat, "And @output?")
    expect(chat.get_by_role("alert").filter(has_text="No content for @output.")).to_be_visible()
    expect(box(chat)).to_have_value("And @output?")


def test_formulas_are_typeset(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say(
        "So \\(a^2\\) and $b^2$:\n\n\\[\n\\frac{c}{d}\n\\]\n\n$$e$$\n\nBut `\\(no\\)` and:\n\n"
        + fenced("print('\\(nor\\)')")
    )
    opened(page, answers, "math.ipynb", "x = 1")
    chat = chat_of(page)
    ask(page, chat, "How?")
    expect(says(chat)).to_have_text("Done.")
    expect(chat.locator("mjx-container")).to_have_count(4)
    expect(chat.locator("mjx-container[display=true]")).to_have_count(2)
    expect(chat.locator("code").first).to_have_text("\\(no\\)")
    expect(chat.locator("pre")).to_contain_text("print('\\(nor\\)')")
    page.screenshot(path=tmp_path / "formulas.png")
