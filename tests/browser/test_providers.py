"""The tab of the providers: who answers, and a key that goes in and never comes out."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.ghost import GhostLab
from tests.browser.patience import open_sidebar_of_notebook_7
from tests.browser.themes import LIGHT, THEMES, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PANEL = ".jp-LocalCoder-Providers"
KEY = "sk-canary-0123456789abcdef"


class Vendor:
    """An OpenAI-compatible server on this machine: its list of models, and one answer."""

    def __init__(self) -> None:
        self.status = 200
        self.models = ["small", "large"]
        self.keys: list[str | None] = []
        self.asked: list[list[dict[str, str]]] = []
        """The messages of each request."""
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vendor.keys.append(self.headers.get("Authorization"))
                said: Any = {"data": [{"id": model} for model in vendor.models]}
                if vendor.status != 200:
                    said = {"error": {"message": "No such key here."}}
                body = json.dumps(said).encode()
                self.send_response(vendor.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                vendor.asked.append(asked["messages"])
                said = [
                    {"choices": [{"delta": {"content": "From **the lab**."}}]},
                    {"choices": [{"delta": {}, "finish_reason": "stop"}], "model": asked["model"]},
                ]
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for event in said:
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture
def lab(ghost_lab: GhostLab) -> Iterator[GhostLab]:
    """The shared lab; what a test has configured is gone after it."""
    yield ghost_lab
    ghost_lab.call("PATCH", "settings", {"air_gap": None, "completion_provider": None})
    ghost_lab.call("POST", "providers/embedded/activate", {})
    for provider in ghost_lab.call("GET", "providers")["providers"]:
        if provider["id"] != "embedded":
            ghost_lab.call("DELETE", f"providers/{provider['id']}")
    Path(ghost_lab.call("GET", "providers")["prices_path"]).unlink(missing_ok=True)


def opened(page: Any, lab: GhostLab) -> Any:
    """Open JupyterLab and the panel; the panel."""
    page.goto(lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-providers'); }")
    panel = page.locator(PANEL)
    expect(card(panel, "embedded")).to_be_visible()
    return panel


def card(panel: Any, provider: str) -> Any:
    return panel.locator(f"[data-provider='{provider}']")


def press(panel: Any, provider: str, label: str) -> None:
    card(panel, provider).get_by_role("button", name=re.compile(f"^{label}")).click()


def save(lab: GhostLab, vendor: Vendor, **changes: Any) -> None:
    lab.call(
        "PUT",
        "providers/lab",
        {"type": "openai_compatible", "name": "The lab", "base_url": vendor.url, "model": "small", **changes},
    )


def test_add_test_use_and_delete(page: Any, lab: GhostLab, vendor: Vendor, tmp_path: Path) -> None:
    panel = opened(page, lab)
    expect(panel).to_contain_text("Embedded answers. Prompts stay within LocalCoder")
    panel.get_by_role("button", name="Add a provider").click()
    form = panel.get_by_role("form", name="Add a provider")
    form.get_by_label("Kind").select_option("openai_compatible")
    form.get_by_label("Id", exact=True).fill("lab")
    form.get_by_label("Name (optional)").fill("The lab")
    form.get_by_label("Address").fill(vendor.url)
    form.get_by_label("Model", exact=True).fill("small")
    page.screenshot(path=tmp_path / "form.png")
    form.get_by_role("button", name="Save").click()
    lab_card = card(panel, "lab")
    expect(lab_card).to_contain_text("The lab")
    expect(lab_card.get_by_role("button", name="Edit: The lab")).to_be_focused()
    expect(lab_card).to_contain_text(f"Prompts go to another program on this machine, at {vendor.place}.")

    press(panel, "lab", "Test")
    expect(lab_card).to_contain_text(re.compile(r"Responded in \d+ ms\. The model small is available\."))
    vendor.models = ["large"]
    press(panel, "lab", "Test")
    expect(lab_card).to_contain_text("The model small is not available. Available models: large.")
    vendor.status = 401
    press(panel, "lab", "Test")
    expect(lab_card.locator("[data-severity=error]")).to_contain_text("No such key here.")

    press(panel, "lab", "Use")
    expect(panel).to_contain_text("The lab answers.")
    expect(lab_card.get_by_role("button", name="In use: The lab")).to_be_focused()
    assert lab.call("GET", "providers")["active"] == "lab"

    press(panel, "lab", "Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It is the active provider: the embedded model will be activated first.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(lab_card).to_be_visible()
    press(panel, "lab", "Delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(lab_card).to_have_count(0)
    expect(panel).to_be_focused()
    expect(panel).to_contain_text("Embedded answers.")
    expect(panel).to_contain_text("The embedded model now answers commands, chats and queued prompts.")


def test_a_key_goes_in_and_does_not_come_out(page: Any, lab: GhostLab, vendor: Vendor) -> None:
    heard: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived", lambda frame: heard.append(frame if isinstance(frame, str) else repr(frame))
        ),
    )
    save(lab, vendor)
    panel = opened(page, lab)
    press(panel, "lab", "Edit")
    form = panel.get_by_role("form", name="Edit The lab")
    key = form.get_by_label("Key (if required)")
    expect(key).to_have_attribute("type", "password")
    expect(key).to_have_attribute("autocomplete", "new-password")
    expect(key).to_have_accessible_description(re.compile(r"^The key is (stored|kept) in "))
    key.fill(KEY)
    form.get_by_label("Keep the key only until the server stops").check()
    form.get_by_role("button", name="Save").click()
    expect(card(panel, "lab")).to_contain_text("Key: in memory, until the server stops")
    press(panel, "lab", "Test")
    expect(card(panel, "lab")).to_contain_text("Responded in")
    assert vendor.keys[-1] == f"Bearer {KEY}"

    press(panel, "lab", "Edit")
    expect(key).to_have_value("")
    expect(key).to_have_accessible_description(re.compile("A key is stored. Leave empty to keep it."))
    form.get_by_label("Model", exact=True).fill("large")
    form.get_by_role("button", name="Save").click()
    press(panel, "lab", "Test")
    expect(card(panel, "lab")).to_contain_text("The model large is available.")
    assert vendor.keys[-1] == f"Bearer {KEY}"
    assert KEY not in page.content()
    assert heard
    assert KEY not in "".join(heard)

    press(panel, "lab", "Edit")
    form.get_by_label("Address").fill("https://elsewhere.example/v1")
    expect(key).to_have_accessible_description(re.compile("belongs to the previous address"))
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(card(panel, "lab").get_by_role("button", name="Edit: The lab")).to_be_focused()

    press(panel, "lab", "Delete the key")
    expect(card(panel, "lab")).to_contain_text("Key: none")


def test_what_is_wrong_stands_at_the_field(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    panel = opened(page, lab)
    panel.get_by_role("button", name="Add a provider").click()
    form = panel.get_by_role("form", name="Add a provider")
    form.get_by_label("Kind").select_option("azure_openai")
    expect(form.get_by_label("Id", exact=True)).to_have_value("azure-openai")
    form.get_by_role("button", name="Save").click()
    address = form.get_by_label("Address")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_be_focused()
    expect(address).to_have_accessible_description("The address is required.")
    # The form lets it pass, and the service does not.
    address.fill("http://models.example\\v1")
    form.get_by_label("Key", exact=True).fill(KEY)
    form.get_by_label("Send the key unencrypted").check()
    form.get_by_role("button", name="Save").click()
    expect(address).to_have_accessible_description(
        re.compile("characters that are not allowed in an address")
    )
    expect(address).to_be_focused()
    page.screenshot(path=tmp_path / "refused.png")
    assert violations(page, "#jp-LocalCoder-sidebar") == []
    assert KEY not in page.content()


def test_the_air_gap_shuts_out_all_but_the_embedded_one(
    page: Any, lab: GhostLab, vendor: Vendor, tmp_path: Path
) -> None:
    save(lab, vendor)
    panel = opened(page, lab)
    test = card(panel, "lab").get_by_role("button", name="Test: The lab")
    expect(test).to_be_enabled()
    lab.call("PATCH", "settings", {"air_gap": True})
    expect(panel.get_by_text("Air gap on")).to_be_visible()
    expect(card(panel, "lab").get_by_role("button", name="Use: The lab")).to_be_disabled()
    expect(test).to_be_disabled()
    expect(test).to_have_attribute("title", "The air gap is on.")
    test.click(force=True)
    expect(card(panel, "embedded").get_by_role("button", name="Test: Embedded")).to_be_enabled()
    page.screenshot(path=tmp_path / "air-gap.png")
    press(panel, "embedded", "Test")
    expect(card(panel, "embedded")).to_contain_text("Ready.")
    assert vendor.keys == []
    lab.call("PATCH", "settings", {"air_gap": False})
    expect(test).to_be_enabled()


def test_prices_are_shown_where_there_are_some(page: Any, lab: GhostLab, vendor: Vendor) -> None:
    prices = Path(lab.call("GET", "providers")["prices_path"])
    prices.write_text(
        json.dumps({"format": 1, "usd_per_million_tokens": {"lab/small": {"input": 0.5, "output": 2}}})
    )
    save(lab, vendor)
    panel = opened(page, lab)
    expect(card(panel, "lab")).to_contain_text("Price: $0.50 input, $2.00 output per million tokens")
    expect(card(panel, "embedded")).not_to_contain_text("Price")


def test_two_tabs_are_in_step(page: Any, lab: GhostLab, vendor: Vendor) -> None:
    save(lab, vendor)
    other = page.context.new_page()
    here, there = opened(page, lab), opened(other, lab)
    press(here, "lab", "Use")
    expect(there).to_contain_text("The lab answers.")
    press(there, "embedded", "Use")
    expect(here).to_contain_text("Embedded answers.")
    other.close()


def test_another_one_completes_until_it_is_deleted(
    page: Any, lab: GhostLab, vendor: Vendor, tmp_path: Path
) -> None:
    save(lab, vendor, fill="suffix")
    lab.call(
        "PUT", "providers/other", {"type": "openai_compatible", "base_url": vendor.url, "model": "small"}
    )
    panel = opened(page, lab)
    choice = panel.get_by_label("Completion while you type")
    expect(choice).to_have_value("embedded")
    expect(choice.locator("option")).to_have_text(["Embedded", "The lab"])
    expect(panel).to_contain_text("What you type stays within LocalCoder.")
    page.screenshot(path=tmp_path / "embedded.png")
    # Beside its badges, active and completes and local, a name is not torn into letters.
    assert card(panel, "embedded").get_by_role("heading").bounding_box()["height"] < 24
    choice.select_option("lab")
    expect(panel).to_contain_text(f"sent to another program on this machine, at {vendor.place}.")
    expect(card(panel, "lab").get_by_text("completes", exact=True)).to_be_visible()
    assert lab.call("GET", "settings")["settings"]["completion_provider"] == "lab"
    page.screenshot(path=tmp_path / "completes.png")
    assert violations(page, "#jp-LocalCoder-sidebar") == []
    lab.call("PATCH", "settings", {"air_gap": True})
    expect(panel).to_contain_text("Select the embedded model")
    lab.call("PATCH", "settings", {"air_gap": None})

    press(panel, "lab", "Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It completes while you type: the embedded model will take over.")
    page.screenshot(path=tmp_path / "delete.png")
    dialog.get_by_role("button", name="Delete").click()
    expect(choice).to_have_value("embedded")
    expect(panel).to_contain_text("What you type stays within LocalCoder.")
    assert lab.call("GET", "settings")["settings"]["completion_provider"] == "embedded"


def test_by_the_keyboard_alone(page: Any, lab: GhostLab, vendor: Vendor) -> None:
    panel = opened(page, lab)
    expect(panel).to_be_focused()
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            focused = page.evaluate(
                """() => {
                  const { ariaLabel, labels, textContent } = document.activeElement;
                  return ariaLabel ?? labels?.[0]?.textContent ?? textContent.trim();
                }"""
            )
            if focused.startswith(name):
                return
        raise AssertionError(f"{name} was not reached")

    tab_to("Add a provider")
    keys.press("Enter")
    expect(panel.get_by_label("Kind")).to_be_focused()
    for _ in range(20):
        if panel.get_by_label("Kind").input_value() == "openai_compatible":
            break
        keys.press("ArrowDown")
    expect(panel.get_by_label("Kind")).to_have_value("openai_compatible")
    tab_to("Address")
    keys.type(vendor.url)
    keys.press("Enter")
    expect(panel.get_by_role("button", name="Edit: openai-compatible")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(card(panel, "openai-compatible")).to_contain_text("Available models: small, large.")
    keys.press("Shift+Tab")
    keys.press("Space")
    expect(panel).to_contain_text("openai-compatible answers.")
    tab_to("Delete…")
    expect(panel.get_by_role("button", name="Delete… openai-compatible")).to_be_enabled()
    keys.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    tab_to("Delete")
    keys.press("Enter")
    expect(card(panel, "openai-compatible")).to_have_count(0)


def test_it_keeps_nobody_out_in_any_theme(page: Any, lab: GhostLab, vendor: Vendor, tmp_path: Path) -> None:
    save(lab, vendor)
    remote = {"type": "openai", "name": "OpenAI", "model": "gpt", "key": KEY, "keep_key": "session"}
    lab.call("PUT", "providers/openai", remote)
    panel = opened(page, lab)
    press(panel, "lab", "Test")
    press(panel, "openai", "Edit")
    for theme in THEMES:
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
    # The lab keeps it, and is shared.
    wear(page, LIGHT)


def test_notebook_7_has_it_too(page: Any, lab: GhostLab, vendor: Vendor, tmp_path: Path) -> None:
    save(lab, vendor)
    open_sidebar_of_notebook_7(page, lab.page("tree"))
    page.get_by_role("tab", name="Providers").click()
    panel = page.locator(PANEL)
    press(panel, "lab", "Test")
    expect(card(panel, "lab")).to_contain_text("Responded in")
    page.screenshot(path=tmp_path / "notebook-7.png")
