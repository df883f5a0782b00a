"""How far a download, a verification or an import is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct


class TransferProgress(Struct, frozen=True, kw_only=True):
    """How far a model is: bytes of the whole file."""

    state: Literal["downloading", "verifying"]
    received_bytes: int
    total_bytes: int
    rate_bytes_per_second: float


Report = Callable[[TransferProgress], None]
