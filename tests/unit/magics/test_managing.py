"""`%localcoder` in a real shell."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.error import UsageError
from msgspec.structs import asdict

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.backend import BackendStatus, LoadWarning, Memory, ResidentModel, Speeds
from jupyter_localcoder.contract.common import Empty
from jupyter_localcoder.contract.generation import CanceledCount
from jupyter_localcoder.contract.models import ModelInfo, ModelList
from jupyter_localcoder.contract.providers import KeyStorage, ProviderFields, ProviderInfo, ProviderList
from jupyter_localcoder.contract.queue import QueueItem, QueueView, StreamItem
from jupyter_localcoder.contract.settings import SettingsUpdateRequest, SettingsView
from jupyter_localcoder.magics import MagicFailure

GIB = 1024**3

NO_GPU = LoadWarning(
    code="GPU_NOT_USED", message="It runs on the processor.", action="Install another build."
)


def model(id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": id,
        "size_bytes": GIB // 2,
        "digest": "d",
        "quantization": "Q4_K_M",
        "parameters": "0.5B",
        "license": "apache",
        "license_accepted": False,
        "context_length": 32768,
        "roles": ["code"],
        "fill_in_the_middle": True,
        "state": "ready",
        "received_bytes": 0,
        "origin": "catalogue",
        "revision": "",
        "fit": {
            "fit": "fits",
            "weights_bytes": 0,
            "kv_bytes": 0,
            "compute_bytes": 0,
            "needed_bytes": 0,
            "available_bytes": 0,
        },
        "loaded": False,
        "error": None,
        **changed,
    }


def listed() -> ModelList:
    def profile(name: str, model: str) -> dict[str, Any]:
        return {
            "name": name,
            "description": "",
            "model": model,
            "general_model": model,
            "context_window": 4096,
        }

    return codec.decode(
        ModelList,
        {
            "models": [
                model("small", loaded=True),
                model("a|b", state="downloading", received_bytes=GIB // 8),
                model("big", state="idle", license="other"),
                model(
                    "broken", state="error", error={"code": "X", "message": "Cut\x1b[2J off", "recovery": ""}
                ),
            ],
            "licenses": [
                {
                    "id": "apache",
                    "name": "Apache 2.0",
                    "text": "",
                    "sha256": "",
                    "attribution": "",
                }
            ],
            "profiles": [profile("Tiny", "small"), profile("Heavy", "big")],
            "active_profile": "Tiny",
            "profile_reason": "It fits.",
            "recommended_profile": "Tiny",
            "recommended_reason": "It fits.",
            "models_dir": "/m",
            "memory": {"worker_bytes": 0, "server_bytes": 0, "available_bytes": 0, "total_bytes": 0},
        },
    )


class Settings:
    """Settings that are kept, with a model that the environment may have fixed."""

    def __init__(self, fixed_model: str = "") -> None:
        self.profile, self.model, self._fixed = "auto", fixed_model, fixed_model

    def update(self, request: Any) -> SettingsView:
        if isinstance(request.profile, str):
            self.profile = request.profile
        if not self._fixed and (request.model is None or isinstance(request.model, str)):
            self.model = request.model or ""
        values = {
            "profile": self.profile,
            "model": self.model,
            "general_model": "",
            "context_window": 0,
            "temperature": 0.2,
            "top_k": 40,
            "top_p": 0.9,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
            "max_tokens": 512,
            "idle_minutes": 15.0,
            "keep_resident": False,
            "acceleration": "auto",
            "run_mode": "performance",
            "air_gap": False,
            "tab_completion": True,
            "completion_provider": "embedded",
            "completion_timeout_seconds": 15.0,
            "prewarm": False,
            "history": True,
        }
        source = "environment" if self._fixed else "settings"
        return codec.decode(
            SettingsView, {"settings": values, "sources": {"model": source}, "path": "/settings.json"}
        )


@pytest.fixture
def settings(client: Any) -> Settings:
    settings = Settings()
    client.answers = {"model:list": listed(), "settings:update": settings.update}
    return settings


def test_status_says_where_and_what(shell: Any, client: Any, capsys: Any) -> None:
    client.answers["backend:ping"] = BackendStatus(
        version="1",
        state="ready",
        generation=1,
        reason="It is loaded.",
        model="small",
        profile="Tiny",
        uptime_seconds=1.0,
        queue_length=0,
        speeds=Speeds(decode_tokens_per_second=61.23),
        memory=Memory(worker_bytes=GIB // 2, server_bytes=0, available_bytes=GIB, total_bytes=GIB),
        air_gap=True,
        acceleration="cpu",
        context_window=4096,
        resident=(ResidentModel(model="small", profile="", state="ready", reason="", warning=NO_GPU),),
    )
    facts = ("a test", "ready: It is loaded.", "small", "61 tokens/s", "worker 537 MB", "on")
    for line in ("%localcoder", "%localcoder status"):
        shell.run_cell(line)
        shown = " ".join(capsys.readouterr().out.split())
        for part in (*facts, "It runs on the processor. Install another build."):
            assert part in shown


def test_models_is_a_table(shell: Any, settings: Settings, capsys: Any) -> None:
    shell.run_cell("%localcoder models")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Model", "Size", "Licence", "State", "Fits"]
    assert " ".join(lines[1].split()) == "small 537 MB Apache 2.0 loaded yes"
    assert "downloading, 25 %" in lines[2]
    assert "not on this machine" in lines[3]
    assert "error: Cut off" in lines[4]
    assert lines[-1] == "Profiles: Tiny (small), Heavy (big). Active: Tiny. It fits."


def test_in_a_notebook_the_table_is_markdown(notebook: Any, settings: Settings) -> None:
    notebook.run_cell("%localcoder models")
    shown = notebook.display_pub.outputs[0]["data"]["text/markdown"].splitlines()
    assert shown[1] == "| --- | --- | --- | --- | --- |"
    assert shown[3].startswith(r"| a\|b | 537 MB |")


def test_manager_is_text_in_a_terminal_and_one_widget_in_a_notebook(
    shell: Any, settings: Settings, client: Any, capsys: Any
) -> None:
    client.answers |= {
        "settings:get": settings.update(SettingsUpdateRequest()),
        "backend:ping": BackendStatus(
            version="1", state="ready", generation=1, reason="", model="small", profile="Tiny",
            uptime_seconds=1.0, queue_length=0, speeds=Speeds(), air_gap=False, acceleration="cpu",
            memory=Memory(worker_bytes=0, server_bytes=0, available_bytes=GIB, total_bytes=GIB),
            context_window=4096,
        ),
    }  # fmt: skip
    shell.run_cell("%localcoder manager")
    shown = capsys.readouterr().out
    assert "Loaded: small" in shown
    assert "broken  error" in shown
    assert "\x1b" not in shown
    shell.display_pub = CapturingDisplayPublisher()
    for _ in range(2):
        shell.run_cell("%localcoder manager")
    views = [one["data"]["application/vnd.jupyter.widget-view+json"] for one in shell.display_pub.outputs]
    assert len(views) == 2
    assert views[0] == views[1]


def test_use_a_profile_lets_go_of_a_model_that_was_chosen(
    shell: Any, settings: Settings, client: Any, capsys: Any
) -> None:
    settings.model = "big"
    shell.run_cell("%localcoder use tiny")
    assert (settings.profile, settings.model) == ("Tiny", "")
    assert capsys.readouterr().out == "Profile Tiny; code is answered by small.\n"


def test_use_a_model_that_is_not_here_says_how_to_get_it(shell: Any, settings: Settings, capsys: Any) -> None:
    shell.run_cell("%localcoder use big")
    assert settings.model == "big"
    assert "download it with `jupyter localcoder models pull big`" in capsys.readouterr().out


def test_use_says_when_something_else_decides(shell: Any, client: Any, capsys: Any) -> None:
    client.answers = {"model:list": listed(), "settings:update": Settings(fixed_model="big").update}
    shell.run_cell("%localcoder use small")
    assert "The model is fixed by the environment: it stays big." in capsys.readouterr().out


def test_use_something_unknown_makes_a_suggestion(shell: Any, settings: Settings) -> None:
    error = shell.run_cell("%localcoder use smal").error_in_exec
    assert isinstance(error, MagicFailure)
    assert "Did you mean `small`?" in str(error)
    assert settings.model == ""


def test_unload_and_cancel(shell: Any, client: Any, capsys: Any) -> None:
    client.answers = {"model:unload": Empty(), "llm:cancelAll": CanceledCount(count=2)}
    shell.run_cell("%localcoder unload")
    shell.run_cell("%localcoder cancel")
    assert capsys.readouterr().out.splitlines() == [
        "The model is unloaded. It is loaded again at the next request.",
        "Cancelled: 2.",
    ]


def test_a_model_is_pinned_and_let_go(shell: Any, client: Any, capsys: Any) -> None:
    client.answers = {"model:pin": codec.decode(ModelInfo, model("small", pinned=True))}
    shell.run_cell("%localcoder pin small")
    shell.run_cell("%localcoder unpin small")
    assert [(request.id, request.pinned) for request in client.asked] == [
        ("small", True),
        ("small", False),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "small is pinned to its version.",
        "small can be updated again.",
    ]
    assert isinstance(shell.run_cell("%localcoder pin").error_in_exec, UsageError)


def test_providers_are_a_table_and_one_is_activated(shell: Any, client: Any, capsys: Any) -> None:
    def listed(active: str) -> ProviderList:
        fields = asdict(ProviderFields(type="ollama", model="q"))
        common = {
            **fields,
            "key_needed": False,
            "remote": True,
            "in_use": 0,
            "price": None,
            "completes": True,
        }
        return ProviderList(
            providers=tuple(
                ProviderInfo(
                    **{**common, "name": id_}, id=id_, active=id_ == active, key="file", problem=problem
                )
                for id_, problem in (("lab", ""), ("gap", "The air gap is on."))
            ),
            kinds=(),
            active=active,
            key_storage=KeyStorage(place="file", note=""),
            path="",
            prices_path="",
            problem="",
        )

    client.answers = {
        "provider:list": listed("lab"),
        "provider:setActive": lambda request: listed(request.id),
    }
    shell.run_cell("%localcoder providers")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["Provider", "Active", "Type", "Model", "Key", "Configured", "by", "Trouble"]
    assert rows[1][:5] == ["lab", "yes", "ollama", "q", "file"]
    shell.run_cell("%localcoder provider lab")
    assert capsys.readouterr().out == "lab is now the active provider.\n"
    shell.run_cell("%localcoder provider gap")
    assert "But: The air gap is on." in capsys.readouterr().out
    assert not shell.run_cell("%localcoder provider ../x").success
    assert not shell.run_cell("%localcoder providers lab").success


def test_the_queue_is_a_table_without_what_has_ended(shell: Any, client: Any, capsys: Any) -> None:
    def item(id_: str, state: Any, position: int) -> QueueItem:
        return QueueItem(
            id=id_, prompt_id=id_, provider="embedded", model="", priority="normal", state=state,
            position=position, keep=False, private=False, path="a|b.ipynb", cell="",
            added="2026-01-01T00:00:00+00:00",
        )  # fmt: skip

    view = QueueView(
        running=(item("r1", "running", 1),),
        waiting=(item("r2", "waiting", 2),),
        ended=(item("r0", "done", 0),),
        limit=512,
        streams=(
            StreamItem(
                id="s1", kind="generate", command="fix", provider="acme", path="b.ipynb", cell="", started=""
            ),
        ),
    )
    client.answers = {"queue:list": view}
    shell.run_cell("%localcoder queue")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["Place", "State", "Provider", "Model", "Notebook", "Id"]
    assert [row[-1] for row in rows[1:]] == ["s1", "r1", "r2"]
    client.answers = {"queue:list": QueueView(running=(), waiting=(), ended=(), limit=512, streams=())}
    shell.run_cell("%localcoder queue")
    assert capsys.readouterr().out == "No requests are running or waiting in the queue.\n"


@pytest.mark.parametrize("line", ["use", "use a b", "fly", "status now"])
def test_what_it_does_not_know_is_a_usage_error(shell: Any, client: Any, line: str) -> None:
    assert isinstance(shell.run_cell(f"%localcoder {line}").error_in_exec, UsageError)
    assert client.asked == []
