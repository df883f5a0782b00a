"""One hub for all tests of its kind: starting it takes longer than asking it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.hub import PACKAGES, PROXY, Hub, Kind

KINDS = (Kind(6), Kind(5, tls=True), Kind(6, internal_tls=True))


@pytest.fixture(scope="session", params=KINDS, ids=str)
def hub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_gguf: Path
) -> Iterator[Hub]:
    kind = request.param
    missing = [path for path in (*PACKAGES[kind.version], PROXY) if not path.exists()]
    if missing:
        pytest.skip(f"{missing[0].name} is not installed: `make hub` puts it beside the environment")
    hub = Hub(tmp_path_factory.mktemp("hub"), kind, tiny_gguf)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
