"""Row 44: who asks from where it may not. The other refusals stand in tests/server/test_access.py."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.contract.registry import OPERATIONS, Operation
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.test_access import fetch


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
async def test_44_a_foreign_host_is_refused(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    op: Operation[Any, Any],
) -> None:
    """A page whose name was made to point to this machine (DNS rebinding) says its own name as the host."""
    headers = {**jp_auth_header, "Host": "evil.example"}
    assert await fetch(http_server_client, jp_base_url, op, headers) == 403
