"""Answers for the history, and what a history's folder holds."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from jupyter_localcoder.contract.history import Response
from jupyter_localcoder.history import names
from jupyter_localcoder.text.digest import text_digest

_numbers = itertools.count()


def response(**fields: Any) -> Response:
    """An answer; each is a millisecond later than the one before."""
    moment = next(_numbers)
    values: dict[str, Any] = {
        "id": names.new_id(),
        "prompt_id": "p1",
        "kind": "generate",
        "created_at": f"2026-01-01T00:{moment // 60_000:02}:{moment // 1000 % 60:02}.{moment % 1000:03}Z",
        "title": "tiny",
        "provider": "embedded",
        "model": "tiny",
        "finish": "stop",
        "prompt": "What is a list?",
        "content": "A sequence.",
    }
    values |= fields
    return Response(**{"text_sha256": text_digest(values["content"]), **values})


def on_disk(root: Path) -> set[str]:
    """All files below the folder of responses."""
    below = root / "responses"
    return {str(path.relative_to(below)) for path in below.rglob("*") if not path.is_dir()}
