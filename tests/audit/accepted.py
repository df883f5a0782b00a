"""Advisories that do not reach this product, by id, each with the reason; none that is fixed stays."""

from __future__ import annotations

ACCEPTED: dict[str, str] = {}
