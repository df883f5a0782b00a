"""The manager in a cell: what it shows, and what pressing does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from jupyter_localcoder.errors import (
    Canceled,
    ConnectionFailed,
    DiskFull,
    InvalidModel,
    ModelInUse,
    OutOfMemory,
    SourceFileNotFound,
    ValidationError,
    by_code,
)
from jupyter_localcoder.widgets import ModelManager
from jupyter_localcoder.widgets.controller import Controller


def test_a_model_is_shown_with_its_facts_its_licence_and_whether_it_fits(seen: Any, service: Any) -> None:
    card = seen.card("small")
    for words in ("Model small", "not downloaded", "491 MB · Q4_K_M · 32k context · code, general",
                  "Apache 2.0 · Built with care", "answers code and general questions",
                  "<b>Fits</b>: needs 600 MB, 8 GB available",
                  "KV cache for 4,096 tokens: 10 B"):  # fmt: skip
        assert words in card, words


def test_nothing_is_fetched_before_the_licence_is_accepted(seen: Any, service: Any) -> None:
    seen.press("Download", "small")
    assert "You may &lt;use&gt; it." in seen.text
    seen.press("Decline", "small")
    assert service.asked == []
    assert "Licence text" not in seen.card("small")
    seen.press("Download", "small")
    seen.press("Accept and download", "small")
    ((name, request),) = service.asked
    assert (name, request.id, request.accept_license, request.allow_download) == (
        "model:ensure", "small", "c0", True
    )  # fmt: skip


def test_a_licence_is_accepted_once(seen: Any, service: Any, make_model: Any) -> None:
    service.models = [make_model("small", license_accepted=True)]
    seen.refresh()
    seen.press("Download", "small")
    assert service.asked[0][1].accept_license == ""


def test_a_download_shows_how_far_it_is_and_can_be_paused_resumed_and_cancelled(
    seen: Any, service: Any, make_model: Any
) -> None:
    going = {"state": "downloading", "activity": "download", "received_bytes": 245_700_032}
    service.models = [make_model("small", license_accepted=True, rate_bytes_per_second=12e6, **going)]
    seen.refresh()
    assert 'aria-valuenow="50"' in seen.card("small")
    assert "Downloading · 50 %: 246 MB of 491 MB · 12 MB/s · 20 s left" in seen.card("small")
    assert seen.buttons("small") == ["Pause", "Cancel"]
    seen.press("Pause", "small")
    service.models = [make_model("small", license_accepted=True, received_bytes=245_700_032)]
    seen.refresh()
    assert "Paused · 50 %" in seen.card("small")
    assert seen.controller.spoken == "The download of Model small is paused."
    seen.press("Resume", "small")
    seen.press("Cancel", "small")
    assert [(name, getattr(request, "discard", None)) for name, request in service.asked] == [
        ("model:cancelDownload", False), ("model:ensure", None), ("model:cancelDownload", True)
    ]  # fmt: skip


def test_the_end_of_a_download_is_said_aloud(seen: Any, service: Any, make_model: Any) -> None:
    service.models = [make_model("small", state="verifying", activity="download", received_bytes=9)]
    seen.refresh()
    service.models = [make_model("small", state="ready")]
    seen.refresh()
    assert seen.controller.spoken == "Model small is ready."
    assert 'role="status">Model small is ready.<' in seen.text


def test_what_is_here_offers_everything_in_its_details(seen: Any, service: Any, make_model: Any) -> None:
    service.models = [make_model("small", state="ready"), make_model("big", state="ready", loaded=True)]
    seen.refresh()
    assert seen.buttons("big") == ["Unload"]
    seen.press("Details", "big")
    assert seen.buttons("big") == [
        "Unload", "Use for code", "Use for general questions", "Verify", "Export…", "Pin this version",
        "Delete…",
    ]  # fmt: skip
    assert "<dt>SHA-256</dt>" in seen.card("big")
    seen.press("Verify", "big")
    seen.press("Pin this version", "big")
    seen.press("Use for code", "big")
    seen.press("Use for general", "big")
    seen.press("Unload", "big")
    seen.press("Load", "small")
    assert [name for name, _ in service.asked] == [
        "model:verify", "model:pin", "settings:update", "settings:update", "model:unload", "model:load"
    ]  # fmt: skip
    assert service.asked[1][1].pinned
    assert service.asked[2][1].model == service.asked[3][1].general_model == "big"


def test_a_model_without_a_version_shows_its_digest_and_no_version(
    seen: Any, service: Any, make_model: Any
) -> None:
    update = {"digest": "8ba9baf3a7345f70" + "0" * 48, "size_bytes": 5_000_000, "revision": ""}
    service.models = [make_model("small", state="ready", revision="", update=update)]
    seen.refresh()
    seen.press("Details", "small")
    card = seen.card("small")
    assert f"<dt>SHA-256</dt><dd>{'d' * 64}</dd>" in card
    assert "<dt>Version</dt>" not in card
    assert "SHA-256 8ba9baf3a734 · 5 MB" in card


@pytest.fixture
def opened(seen: Any, service: Any, make_model: Any) -> Any:
    """One installed and loaded model, with its details open."""
    service.models = [make_model("small", state="ready", loaded=True)]
    seen.refresh()
    seen.press("Details", "small")
    return seen


def test_a_deletion_is_asked_about(opened: Any, service: Any) -> None:
    opened.press("Delete…", "small")
    assert "The model is loaded and will be unloaded first." in opened.card("small")
    opened.press("Keep it", "small")
    assert service.asked == []
    opened.press("Delete…", "small")
    next(one for one in opened.widgets if getattr(one, "description", "") == "Delete").click()
    ((name, request),) = service.asked
    assert (name, request.id, request.force) == ("model:delete", "small", True)


def test_an_export_asks_where_to_and_says_where_it_is(opened: Any, service: Any) -> None:
    opened.press("Export…", "small")
    next(one for one in opened.widgets if getattr(one, "description", "") == "Export").click()
    assert service.asked == []  # Without a folder there is nothing to do.
    opened.control("Export to").value = " /media/stick "
    next(one for one in opened.widgets if getattr(one, "description", "") == "Export").click()
    assert service.asked[0][1].path == "/media/stick"
    assert "Written to /media/stick/small." in opened.card("small")
    opened.press("Dismiss", "small")
    assert "Written to" not in opened.card("small")


def test_what_does_not_fit_is_refused_with_the_numbers_and_loaded_when_insisted_upon(
    opened: Any, service: Any, make_model: Any
) -> None:
    service.models = [make_model("small", state="ready", fit={"fit": "does-not-fit"})]
    opened.refresh()
    assert "<b>Does not fit</b>" in opened.card("small")
    refusal = OutOfMemory("`small` needs 5.0 GB of memory; 1.0 GB are free for it.", refused=True)
    service.failures["model:load"] = refusal
    opened.press("Load", "small")
    assert "needs 5.0 GB of memory; 1.0 GB are free" in opened.card("small")
    assert refusal.recovery in opened.card("small")
    service.failures.clear()
    opened.press("Load anyway", "small")
    assert service.asked[-1][1].force
    assert "needs 5.0 GB" not in opened.card("small")


@pytest.mark.parametrize("error", [DiskFull(), InvalidModel("That is no GGUF file."), ModelInUse()])
def test_what_goes_wrong_is_a_sentence_and_a_way_out_at_the_model(
    opened: Any, service: Any, error: Any
) -> None:
    service.failures["model:verify"] = error
    opened.press("Verify", "small")
    assert 'role="alert"' in opened.card("small")
    assert error.message in opened.card("small")
    assert error.recovery in opened.card("small")
    assert "Load anyway" not in opened.buttons("small")


def test_every_failure_has_a_note_and_a_cancel_has_none(opened: Any, service: Any) -> None:
    for code, kind in by_code().items():
        service.failures["model:verify"] = kind()
        opened.press("Verify", "small")
        wanted = kind is not Canceled
        assert ("small" in opened.controller.notes) == wanted, code
    service.failures["model:verify"] = RuntimeError("/secret/path")
    opened.press("Verify", "small")
    assert "/secret" not in opened.text


def test_settings_are_changed_and_shown_as_the_service_has_them(seen: Any, service: Any) -> None:
    seen.press("Model settings")
    seen.control("Air gap").value = True
    assert "Air gap on." in seen.text
    seen.control("Run mode").value = "stability"
    seen.control("Acceleration").value = "cpu"
    seen.control("Context window (tokens)").value = 8192
    seen.control("Unload after (minutes idle)").value = 7.5
    seen.control("Keep the model in memory").value = True
    assert seen.control("Unload after (minutes idle)").disabled
    seen.control("Profile").value = "Heavy"
    wanted = {"air_gap": True, "run_mode": "stability", "acceleration": "cpu", "context_window": 8192,
              "idle_minutes": 7.5, "keep_resident": True, "profile": "Heavy"}  # fmt: skip
    assert service.settings == wanted
    assert len(service.asked) == len(wanted)  # What is shown does not come back as a change.


def test_a_change_of_another_tab_is_shown_and_not_sent_back(seen: Any, service: Any, make_model: Any) -> None:
    seen.press("Model settings")
    service.models.append(make_model("third", state="ready"))
    service.settings |= {"profile": "Heavy", "model": "third", "prewarm": True}
    seen.refresh()
    assert seen.control("Profile").value == "Heavy"
    assert seen.control("Model for code").value == "third"
    assert seen.control("Load the model when a notebook is opened").value is True
    assert "answers code" in seen.card("third")
    assert service.asked == []


def test_a_refused_change_falls_back(seen: Any, service: Any) -> None:
    service.failures["settings:update"] = DiskFull()
    seen.control("Profile").value = "Heavy"
    assert seen.control("Profile").value == "auto"
    assert DiskFull().message in seen.text


def test_what_is_fixed_elsewhere_cannot_be_changed_and_says_why(seen: Any, service: Any) -> None:
    service.sources = {"profile": "environment", "air_gap": "command-line"}
    seen.press("Model settings")
    seen.refresh()
    assert seen.control("Profile").disabled
    assert seen.control("Air gap").disabled
    assert "Fixed by an environment variable." in seen.text
    assert not seen.control("Run mode").disabled


def test_a_file_is_imported_with_a_name_that_can_be_one(seen: Any, service: Any) -> None:
    seen.press("Import a model from a file")
    submit = next(one for one in seen.widgets if getattr(one, "description", "") == "Import")
    submit.click()
    seen.control("GGUF file or bundle").value = "/data/new.gguf"
    seen.control("Name (optional)").value = "a/b"
    submit.click()
    assert service.asked == []
    assert "`a/b` is not a valid model name." in seen.text
    assert "no slashes or spaces" in seen.text
    seen.control("Name (optional)").value = ""
    seen.control("Link to the file instead of copying it").value = True
    submit.click()
    ((name, request),) = service.asked
    assert (name, request.path, request.id, request.link) == ("model:import", "/data/new.gguf", None, True)
    assert "Model imported is imported." in seen.text


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (SourceFileNotFound("There is no such file.", path="/x.gguf"), "GGUF file or bundle"),
        (InvalidModel("That is no GGUF file."), "GGUF file or bundle"),
        (ValidationError("There is a model of that name.", field="id"), "Name (optional)"),
    ],
)
def test_what_is_wrong_with_an_import_stands_behind_its_field(
    seen: Any, service: Any, error: Any, field: str
) -> None:
    seen.press("Import a model from a file")
    service.failures["model:import"] = error
    seen.control("GGUF file or bundle").value = "/x.gguf"
    seen.press("Import", "a model from a file")
    assert 'role="alert"' in seen.behind(seen.control(field))
    assert error.message in seen.behind(seen.control(field))
    assert seen.text.count(error.message) == 1
    service.failures.clear()
    seen.press("Import", "a model from a file")
    assert error.message not in seen.text


def test_an_import_without_a_file_says_what_is_missing(seen: Any, service: Any) -> None:
    seen.press("Import a model from a file")
    seen.press("Import", "a model from a file")
    assert "No file to import." in seen.behind(seen.control("GGUF file or bundle"))
    assert service.asked == []


# Who uses the keyboard


def test_the_first_button_of_a_model_stays_the_same_one(seen: Any, service: Any, make_model: Any) -> None:
    first = seen.button("Download", "small")
    going = {"state": "downloading", "activity": "download", "received_bytes": 9}
    for state, label in [
        (going, "Pause"), ({"received_bytes": 9}, "Resume"), ({"state": "ready"}, "Load"),
        ({"state": "ready", "loaded": True}, "Unload"), ({"state": "error"}, "Try again"),
    ]:  # fmt: skip
        service.models = [make_model("small", **state)]
        seen.refresh()
        assert (first.description, first.tooltip) == (label, f"{label}: Model small")
        assert seen.button(label, "small") is first


def test_a_button_that_waits_for_an_answer_keeps_the_focus_and_does_nothing(opened: Any) -> None:
    controller = opened.controller
    controller.busy = {"small": 1}
    assert not opened.button("Verify", "small").disabled
    opened.press("Verify", "small")
    opened.press("Pin", "small")
    assert opened.manager.controller.busy == {"small": 1}


@pytest.mark.parametrize("answer", ["Accept and download", "Decline"])
def test_the_focus_goes_from_a_question_to_the_first_button(
    seen: Any, service: Any, focused: Any, answer: str
) -> None:
    seen.press("Download", "small")
    first = seen.button("Download", "small")
    assert focused == []
    assert "The licence of Model small is shown below" in seen.controller.spoken
    seen.press(answer, "small")
    assert focused == [first]


def test_the_focus_goes_from_what_vanishes_to_what_stays(
    opened: Any, service: Any, focused: Any, make_model: Any
) -> None:
    service.settings |= {"model": "big", "general_model": "big"}
    opened.refresh()
    first = opened.button("Unload", "small")
    for label in ("Use for code", "Use for general", "Verify"):
        opened.press(label, "small")
    assert focused == [first] * 3
    service.failures["model:verify"] = DiskFull()
    opened.press("Verify", "small")
    opened.press("Dismiss", "small")
    assert focused == [first] * 5
    pin = opened.button("Pin this version", "small")
    service.models = [make_model("small", state="ready", pinned=True)]
    opened.press("Pin this version", "small")
    assert pin.description == "Unpin"
    assert len(focused) == 5


def test_the_focus_goes_elsewhere_when_a_model_will_be_gone(
    opened: Any, service: Any, focused: Any, make_model: Any
) -> None:
    service.models = [make_model("small", state="ready", origin="imported")]
    opened.refresh()
    opened.press("Delete…", "small")
    service.models = []
    next(one for one in opened.widgets if getattr(one, "description", "") == "Delete").click()
    assert focused[-1] is opened.button("Import a model from a file")


def test_freeing_the_memory_and_stopping_an_import_lose_no_focus(
    opened: Any, service: Any, focused: Any
) -> None:
    service.status = {"state": "ready", "model": "small"}
    service.imports = [{"id": "new", "state": "verifying", "received_bytes": 1, "total_bytes": 4,
                        "rate_bytes_per_second": 1.0, "activity": "import"}]  # fmt: skip
    opened.refresh()
    opened.press("Unload and free memory")
    opened.press("Stop the import")
    assert focused == [opened.control("Profile"), opened.button("Import", "a model from a file")]


def test_an_import_that_another_tab_began_is_shown_and_can_be_stopped(seen: Any, service: Any) -> None:
    service.imports = [{"id": "new", "state": "verifying", "received_bytes": 1, "total_bytes": 4,
                        "rate_bytes_per_second": 1.0, "activity": "import"}]  # fmt: skip
    seen.refresh()
    assert "Importing · 25 %" in seen.text
    seen.press("Stop the import")
    assert service.asked[-1][1].id == "new"
    service.imports = []
    seen.refresh()
    assert "Importing" not in seen.text


def test_a_service_that_is_away_is_said_and_comes_back(seen: Any, service: Any) -> None:
    away = ConnectionFailed("The server is gone.", recovery="Start it again.")
    service.failures["model:list"] = away
    seen.refresh()
    assert "The server is gone. Start it again." in seen.text
    assert "Model small" in seen.text
    service.failures.clear()
    seen.refresh()
    assert "The server is gone" not in seen.text


def test_a_name_out_of_a_file_is_text_and_no_markup(seen: Any, service: Any, make_model: Any) -> None:
    evil = "<img src=x onerror=alert(1)>\x1b]8;;http://x\x07"
    service.models = [make_model("small", name=evil, state="error", quantization="<script>",
                                 error={"code": "X", "message": evil, "recovery": evil})]  # fmt: skip
    seen.refresh()
    assert "<img" not in seen.text
    assert "<script" not in seen.text
    assert "\x1b" not in seen.text


def test_it_is_asked_often_while_something_goes_on_and_seldom_else(
    seen: Any, service: Any, make_model: Any
) -> None:
    controller = seen.controller
    assert controller.interval_seconds == 3.0
    controller.clock = lambda: 200.0
    assert controller.interval_seconds == 10.0
    controller.clock = lambda: 9000.0
    assert controller.interval_seconds == 30.0
    service.models = [make_model("small", state="downloading", activity="download", received_bytes=1)]
    seen.refresh()
    assert controller.interval_seconds == 0.5
    service.models = [make_model("small", state="ready")]
    service.status = {"state": "loading", "model": "small"}
    seen.refresh()
    assert controller.interval_seconds == 0.5
    assert "loading" in seen.card("small")


def test_memory_that_comes_and_goes_is_shown_for_a_while_and_wakes_nobody_later(
    seen: Any, service: Any, make_model: Any
) -> None:
    controller = seen.controller
    told: list[str] = []
    for widget in seen.widgets:
        widget.observe(lambda change: told.append(change["name"]))

    def frees(count: int, fit: str = "fits") -> None:
        service.models = [make_model("small", fit={"available_bytes": count, "fit": fit})]
        seen.refresh()

    frees(7_000_000_000)
    controller.clock = lambda: 200.0
    frees(6_000_000_000)
    assert "6 GB available" in seen.card("small")
    assert controller.interval_seconds == 10.0, "that is no reason to ask more often"
    controller.clock = lambda: 9000.0
    told.clear()
    frees(5_000_000_000)
    assert told == []
    assert "6 GB available" in seen.card("small")
    frees(1_000_000_000, "tight")
    assert "1 GB available" in seen.card("small")
    controller.clock = lambda: 18000.0
    frees(610_000_000, "does-not-fit")
    assert "needs 600 MB, 610 MB available, part of which is reserved" in seen.card("small")
    assert controller.interval_seconds == 3.0


def test_where_no_widget_is_shown_it_is_text(seen: Any, service: Any, make_model: Any) -> None:
    service.models = [make_model("small", state="ready", loaded=True), make_model("big\x1b[2J", name="B")]
    bundle = seen.manager._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    text = bundle["text/plain"]
    assert "small  loaded; ✓ fits: needs 600 MB, 8 GB available" in text
    assert "Profile Tiny. Tiny: it fits." in text
    assert "%localcoder use NAME" in text
    assert "\x1b" not in text


def test_closing_lets_go_of_nothing_that_belongs_to_others(seen: Any, service: Any) -> None:
    seen.manager.close()
    seen.manager.close()
    assert ("closed", None) not in service.asked


def _models(seen: Any) -> set[str]:
    """Ids of all models that the page holds for what is shown."""
    shown = seen.widgets
    styles = [one.style for one in shown if hasattr(one, "style")]
    return {one.model_id for one in (*shown, *(each.layout for each in shown), *styles)}


def test_a_manager_brings_few_models_along(seen: Any, service: Any, make_model: Any) -> None:
    service.models = [make_model(f"m{number}", state="ready") for number in range(5)]
    seen.refresh()
    assert len(_models(seen)) <= 120
    for label in ("Import a model from a file", "Model settings"):
        seen.press(label)
    for number in range(5):
        seen.press("Details", f"m{number}")
    assert len(_models(seen)) <= 200


def test_what_is_asked_and_told_again_leaves_nothing_behind(opened: Any, service: Any) -> None:
    def once() -> None:
        opened.press("Delete…", "small")
        opened.press("Keep it", "small")
        service.failures["model:list"] = ConnectionFailed("The server is gone.")
        opened.refresh()
        service.failures.clear()
        opened.refresh()

    once()
    before = set(_instances)
    once()
    assert set(_instances) == before


def test_a_second_manager_is_shown_after_all_widgets_were_closed(seen: Any, service: Any) -> None:
    ipywidgets.Widget.close_all()
    again = ModelManager(controller=Controller(lambda: service, start=lambda work: work(), clock=lambda: 0.0))
    again.controller.refresh()
    shown = list(_walk(again))
    assert all(one.layout.comm is not None for one in shown)
    assert all(one.style.comm is not None for one in shown if hasattr(one, "style"))
    again.close()


def _walk(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _walk(child)


def test_two_models_in_memory_are_both_named_and_one_of_them_is_freed(
    seen: Any, service: Any, make_model: Any
) -> None:
    service.models = [make_model(id_, state="ready", loaded=True) for id_ in ("small", "big")]
    one = {"profile": "", "state": "ready", "reason": "", "memory_bytes": 2**30}
    warning = {
        "code": "GPU_NOT_USED", "message": "It runs on the processor.", "action": "Install another build."
    }  # fmt: skip
    service.status = {
        "state": "busy", "model": "big", "generation": 2, "residency": "They take turns.",
        "resident": [
            {**one, "model": "small", "warning": warning}, {**one, "model": "big", "state": "loading"}
        ],
    }  # fmt: skip
    seen.refresh()
    told = "It runs on the processor. Install another build."
    for words in ("Model small: loaded, 1.07 GB", "Model big: loading", "They take turns.", told):
        assert words in seen.text
    seen.press("Unload", "small")
    assert [request.id for name, request in service.asked if name == "model:unload"] == ["small"]
