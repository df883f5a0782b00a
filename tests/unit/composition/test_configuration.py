"""A wrong value of the configuration is told by its trait, before anything starts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets import Bool, Enum, Float, Integer, List, TraitType, Unicode
from traitlets.config import Config, LoggingConfigurable

from jupyter_localcoder.composition import CONFIGURABLES, build_service
from jupyter_localcoder.composition.configuration import check
from jupyter_localcoder.errors import ConfigInvalid
from jupyter_localcoder.models.store import ModelStore
from jupyter_localcoder.server.app import SECTIONS
from jupyter_localcoder.settings import LocalCoderSettings

RANGES = {"profile", "context_window", "temperature", "top_k", "top_p", "min_p", "repeat_penalty",
          "max_tokens", "idle_minutes", "completion_provider"}  # fmt: skip
"""Settings whose ranges are those of the contract."""


def refused(config: dict[str, dict[str, Any]], environment: dict[str, str] | None = None) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        check(CONFIGURABLES, Config(config), environment or {})
    return caught.value


def traits() -> Iterator[tuple[type[LoggingConfigurable], str, TraitType[Any, Any]]]:
    for cls in CONFIGURABLES:
        for name, trait in sorted(cls.class_own_traits(config=True).items()):
            yield cls, name, trait


def wrong_values(trait: TraitType[Any, Any]) -> Iterator[Any]:
    """Values of another type, and beyond each end of the range."""
    yield {"a": 1}
    if not trait.allow_none:
        yield None
    if isinstance(trait, Enum):
        yield from ("nonsense", 3)
    elif isinstance(trait, Bool):
        yield from ("maybe", 2)
    elif isinstance(trait, Integer | Float):
        yield from ("many", [1])
        yield from (bound - 1 for bound in [trait.min] if bound is not None and math.isfinite(bound))
        yield from (bound + 1 for bound in [trait.max] if bound is not None and math.isfinite(bound))
        if isinstance(trait, Float):
            yield from (math.nan, math.inf, -math.inf)
        else:
            yield 1.5
    elif isinstance(trait, Unicode):
        yield from (3, ["a"])
    elif isinstance(trait, List):
        yield from (3, [3], ["nowhere"])


@pytest.mark.parametrize(
    ("cls", "name", "trait"), [pytest.param(*one, id=f"{one[0].__name__}.{one[1]}") for one in traits()]
)
def test_each_trait_is_named_with_its_value_and_what_is_allowed(
    cls: type[LoggingConfigurable], name: str, trait: TraitType[Any, Any]
) -> None:
    full = f"{cls.__name__}.{name}"
    for value in wrong_values(trait):
        said = refused({cls.__name__: {name: value}})
        assert said.details["traits"] == [full]
        assert said.message.startswith(f"`{full}` cannot be `{value!r}"), value
        assert "must be" in said.message or "xpected" in said.message, said.message
        assert said.code == "CONFIG_INVALID"


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_settings_have_the_ranges_of_the_contract(name: str) -> None:
    trait = LocalCoderSettings.class_traits()[name]
    value: Any = "no such thing!" if isinstance(trait, Unicode) else -1
    said = refused({"LocalCoderSettings": {name: value}})
    assert said.details["traits"] == [f"LocalCoderSettings.{name}"]
    assert repr(value) in said.message


def test_the_environment_is_named_by_its_variable() -> None:
    said = refused({}, {"LOCALCODER_TOP_K": "many", "LOCALCODER_PROFILE": "Tiny"})
    assert said.details["traits"] == ["LOCALCODER_TOP_K"]
    assert "many" in said.message
    said = refused({}, {"LOCALCODER_PROFILE": "Enormous"})
    assert "`auto`, `Tiny`" in said.message


def test_several_are_all_told() -> None:
    said = refused({"Supervisor": {"max_crashes": 0}, "Service": {"completion_checks": "mybe"}})
    assert said.details["traits"] == ["Supervisor.max_crashes", "Service.completion_checks"]
    assert "a whole number, at least 1" in said.message
    assert "one of `off`, `mark`, `drop`" in said.message


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"Supervisor": {"backoff_first_seconds": 9.0}}, ["backoff_first_seconds", "backoff_max_seconds"]),
        ({"Tuning": {"flash_attention": "off", "cache_type": "q8_0"}}, ["cache_type", "flash_attention"]),
    ],
)
def test_two_that_contradict_each_other_are_both_named(config: dict[str, Any], names: list[str]) -> None:
    said = refused(config)
    assert all(name in said.message for name in names)


def test_a_folder_that_is_a_file_and_a_catalogue_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(json.dumps({"format": 9}))
    assert "must be a folder" in refused({"ModelStore": {"models_dir": str(file)}}).message
    said = refused({"ModelStore": {"catalogue_path": str(file)}})
    assert said.details["traits"] == ["ModelStore.catalogue_path"]
    assert refused({"ModelStore": {"catalogue_path": str(tmp_path / "none.json")}})
    assert "https://" in refused({"ModelStore": {"hub_url": "ftp://x"}}).message
    assert "absolute" in refused({"HistoryStore": {"history_dir": "here"}}).message


def test_a_draft_model_is_one_that_is_known(tmp_path: Path, tiny_gguf: Path) -> None:
    config: dict[str, dict[str, Any]] = {"ModelStore": {"models_dir": str(tmp_path / "models")}}
    said = refused({**config, "Tuning": {"draft_model": "tiny-draft"}})
    assert said.details["traits"] == ["Tuning.draft_model"]
    assert said.message.startswith(
        "`Tuning.draft_model` cannot be `'tiny-draft'`: it must be one of `auto`, `off`, "
    )
    assert "`qwen2.5-coder-0.5b`" in said.message
    ModelStore(config=Config(config)).import_file(tiny_gguf, model_id="tiny-draft")
    for value in ("auto", "off", "", "qwen2.5-coder-0.5b", "tiny-draft"):
        check(CONFIGURABLES, Config({**config, "Tuning": {"draft_model": value}}), {})


def test_the_defaults_and_an_unknown_name_pass() -> None:
    config: dict[str, dict[str, Any]] = {cls.__name__: {} for cls in CONFIGURABLES}
    for cls, name, trait in traits():
        value = trait.default(cls.__new__(cls))
        if value not in (None, ""):
            config[cls.__name__][name] = value
    check(CONFIGURABLES, Config(config), {})
    check(CONFIGURABLES, Config({"Supervisor": {"no_such_trait": 3}}), {"LOCALCODER_MODELS_DIR": "x"})


async def test_no_service_is_made_of_it() -> None:
    with pytest.raises(ConfigInvalid, match=r"`Tuning.threads` cannot be `-1`: .* from 0 to 1024"):
        build_service(config=Config({"Tuning": {"threads": -1}}))


def test_the_server_knows_which_classes_are_looked_at() -> None:
    assert {cls.__name__ for cls in CONFIGURABLES} == SECTIONS
