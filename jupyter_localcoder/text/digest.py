"""The digest by which two texts are compared without their words. Pure."""

from __future__ import annotations

import hashlib


def text_digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, hexadecimal; half a surrogate pair counts as its own three bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
