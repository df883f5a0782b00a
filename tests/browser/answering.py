"""A lab in which a test decides what the model says, and a notebook in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, running_lab
from tests.support.tiny_model import write_tiny_model

MODEL = "tiny"


class Answers:
    """The lab, and what its model says."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.lab = lab
        self._file = folder / "answers.json"
        self._work = folder / "lab" / "work"

    def say(self, text: str, *, ends: bool = True) -> None:
        """From now on every answer is this; one that does not end waits for a cancel."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"says": text, "ends": ends}))
        new.replace(self._file)

    def notebook(self, name: str, *cells: str, outputs: tuple[Any, ...] = ()) -> str:
        """Write a notebook of code cells, the last with these outputs; the path of its page."""
        made = [
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": None,
             "outputs": [], "source": source}
            for number, source in enumerate(cells)
        ]  # fmt: skip
        made[-1]["outputs"] = list(outputs)
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        content = {
            "cells": made, "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        }  # fmt: skip
        (self._work / name).write_text(json.dumps(content))
        return f"lab/tree/{name}"


@contextlib.contextmanager
def running_answers(folder: Path) -> Iterator[Answers]:
    """Start it with a model that is ready, and end it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_ANSWERS_FILE", str(folder / "answers.json"))
        patch.setenv("LOCALCODER_MODELS_DIR", str(folder / "models"))
        (folder / "lab").mkdir()
        with running_lab(folder / "lab", program=("-m", "tests.support.lab_of_answers")) as lab:
            model = write_tiny_model(folder / "tiny.gguf")
            lab.call("POST", "models/import", {"path": str(model), "id": MODEL})
            lab.call("PATCH", "settings", {"model": MODEL, "general_model": MODEL})
            lab.call("POST", f"models/{MODEL}/load", {})
            lab.call("PATCH", "titles/config", {"enabled": False})  # no other requests than the tests' own
            yield Answers(folder, lab)
