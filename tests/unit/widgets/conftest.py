"""A manager without a browser: the service's answers are scripted, and what is pressed is done at once."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
import pytest

from jupyter_localcoder.client import Client, Stream
from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.backend import BackendStatus
from jupyter_localcoder.contract.common import Empty
from jupyter_localcoder.contract.models import LoadedModel, ModelExported, ModelInfo, ModelList
from jupyter_localcoder.contract.settings import SettingsView
from jupyter_localcoder.widgets import ModelManager
from jupyter_localcoder.widgets.controller import Controller

SIZE = 491_400_064
_MEMORY = {
    "worker_bytes": 0,
    "server_bytes": 0,
    "available_bytes": 8_000_000_000,
    "total_bytes": 16_000_000_000,
}
_SETTINGS: dict[str, Any] = {
    "profile": "auto", "model": "", "general_model": "", "context_window": 0, "temperature": 0.2,
    "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.0, "max_tokens": 1024,
    "idle_minutes": 15.0, "keep_resident": False, "acceleration": "auto", "run_mode": "performance",
    "air_gap": False, "tab_completion": True, "completion_provider": "embedded",
    "completion_timeout_seconds": 15.0, "prewarm": False,
    "history": True,
}  # fmt: skip


def model(id_: str = "small", **changes: Any) -> dict[str, Any]:
    """What the service says of a model."""
    fit = {"fit": "fits", "weights_bytes": SIZE, "kv_bytes": 10, "compute_bytes": 10, "context_window": 4096,
           "needed_bytes": 600_000_000, "available_bytes": 8_000_000_000}  # fmt: skip
    fit |= changes.pop("fit", {})
    return {
        "id": id_, "name": f"Model {id_}", "size_bytes": SIZE, "digest": "d" * 64, "quantization": "Q4_K_M",
        "parameters": "0.5B", "license": "apache", "license_accepted": False, "context_length": 32768,
        "roles": ["code", "general"], "fill_in_the_middle": True, "state": "idle", "received_bytes": 0,
        "origin": "catalogue", "revision": "r1", "fit": fit, "loaded": False, **changes,
    }  # fmt: skip


@dataclass
class FakeService(Client):
    """Answers with what a test has set, and keeps what it was asked."""

    models: list[dict[str, Any]] = field(default_factory=lambda: [model("small"), model("big")])
    imports: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    """Raised by the operation of this name."""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    """What was asked, but for questions."""

    where = "a test"

    def call(self, op: Any, request: Any) -> Any:
        if op.method != "GET":
            self.asked.append((op.name, request))
        if op.name in self.failures:
            raise self.failures[op.name]
        return self._answer(op, request)

    def stream(self, op: Any, request: Any) -> Stream:
        raise NotImplementedError

    def close(self) -> None:
        self.asked.append(("closed", None))

    def _answer(self, op: Any, request: Any) -> Any:
        if op.name == "settings:update":
            wanted = codec.msgspec.to_builtins(request)
            self.settings |= {name: value if value is not None else "" for name, value in wanted.items()}
        if op.response is SettingsView:
            values = {"settings": _SETTINGS | self.settings, "sources": self.sources, "path": "/s.json"}
            return codec.decode(SettingsView, values)
        if op.response is ModelList:
            return self._list()
        if op.response is BackendStatus:
            return codec.decode(BackendStatus, {
                "version": "1", "state": "stopped", "generation": 0, "reason": "", "model": None,
                "profile": "Tiny", "uptime_seconds": 1.0, "queue_length": 0, "memory": _MEMORY,
                "speeds": {}, "air_gap": False, "acceleration": "cpu", "context_window": 0, **self.status,
            })  # fmt: skip
        if op.response is ModelInfo:
            return codec.decode(ModelInfo, model(getattr(request, "id", None) or "imported", state="ready"))
        if op.response is LoadedModel:
            return LoadedModel(id=request.id, digest="d", context_window=1, acceleration="cpu", load_ms=1.0,
                               fill_in_the_middle=True)  # fmt: skip
        if op.response is ModelExported:
            return ModelExported(path=f"{request.path}/{request.id}", size_bytes=1)
        assert op.response is Empty or op.name == "model:delete"
        return Empty()

    def _list(self) -> ModelList:
        def profile(name: str, model: str) -> dict[str, Any]:
            return {"name": name, "description": f"{name} it is.", "model": model, "general_model": model,
                    "context_window": 4096}  # fmt: skip

        return codec.decode(ModelList, {
            "models": self.models,
            "licenses": [{"id": "apache", "name": "Apache 2.0", "text": "You may <use> it.", "sha256": "c0",
                          "attribution": "Built with care"}],
            "profiles": [profile("Tiny", "small"), profile("Heavy", "big")],
            "active_profile": "Tiny", "profile_reason": "Tiny: it fits.", "recommended_profile": "Tiny",
            "recommended_reason": "Tiny: it fits.", "models_dir": "/m", "memory": _MEMORY,
            "imports": self.imports,
        })  # fmt: skip


class Seen:
    """A manager as a person sees and uses it."""

    def __init__(self, manager: ModelManager) -> None:
        self.manager = manager

    @property
    def controller(self) -> Controller:
        return self.manager.controller

    def refresh(self) -> None:
        self.controller.refresh()

    @property
    def widgets(self) -> list[Any]:
        """All that is shown, in order."""
        return list(_walk(self.manager))

    @property
    def text(self) -> str:
        """All markup that is shown."""
        return "\n".join(one.value for one in self.widgets if isinstance(one, ipywidgets.HTML))

    def buttons(self, model: str | None = None) -> list[str]:
        """Labels of the buttons that are shown and can be pressed; of one model, or of all."""
        shown = [one.description for one in self._buttons(model) if not one.disabled]
        return [label for label in shown if not label.startswith(("▸", "▾"))]

    def button(self, label: str, model: str | None = None) -> Any:
        """The one button with this in its label."""
        (found,) = [one for one in self._buttons(model) if label in one.description]
        return found

    def press(self, label: str, model: str | None = None) -> None:
        found = self.button(label, model)
        assert not found.disabled
        found.click()

    def behind(self, widget: Any) -> str:
        """What stands right behind a widget, as text."""
        (box,) = [one for one in self.widgets if widget in getattr(one, "children", ())]
        follows = box.children[box.children.index(widget) + 1]
        return html.unescape(
            "\n".join(one.value for one in _walk(follows) if isinstance(one, ipywidgets.HTML))
        )

    def control(self, label: str) -> Any:
        (found,) = [
            one for one in self.widgets
            if getattr(one, "description", "") == label and not isinstance(one, ipywidgets.Button)
        ]  # fmt: skip
        return found

    def card(self, model: str) -> str:
        """What a model's card shows; what was escaped as it was before."""
        (box,) = [
            one for one in self.widgets
            if "localcoder-card" in getattr(one, "_dom_classes", ()) and
            any(f'data-model="{model}"' in getattr(part, "value", "") for part in one.children
                if isinstance(part, ipywidgets.HTML))
        ]  # fmt: skip
        return html.unescape("\n".join(one.value for one in _walk(box) if isinstance(one, ipywidgets.HTML)))

    def _buttons(self, model: str | None) -> list[Any]:
        return [
            one for one in self.widgets
            if isinstance(one, ipywidgets.Button)
            and one.layout.display != "none"
            and (model is None or one.tooltip.endswith((f": Model {model}", f": {model}")))
        ]  # fmt: skip


def _walk(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _walk(child)


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def seen(service: FakeService, focused: list[Any]) -> Iterator[Seen]:
    """A manager whose requests are done at once."""
    controller = Controller(lambda: service, start=lambda work: work(), clock=lambda: 0.0)
    seen = Seen(ModelManager(controller=controller))
    seen.refresh()
    yield seen
    seen.manager.close()


@pytest.fixture
def focused(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The widgets that were given the focus, in order."""
    given: list[Any] = []
    monkeypatch.setattr(ipywidgets.DOMWidget, "focus", lambda widget: given.append(widget))
    return given


@pytest.fixture
def make_model() -> Any:
    return model
