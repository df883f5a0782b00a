"""The memory estimate against numbers that were measured, and the limits of containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_localcoder.contract.models import MemoryFit
from jupyter_localcoder.models import catalogue, memory
from jupyter_localcoder.models.shape import Shape
from jupyter_localcoder.worker.model import SEQUENCES

GIB = 1024**3


@pytest.fixture
def shape() -> Shape:
    found = catalogue.load().entries["qwen2.5-coder-1.5b"].shape
    assert found is not None
    return found


def test_the_parts_follow_the_formulas(shape: Shape):
    need = memory.estimate(shape, 8000)
    assert need.kv_bytes == 28 * 8192 * 2 * (2 * 128) * 2  # layers, cells, K and V, heads * length, f16
    graph = 8 * (28 * 12 + 3) * 60 * 336  # nodes, tensors of each
    assert need.compute_bytes == 4 * 512 * (151936 + 1536) + graph
    assert need.output_bytes == 4 * 151936 * 16
    assert need.repacked_bytes == pytest.approx(597 * 1024**2, rel=0.01)
    assert memory.estimate(shape, 8000, repack=False).repacked_bytes == 0


def test_the_worker_has_as_many_sequences_as_are_counted():
    assert memory.SEQUENCES == SEQUENCES


def test_a_quantised_cache_takes_34_of_64_bytes(shape: Shape):
    full, small = memory.estimate(shape, 8192), memory.estimate(shape, 8192, cache_type="q8_0")
    assert small.kv_bytes * 64 == full.kv_bytes * 34


def test_without_flash_attention_the_scores_count(shape: Shape):
    need = memory.estimate(shape, 32768, flash_attention=False)
    scores = 4 * 512 * 32768 * (12 + 1)
    assert need.compute_bytes - scores == memory.NODE_BYTES * 8 * shape.tensors


def test_a_model_fits_tightly_or_not(shape: Shape):
    need = memory.estimate(shape, 8192)
    assert memory.fit(need, 16 * GIB, 16 * GIB).fit == "fits"
    assert memory.fit(need, need.needed_bytes - 1, 16 * GIB).fit == "tight"
    assert memory.fit(need, need.private_bytes, 16 * GIB).fit == "does-not-fit"
    assert memory.fit(need, 16 * GIB, need.needed_bytes - 1).fit == "does-not-fit"
    assert memory.fit(need, 0, 0).fit == "unknown"


def test_the_parts_of_a_fit_add_up(shape: Shape):
    fit = memory.fit(memory.estimate(shape, 8192), 16 * GIB, 16 * GIB, context_window=8192)
    parts = fit.weights_bytes + fit.kv_bytes + fit.compute_bytes + fit.overhead_bytes
    assert fit.needed_bytes == parts
    assert fit.context_window == 8192


def test_the_terms_of_a_load_decide_the_fit(shape: Shape):
    def fit(trained: int = 32768, **terms: Any) -> MemoryFit:
        return memory.fit_of(shape, 0, trained, memory.Terms(context_window=8192, **terms), (GIB, 8 * GIB))

    plain = fit()
    assert fit(extra_cells=2048).kv_bytes == plain.kv_bytes * 10 // 8
    assert fit(trained=4096).kv_bytes == plain.kv_bytes // 2
    assert fit(cache_type="q8_0").kv_bytes < plain.kv_bytes
    assert plain.compute_bytes - fit(n_ubatch=128).compute_bytes == 4 * 384 * (151936 + 1536)
    assert fit(repack=False).private_bytes < plain.private_bytes


def test_what_the_loaded_model_gives_back_counts_as_free_but_never_more_than_there_is(shape: Shape):
    def available(given_back: int) -> int:
        terms = memory.Terms(given_back_bytes=given_back)
        return memory.fit_of(shape, 0, 0, terms, (GIB, 2 * GIB)).available_bytes

    assert [available(0), available(GIB // 2), available(9 * GIB)] == [GIB, GIB * 3 // 2, 2 * GIB]


def test_a_context_of_a_million_does_not_fit(shape: Shape):
    assert memory.fit(memory.estimate(shape, 1_000_000), 24 * GIB, 32 * GIB).fit == "does-not-fit"


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_limit_of_a_version_2_group_wins(tmp_path: Path):
    root = _write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/app\n",
            "sys/fs/cgroup/user/memory.max": "300000000\n",
            "sys/fs/cgroup/user/memory.current": "250000000\n",
            "sys/fs/cgroup/user/memory.stat": "anon 1\ninactive_file 90000000\nactive_file 10000000\n",
            "sys/fs/cgroup/user/app/memory.max": "max\n",
            "sys/fs/cgroup/user/app/memory.current": "1\n",
        },
    )
    assert memory.available(root) == (150_000_000, 300_000_000)


def test_the_limit_of_a_version_1_group_wins_also_when_only_its_top_is_mounted(tmp_path: Path):
    root = _write(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/abc\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "200000000",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "120000000",
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 20000000\ntotal_active_file 0\n",
        },
    )
    assert memory.available(root) == (100_000_000, 200_000_000)


def test_without_a_limit_the_machine_counts(tmp_path: Path):
    root = _write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1",
        },
    )
    free, total = memory.available(root)
    assert total == psutil.virtual_memory().total
    assert 0 < free <= total


def test_groups_that_make_no_sense_are_passed_over(tmp_path: Path):
    root = _write(
        tmp_path, {"proc/self/cgroup": "nonsense\n0::/../../etc\n", "sys/fs/cgroup/memory.max": "x"}
    )
    assert memory.available(root)[1] == psutil.virtual_memory().total
