"""The catalogue: the built-in one is sound, and a bad file of an administrator is named."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models import catalogue, memory
from jupyter_localcoder.models.entries import HubSource

ENTRY: dict[str, Any] = {
    "id": "own",
    "name": "Own",
    "file": "own.gguf",
    "size_bytes": 1,
    "sha256": "0" * 64,
    "quantization": "Q8_0",
    "parameters": "1B",
    "license": "Apache-2.0",
    "context_length": 4096,
    "roles": ["code"],
    "fill_in_the_middle": True,
    "sources": [{"type": "file", "path": "/srv/own.gguf"}],
}


def overlay(tmp_path: Path, content: Any) -> catalogue.Catalogue:
    path = tmp_path / "own.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return catalogue.load(path)


def test_the_built_in_catalogue_is_sound():
    built_in = catalogue.load()
    assert len(built_in.entries) == 11
    assert list(built_in.profiles) == ["Tiny", "Compact", "Fast", "Balanced", "Heavy", "Pair", "Large pair"]
    for entry in built_in.entries.values():
        # Its numbers are read from its header, once it is here.
        assert entry.shape is not None or entry.id == "mellum2-12b-a2.5b"
        # A branch is no version, and is not shown as one.
        assert bool(entry.revision) == (entry.id != "llama-3-8b")


def test_a_base_model_completes_and_another_one_answers():
    built_in = catalogue.load()
    base = [id_ for id_ in built_in.entries if not built_in.answers(id_)]
    assert base == ["qwen2.5-coder-1.5b-base", "qwen2.5-coder-7b-base", "sweep-next-edit-1.5b"]
    for profile in built_in.profiles.values():
        assert built_in.answers(profile.general_model)
        assert built_in.entries[profile.model].fill_in_the_middle
    assert all(built_in.entries[id_].fill_in_the_middle for id_ in base)


def test_a_recurrent_model_needs_a_state_for_each_sequence():
    shape = catalogue.load().entries["granite-4.0-h-tiny"].shape
    assert shape is not None
    assert shape.kv_heads_total == 4 * 4
    need = memory.estimate(shape, 8192)
    assert need.kv_bytes == 8192 * 16 * 256 * 2 + 16 * shape.recurrent_bytes


def test_every_file_of_a_hub_is_pinned_to_a_commit_but_the_one_of_which_none_is_known():
    unpinned = {
        entry.id
        for entry in catalogue.load().entries.values()
        for source in entry.sources
        if isinstance(source, HubSource) and not re.fullmatch("[0-9a-f]{40}", source.revision)
    }
    # Its digest pins it; SECURITY.md says why.
    assert unpinned == {"llama-3-8b"}


def test_licences_are_shipped_whole():
    licenses = catalogue.load().licenses
    for entry in licenses.values():
        assert entry.sha256 == hashlib.sha256(entry.text.encode()).hexdigest()
    assert licenses["Apache-2.0"].sha256.startswith("cfc7749b96f63bd3")
    llama = licenses["LicenseRef-Llama-3"]
    assert llama.attribution == "Built with Meta Llama 3"
    assert "700 million monthly active users" in llama.text
    assert "Acceptable Use Policy" in llama.text
    assert catalogue.load().notices["LicenseRef-Llama-3"].startswith("Meta Llama 3 is licensed under")


def test_an_administrator_adds_replaces_and_removes(tmp_path: Path):
    (tmp_path / "ours.txt").write_text("Our licence.")
    merged = overlay(
        tmp_path,
        {
            "models": [{**ENTRY, "license": "ours"}, {**ENTRY, "id": "qwen2.5-coder-7b"}],
            "licenses": [{"id": "ours", "name": "Ours", "file": "ours.txt"}],
            "profiles": [{"name": "Class", "model": "own", "general_model": "own", "context_window": 4096}],
            "remove": ["llama-3-8b"],
        },
    )
    assert merged.entries["own"].license == "ours"
    assert merged.licenses["ours"].text == "Our licence."
    assert merged.entries["qwen2.5-coder-7b"].name == "Own"
    assert "llama-3-8b" not in merged.entries
    assert "Balanced" not in merged.profiles
    assert merged.profiles["Class"].model == "own"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "JSON|truncated"),
        ("[" * 100_000, "own.json"),
        ({"modles": []}, "modles"),
        ({"format": 2}, "format"),
        ({"models": [{**ENTRY, "id": "../x"}]}, r"models\[0\].id"),
        ({"models": [{**ENTRY, "id": "x\n"}]}, r"models\[0\].id"),
        ({"models": [{**ENTRY, "file": "../x.gguf"}]}, r"models\[0\].file"),
        ({"models": [{**ENTRY, "file": "/etc/x.gguf"}]}, r"models\[0\].file"),
        ({"models": [{**ENTRY, "file": "x\0.gguf"}]}, r"models\[0\].file"),
        ({"models": [{**ENTRY, "sha256": "abc"}]}, "sha256"),
        ({"models": [{**ENTRY, "size_bytes": 0}]}, "size_bytes"),
        ({"models": [{**ENTRY, "sources": []}]}, "sources"),
        ({"models": [{**ENTRY, "sources": [{"type": "url", "url": "file:///etc/passwd"}]}]}, "url"),
        ({"models": [{**ENTRY, "sources": [{"type": "ftp"}]}]}, "ftp"),
        ({"models": [{**ENTRY, "license": "none"}]}, "none"),
        ({"models": [{**ENTRY, "id": "OWN"}, ENTRY]}, "upper and lower case"),
        ({"licenses": [{"id": "x", "name": "x"}]}, "text"),
        ({"licenses": [{"id": "x", "name": "x", "file": "none.txt"}]}, "none.txt"),
        ({"licenses": [{"id": "x", "name": "x", "file": "../x.txt"}]}, "file"),
        (
            {"profiles": [{"name": "P", "model": "no", "general_model": "no", "context_window": 512}]},
            "no model `no`",
        ),
    ],
)
def test_a_bad_file_is_refused_and_the_place_is_named(tmp_path: Path, content: Any, match: str):
    with pytest.raises(errors.ValidationError, match=match) as caught:
        overlay(tmp_path, content)
    assert "catalogue_path" in caught.value.recovery


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(errors.ValidationError, match="cannot be read"):
        catalogue.load(tmp_path / "none.json")
