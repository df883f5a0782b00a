"""`%localcoder provider`, `titles` and `inspect` in a real shell."""

from __future__ import annotations

import getpass
from typing import Any

import msgspec
import pytest
from IPython.core.error import StdinNotImplementedError, UsageError

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.generation import Inspection, PromptPart
from jupyter_localcoder.contract.history import TitleConfig
from jupyter_localcoder.contract.providers import (
    KeyStorage,
    Provider,
    ProviderDeleted,
    ProviderFields,
    ProviderList,
    ProviderTested,
)
from jupyter_localcoder.magics import MagicFailure

CANARY = "sk-canary-4711"


def provider(id_: str, **fields: Any) -> Provider:
    given = codec.decode(ProviderFields, {"type": "openai_compatible", **fields})
    return Provider(
        id=id_, **msgspec.structs.asdict(given), active=False, key="file", key_needed=False, problem="",
        completes=False, remote=True, in_use=0, price=None,
    )  # fmt: skip


@pytest.fixture
def localcoder(notebook: Any, client: Any) -> Any:
    known = ProviderList(
        providers=(provider("acme", model="m", base_url="http://127.0.0.1:8080/v1"),), kinds=(),
        active="acme", key_storage=KeyStorage(place="file", note=""), path="", prices_path="", problem="",
    )  # fmt: skip
    client.answers |= {
        "provider:list": known,
        "provider:save": lambda r: provider(r.id, model=r.model),
        "provider:setKey": lambda r: provider(r.id),
        "provider:forgetKey": lambda r: provider(r.id),
        "provider:delete": ProviderDeleted(note="The embedded model answers."),
        "provider:test": ProviderTested(id="acme", models=("a", "b"), latency_ms=12.3, model_listed=False),
        "title:config:get": TitleConfig(),
        "title:config:set": lambda r: TitleConfig(
            **{k: v for k, v in msgspec.structs.asdict(r).items() if v is not msgspec.UNSET}
        ),
    }

    def run(words: str) -> None:
        notebook.run_line_magic("localcoder", words)

    return run


def test_one_is_added_with_fields_as_the_contract_has_them(localcoder, client, capsys):
    localcoder("provider add lab type=ollama base_url=http://h:1 timeout_seconds=5 context_window=8192")
    saved = client.asked[-1]
    assert (saved.id, saved.type, saved.base_url) == ("lab", "ollama", "http://h:1")
    assert (saved.timeout_seconds, saved.context_window) == (5.0, 8192)
    assert capsys.readouterr().out == "lab is kept (openai_compatible, key: file).\n"


def test_of_one_that_is_there_the_rest_stays(localcoder, client):
    localcoder("provider add acme model=other")
    assert (client.asked[-1].model, client.asked[-1].base_url) == ("other", "http://127.0.0.1:8080/v1")
    with pytest.raises(MagicFailure, match="its type is needed"):
        localcoder("provider add lab model=other")
    with pytest.raises(MagicFailure, match="context_window"):
        localcoder("provider add acme context_window=many")


@pytest.mark.parametrize("words", ["key=sk-1", "base_url", "fly=1"])
def test_a_key_is_no_field_and_neither_is_anything_else(localcoder, client, words):
    with pytest.raises(UsageError):
        localcoder(f"provider add acme {words}")
    assert client.asked == []


def test_a_key_is_asked_for_and_never_shown(localcoder, client, capsys, monkeypatch):
    monkeypatch.setattr(getpass, "getpass", lambda question: CANARY)
    localcoder("provider key acme")
    assert (client.asked[-1].id, client.asked[-1].key) == ("acme", CANARY)
    said = capsys.readouterr().out
    assert said == "The key of acme is kept (file).\n"

    def nobody(question: str) -> str:
        raise StdinNotImplementedError

    monkeypatch.setattr(getpass, "getpass", nobody)
    with pytest.raises(MagicFailure, match="providers set-key acme"):
        localcoder("provider key acme")


def test_one_is_tested_forgotten_and_deleted(localcoder, client, capsys):
    localcoder("provider test acme")
    localcoder("provider forget-key acme")
    localcoder("provider delete acme")
    assert capsys.readouterr().out.splitlines() == [
        "acme answers, within 12 ms. Models: a, b. The model that is configured is not among them.",
        "The key of acme is forgotten.",
        "acme is removed. The embedded model answers.",
    ]


def test_titles_are_shown_and_changed(localcoder, client, capsys):
    localcoder("titles")
    localcoder("titles timeout 20")
    assert client.asked[-1].timeout_seconds == 20.0
    localcoder("titles provider acme")
    localcoder("titles model default")
    assert client.asked[-1].model == ""
    localcoder("titles off")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Titles are made by embedded, with the model that is loaded, within 60 s."
    assert lines[2].startswith("Titles are made by acme")
    assert lines[4].startswith("No titles are made")
    for words in ("titles timeout soon", "titles fly", "provider", "provider fly acme", "inspect a b"):
        with pytest.raises(UsageError):
            localcoder(words)


def test_the_prompt_of_the_last_answer_is_shown(localcoder, client, fake, notebook, capsys):
    done = fake.done("x")
    names = ("finish", "withheld", "usage", "timings", "model", "sampling", "prompt_sha256")
    client.answers["context:inspect"] = Inspection(
        run="r1", kind="generate", time="", scope="", prompt="<|x|>\x1b[31mHello", redacted="<|x|>xxxxx",
        parts=(PromptPart(source="this cell", tokens=9),), **{name: getattr(done, name) for name in names},
    )  # fmt: skip
    localcoder("inspect")
    assert client.asked[-1].run == ""
    assert "this cell" in notebook.display_pub.outputs[0]["data"]["text/plain"]
    assert capsys.readouterr().out == "r1 · embedded · tiny-model · 9 tokens\n<|x|>Hello\n"
    localcoder("inspect redacted r1")
    assert client.asked[-1].run == "r1"
    assert "Hello" not in capsys.readouterr().out
