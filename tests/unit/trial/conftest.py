"""A notebook to be copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_localcoder.trial.trial import Notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[[str], Notebook]:
    """Run code as the cells of a notebook; its folder holds one file, `data.csv`."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    (folder / "data.csv").write_text("a,b\n1,2\n3,4\n")

    def make(code: str = "") -> Notebook:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(code, namespace)
        return Notebook(namespace, TransformerManager().transform_cell, folder)

    return make
