"""What is kept over an unload lies in a folder of its own, and none is left behind for long."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from jupyter_core.paths import jupyter_runtime_dir

from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine import planner as planning
from jupyter_localcoder.engine.calibration_store import Calibrations
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.model_fallback import ModelFallback
from jupyter_localcoder.engine.planner import Planner
from jupyter_localcoder.engine.tuning import Tuning
from jupyter_localcoder.errors import InvalidArgument, ModelNotFound, ModelNotReady
from jupyter_localcoder.events import EventHub
from jupyter_localcoder.models import profiles
from jupyter_localcoder.models.store import ModelStore
from jupyter_localcoder.settings import LocalCoderSettings
from tests.support.tiny_model import write_tiny_model


class PlannerWithParts(Planner):
    """A planner, and the parts that it was made of."""

    def __init__(self, folder: Path, **store: Any) -> None:
        self.store = ModelStore(**store)
        self.own_settings = LocalCoderSettings(environment={})
        self.calibrations = Calibrations(folder / "calibration.json")
        super().__init__(self.store, self.own_settings, Tuning(), self.calibrations)


def make(tmp_path: Path) -> PlannerWithParts:
    return PlannerWithParts(tmp_path)


def test_a_plan_names_a_private_file_that_goes_with_the_planner(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = make(tmp_path)
    planner.store.import_file(tiny_gguf, model_id="tiny")
    plan = planner.plan("code", model="tiny")
    folder = Path(plan.load.state_path).parent
    assert folder.stat().st_mode & 0o077 == 0
    assert planner.plan("code", model="tiny") == plan
    planner.close()
    assert not folder.exists()


def test_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    left = Path(jupyter_runtime_dir()) / "localcoder-state-999999999-abcd"
    left.mkdir(parents=True)
    (left / "x.state").write_bytes(b"secret")
    make(tmp_path)
    assert not left.exists()


def test_a_plan_stays_the_same_while_the_model_itself_takes_the_memory(
    tmp_path: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = make(tmp_path)
    planner.store.import_file(tiny_gguf, model_id="tiny")
    monkeypatch.setattr(planning, "may_lock", lambda _: True)
    before = planner.plan("code", model="tiny")
    monkeypatch.setattr(planning, "may_lock", lambda _: False)
    assert planner.plan("code", model="tiny") == before
    planner.forget_choice()
    assert planner.plan("code", model="tiny") != before


def test_the_terms_of_the_memory_estimate_are_those_of_the_load(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = make(tmp_path)
    planner.store.import_file(tiny_gguf, model_id="tiny")
    for mode in ("performance", "stability"):
        planner.own_settings.update(SettingsUpdateRequest(run_mode=mode, context_window=3000))  # type: ignore[arg-type]
        load, terms = planner.plan("code", model="tiny").load, planner.terms()
        assert terms.cells(4096) == max(load.n_cells, load.n_ctx)
        decided = load.on(gpu=planner.gpu)
        assert (terms.n_ubatch, terms.cache_type, terms.repack) == (
            decided.n_ubatch,
            decided.cache_type,
            decided.repack,
        )
        assert terms.flash_attention == (decided.flash_attention != "off")


def test_a_speed_is_known_once_it_was_measured_as_it_would_be_loaded(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = make(tmp_path)
    planner.store.import_file(tiny_gguf, model_id="tiny")
    assert planner.speed("tiny") is None
    assert planner.speed("nobody") is None
    plan = planner.plan("code", model="tiny")
    planner.calibrations.remember(Calibrations.key(plan.digest, plan.load), {1: 0.05, 64: 0.2})
    speed = planner.speed("tiny")
    assert speed is not None
    assert (speed.decode_tokens_per_second, speed.prefill_tokens_per_second) == (20.0, 320.0)
    planner.own_settings.update(SettingsUpdateRequest(run_mode="stability"))
    assert planner.speed("tiny") is None


@pytest.mark.parametrize(
    ("wanted", "cache_type", "gpu", "layers", "decided"),
    [
        ("auto", "f16", False, -1, ("off", 128)),
        ("auto", "f16", True, 0, ("off", 128)),
        ("auto", "f16", True, -1, ("auto", 512)),
        ("auto", "q8_0", False, -1, ("auto", 128)),
        ("on", "f16", False, -1, ("on", 128)),
        ("off", "f16", True, -1, ("off", 512)),
    ],
)
def test_flash_attention_is_for_gpus_unless_somebody_wants_it(
    tmp_path: Path,
    tiny_gguf: Path,
    wanted: str,
    cache_type: str,
    gpu: bool,
    layers: int,
    decided: tuple[str, int],
) -> None:
    planner = make(tmp_path)
    planner.store.import_file(tiny_gguf, model_id="tiny")
    load = msgspec.structs.replace(
        planner.plan("code", model="tiny").load,
        n_gpu_layers=layers,
        flash_attention=wanted,  # type: ignore[arg-type]
        cache_type=cache_type,  # type: ignore[arg-type]
    ).on(gpu=gpu)
    assert (load.flash_attention, load.n_ubatch) == decided


@pytest.fixture
def planner(tmp_path: Path) -> PlannerWithParts:
    return make(tmp_path)


def take_in(planner: PlannerWithParts, tmp_path: Path, name: str, **shape: Any) -> str:
    """Import a tiny model of its own digest; its id."""
    path = write_tiny_model(tmp_path / f"{name}.gguf", seed=len(name), **shape)
    return planner.store.import_file(path, model_id=name).id


def test_with_nothing_here_the_error_says_whose_model_is_missing(planner: PlannerWithParts) -> None:
    with pytest.raises(
        ModelNotReady, match=r"No usable model is installed.*profile \w+, is not on this machine yet"
    ) as said:
        planner.plan("general")
    assert f"models pull {said.value.details['model']}" in said.value.recovery
    assert planner.answering() == ("", "")


def test_only_imported_models_are_here_and_the_best_of_them_answers(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    take_in(planner, tmp_path, "plain", fill_in_the_middle=False, layers=4)
    assert (planner.plan("code").model, planner.plan("general").model) == ("plain", "plain")
    take_in(planner, tmp_path, "coder")
    # It fills in, so it is the better one for code, and one model answers both.
    assert (planner.plan("code").model, planner.plan("general").model) == ("coder", "coder")
    take_in(planner, tmp_path, "larger-coder", layers=6)
    assert planner.answering() == ("larger-coder", "larger-coder")
    assert "`larger-coder` is used" in planner.profile()[1]


def test_a_model_that_only_completes_leaves_questions_to_one_that_can(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    take_in(planner, tmp_path, "instructed", fill_in_the_middle=False)
    answers = {"instructed": ("general",), "base": ("code",)}
    infos = planner.store.infos(4096)
    base = msgspec.structs.replace(infos[-1], id="base")
    here = [msgspec.structs.replace(infos[-1], roles=answers["instructed"])]
    here.append(msgspec.structs.replace(base, roles=answers["base"]))
    chosen = {role: profiles.stand_in(here, role, gpu=False) for role in ("code", "general")}
    assert {role: one.id for role, one in chosen.items() if one} == {"code": "base", "general": "instructed"}


def test_a_profile_that_was_chosen_is_not_answered_by_another_model(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    take_in(planner, tmp_path, "mine")
    planner.own_settings.update(SettingsUpdateRequest(profile="Compact"))
    with pytest.raises(ModelNotReady, match="the model of the profile Compact") as said:
        planner.plan("code")
    assert "config set profile auto" in said.value.recovery
    assert planner.answering() == ("", "")
    with pytest.raises(ModelNotReady):
        planner.plan("code", profile="Tiny")


def test_a_pinned_model_that_is_gone_is_named_with_the_way_to_unpin_it(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    take_in(planner, tmp_path, "mine")
    planner.own_settings.update(SettingsUpdateRequest(model="gone"))
    with pytest.raises(ModelNotFound, match="settings select the model `gone`") as said:
        planner.plan("code")
    assert "config reset model" in said.value.recovery


def test_a_pinned_model_answers_questions_too_so_that_two_do_not_take_turns(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    take_in(planner, tmp_path, "mine")
    take_in(planner, tmp_path, "better", layers=4)
    catalogue = planner.store.catalogue
    better = {
        name: msgspec.structs.replace(one, model="better", general_model="better")
        for name, one in catalogue.profiles.items()
    }
    planner.store.catalogue = msgspec.structs.replace(catalogue, profiles=better)
    # Nothing is pinned: what came later answers everything.
    assert planner.answering() == ("better", "better")
    planner.own_settings.update(SettingsUpdateRequest(model="mine"))
    assert planner.answering() == ("mine", "mine")
    planner.own_settings.update(SettingsUpdateRequest(general_model="better"))
    assert planner.answering() == ("mine", "better")


def test_a_touched_file_is_here_and_is_verified_before_it_is_loaded(
    planner: PlannerWithParts, tmp_path: Path
) -> None:
    id_ = take_in(planner, tmp_path, "mine")
    path = planner.store.locate(id_).path
    os.utime(path, ns=(1, 10**9))
    plan = planner.plan("code")
    assert plan.model == id_
    assert not planner.store.is_verified(id_)
    planner.fit(plan)
    assert planner.store.is_verified(id_)


def base_and_answering(tmp_path: Path, gguf: Path) -> PlannerWithParts:
    """Two models: one that only completes, though it has a chat template, and one that answers."""
    catalogue_file = tmp_path / "catalogue.json"
    entry = {
        "name": "Base", "file": "base.gguf", "size_bytes": gguf.stat().st_size, "quantization": "F32",
        "sha256": hashlib.sha256(gguf.read_bytes()).hexdigest(),
        "parameters": "0B", "license": "Apache-2.0", "context_length": 4096, "fill_in_the_middle": True,
        "sources": [{"type": "file", "path": "/srv/base.gguf"}],
    }  # fmt: skip
    profile = {"name": "Own", "model": "base", "general_model": "answering", "context_window": 4096}
    catalogue_file.write_text(
        json.dumps(
            {
                "models": [
                    entry | {"id": "base", "roles": ["code"]},
                    entry | {"id": "answering", "file": "answering.gguf", "roles": ["code", "general"]},
                ],
                "profiles": [profile],
            }
        )
    )
    planner = PlannerWithParts(tmp_path, catalogue_path=str(catalogue_file))
    planner.own_settings.update(SettingsUpdateRequest(profile="Own"))
    return planner


def test_a_base_model_completes_and_the_other_one_answers(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = base_and_answering(tmp_path, tiny_gguf)
    planner.store.import_file(tiny_gguf, model_id="base")
    with pytest.raises(ModelNotReady, match="answering"):
        planner.plan("general")
    planner.store.import_file(tiny_gguf, model_id="answering")
    assert planner.store.inspect("base").header.chats, "its header claims that it answers"
    assert (planner.plan("code").model, planner.plan("general").model) == ("base", "answering")
    assert planner.division() == "Completes with `base`, answers with `answering`."
    planner.own_settings.update(SettingsUpdateRequest(general_model="base"))
    assert planner.answering() == ("base", "answering"), "a base model answers nothing, whoever chose it"


async def test_a_command_is_left_to_the_model_that_answers(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = base_and_answering(tmp_path, tiny_gguf)
    nothing_loaded: Any = SimpleNamespace(holds=lambda plan: False, holding=())
    all_fit: Any = SimpleNamespace(require=_admitted)
    events = EventHub(logging.getLogger("test"))
    fallback = ModelFallback(planner.store, planner, nothing_loaded, all_fit, events)

    async def chosen(model: str | None = None) -> tuple[str, str]:
        plan, use = await fallback.choose("code", model=model, answers=True)
        return plan.model, use

    planner.store.import_file(tiny_gguf, model_id="base")
    with pytest.raises(ModelNotReady, match="answering"):
        await chosen()
    planner.store.import_file(tiny_gguf, model_id="answering")
    assert await chosen() == ("answering", "general")
    assert await chosen("answering") == ("answering", "code")
    with pytest.raises(InvalidArgument, match="not trained to answer") as caught:
        await chosen("base")
    assert "general" in caught.value.recovery


def test_one_model_for_both_needs_no_sentence(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = base_and_answering(tmp_path, tiny_gguf)
    planner.store.import_file(tiny_gguf, model_id="answering")
    planner.own_settings.update(SettingsUpdateRequest(model="answering"))
    assert planner.division() == ""


async def _admitted(plan: LoadPlan) -> LoadPlan:
    return plan
