"""``clean NOTEBOOK...``: take out of notebooks what answers of older versions left in them of other cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traitlets import Bool

from ..contract.provenance import DIGESTS, METADATA_KEY, OF_OTHER_CELLS
from ..errors import FileReadError, FileWriteError, InvalidArgument, SourceFileNotFound
from ..storage.atomic import replace_file
from ..storage.regular import open_regular
from .command import LocalCoderCommand, options
from .exits import ExitCode


class Clean(LocalCoderCommand):
    """Remove the text of other cells from the metadata of notebooks."""

    usage = "clean NOTEBOOK... [options]"
    description = """Earlier versions stored the code of surrounding cells in the metadata of
    answers, including private ones. This command removes it from notebooks; run it before you share
    them. Code, outputs and all other metadata are kept. Close the notebooks in JupyterLab first."""
    arguments = (1, 10_000)
    flags = LocalCoderCommand.flags | options(
        dry_run=("Clean.dry_run", "Show what would be removed, without writing.")
    )
    examples = """
jupyter localcoder clean --dry-run *.ipynb
jupyter localcoder clean analysis.ipynb
"""

    dry_run = Bool(False, config=True, help="Show what would be removed, without writing.")

    def run(self) -> ExitCode:
        """Clean them, one after the other."""
        cleaned = []
        for name in self.extra_args:
            found, chars = self._clean(Path(name))
            cleaned.append({"notebook": name, "answers": found, "characters": chars})
            verb = "would be" if self.dry_run else "were"
            told = (
                f"{chars} characters of other cells in {found} records {verb} removed"
                if found
                else "is clean"
            )
            self.console.out(f"{name}: {told}.")
        self.console.document({"dry_run": self.dry_run, "notebooks": cleaned})
        return ExitCode.OK

    def _clean(self, path: Path) -> tuple[int, int]:
        path = path.resolve()  # a link stays a link
        try:
            with open_regular(path) as file:
                raw = file.read()
            notebook = json.loads(raw)
        except FileNotFoundError:
            raise SourceFileNotFound(f"There is no file `{path.name}`.") from None
        except OSError as failure:
            raise FileReadError(f"`{path.name}` cannot be read: {failure.strerror}.") from None
        except (ValueError, RecursionError):
            raise InvalidArgument(f"`{path.name}` is not a notebook, so it was not changed.") from None
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise InvalidArgument(f"`{path.name}` is not a notebook, so it was not changed.")
        lengths = [length for record in records(notebook) if (length := cleaned(record))]
        if lengths and not self.dry_run:
            self._write(path, raw, notebook)
        return len(lengths), sum(lengths)

    def _write(self, path: Path, raw: bytes, notebook: Any) -> None:
        text = raw.decode()
        indent = re.search(r"\n([ \t]+)\S", text)
        written = json.dumps(notebook, indent=indent[1] if indent else None, ensure_ascii=text.isascii())
        if not text.isascii():
            # Halves of pairs are in no encoding: they stay spelled out.
            written = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", written)
        try:
            if path.read_bytes() != raw:
                raise FileWriteError(f"`{path.name}` was modified in the meantime, so it was not changed.")
            end = "\n" * text.endswith("\n")
            replace_file(path, (written + end).encode(), mode=path.stat().st_mode & 0o777)
        except OSError as failure:
            raise FileWriteError(f"`{path.name}` cannot be written: {failure.strerror}.") from None


def records(notebook: Any) -> Iterator[dict[str, Any]]:
    """The records of answers in a notebook: of cells, and of their outputs."""
    for cell in notebook["cells"]:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for holder in [cell, *(outputs if isinstance(outputs, list) else [])]:
            metadata = holder.get("metadata") if isinstance(holder, dict) else None
            record = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
            if isinstance(record, dict):
                yield record


def cleaned(record: dict[str, Any]) -> int:
    """Take out of a record what is of other cells, of a private one the request; answers the characters."""
    request = record.get("request")
    if not isinstance(request, dict):
        return 0
    if request.get("private"):
        del record["request"]
        for digest in DIGESTS:
            if digest in record:
                record[digest] = ""
        return len(json.dumps(request, ensure_ascii=False))
    gone = [request.pop(name) for name in OF_OTHER_CELLS if name in request]
    return sum(len(json.dumps(each, ensure_ascii=False)) for each in gone)
