"""What is kept over an unload lies in a folder of its own, and none is left behind for long."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from jupyter_core.paths import jupyter_runtime_dir

from jupyter_localcoder import planning
from jupyter_localcoder.calibrations import Calibrations
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.models.store import ModelStore
from jupyter_localcoder.planning import Planner
from jupyter_localcoder.settings import LocalCoderSettings
from jupyter_localcoder.tuning import Tuning


def make(tmp_path: Path) -> Planner:
    settings = LocalCoderSettings(environment={})
    return Planner(ModelStore(), settings, Tuning(), Calibrations(tmp_path / "calibration.json"))


def test_a_plan_names_a_private_file_that_goes_with_the_planner(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = make(tmp_path)
    planner._store.import_file(tiny_gguf, model_id="tiny")
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
    planner._store.import_file(tiny_gguf, model_id="tiny")
    monkeypatch.setattr(planning, "_may_lock", lambda _: True)
    before = planner.plan("code", model="tiny")
    monkeypatch.setattr(planning, "_may_lock", lambda _: False)
    assert planner.plan("code", model="tiny") == before
    planner.forget_choice()
    assert planner.plan("code", model="tiny") != before


def test_the_terms_of_the_memory_estimate_are_those_of_the_load(tmp_path: Path, tiny_gguf: Path) -> None:
    planner = make(tmp_path)
    planner._store.import_file(tiny_gguf, model_id="tiny")
    for mode in ("performance", "stability"):
        planner._settings.update(SettingsUpdateRequest(run_mode=mode, context_window=3000))  # type: ignore[arg-type]
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
    planner._store.import_file(tiny_gguf, model_id="tiny")
    assert planner.speed("tiny") is None
    assert planner.speed("nobody") is None
    plan = planner.plan("code", model="tiny")
    planner._calibrations.remember(Calibrations.key(plan.digest, plan.load), {1: 0.05, 64: 0.2})
    speed = planner.speed("tiny")
    assert speed is not None
    assert (speed.decode_tokens_per_second, speed.prefill_tokens_per_second) == (20.0, 320.0)
    planner._settings.update(SettingsUpdateRequest(run_mode="stability"))
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
    planner._store.import_file(tiny_gguf, model_id="tiny")
    load = msgspec.structs.replace(
        planner.plan("code", model="tiny").load,
        n_gpu_layers=layers,
        flash_attention=wanted,  # type: ignore[arg-type]
        cache_type=cache_type,  # type: ignore[arg-type]
    ).on(gpu=gpu)
    assert (load.flash_attention, load.n_ubatch) == decided
