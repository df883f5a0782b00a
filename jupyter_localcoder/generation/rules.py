"""Rules of a project: what its files say about how code is written there.

`AGENTS.md` is read in the folder of the notebook and in each folder above it, and `.localcoder/rules/*.md`
likewise, but never outside of the folder that Jupyter serves: not by a path, and not by a symbolic link. The
rules are text for a model, and nothing else comes of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..storage.regular import open_regular
from ..text.plain_text import plain, plain_line

MAX_RULES_CHARS = 4000
"""Of all files together: about 1,000 tokens, a quarter of the smallest context window of the profiles."""
MAX_FOLDERS, MAX_FILES = 32, 32
"""Folders above a notebook, and files of one folder of rules, that are looked at."""
_FILE = "AGENTS.md"
_FOLDER = (".localcoder", "rules")
_CUT = "[The rest of this file was left out: rules take at most {limit} characters.]"
_HEAD = "Rules of this project. Follow them unless they contradict the task:"


@dataclass(frozen=True)
class ProjectRule:
    """One file of rules."""

    path: str
    """Relative to the folder that Jupyter serves."""
    text: str


def rules_text(root: Path, notebook: str) -> str:
    """What a model reads of the rules that apply to a notebook; empty where there are none. May block.

    Parameters
    ----------
    root
        The folder that Jupyter serves.
    notebook
        Path of the notebook or the file, relative to ``root`` or absolute; empty where there is none. The
        rules of ``root`` itself apply then.
    """
    rules = read_rules(root, notebook)
    return "\n\n".join([_HEAD, *(f"## {rule.path}\n{rule.text}" for rule in rules)]) if rules else ""


def read_rules(root: Path, notebook: str) -> list[ProjectRule]:
    """The rules that apply to a notebook, those of the nearest folder last. May block.

    Where they are too long together, those of the nearest folder are kept, since they are the most specific
    ones. A file that cannot be read, is not a regular file or is a symbolic link does not apply.
    """
    rules: list[ProjectRule] = []
    left = MAX_RULES_CHARS
    real = _resolved(root)
    for folder in _folders(root, notebook):
        if real is None or left <= 0:
            break
        if not _is_within(folder, real):
            continue
        here = []
        for path in (folder / _FILE, *_listed(folder.joinpath(*_FOLDER), real)):
            text = _read(path, left) if left > 0 else ""
            if text:
                left -= len(text)
                here.append(ProjectRule(plain_line(path.relative_to(root).as_posix()), text))
        rules[:0] = here
    return rules


def _folders(root: Path, notebook: str) -> list[Path]:
    """The folder of a notebook and those above it, up to the root, as the path names them."""
    within = PurePosixPath(notebook)
    if within.is_absolute():
        try:
            within = PurePosixPath(Path(notebook).relative_to(root).as_posix())
        except ValueError:
            return []
    names = within.parent.parts
    if ".." in names or "\0" in notebook or len(names) > MAX_FOLDERS:
        return []
    return [root.joinpath(*names[:depth]) for depth in range(len(names), -1, -1)]


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _is_within(path: Path, real_root: Path) -> bool:
    """Whether a path leads, links followed, to a place below a resolved folder."""
    resolved = _resolved(path)
    return resolved is not None and resolved.is_relative_to(real_root)


def _listed(folder: Path, real_root: Path) -> list[Path]:
    if not _is_within(folder, real_root):
        return []
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".md"))
    except (OSError, ValueError):
        return []
    return [folder / name for name in names[:MAX_FILES]]


def _read(path: Path, most_chars: int) -> str:
    """The text of a file, cut at a line where it is longer."""
    try:
        with open_regular(path, follow=False) as file:
            # A character has at most four bytes; one more byte shows that there is more.
            data = file.read(4 * most_chars + 1) or b""
    except (OSError, ValueError):
        return ""
    text = plain(data.decode("utf-8", "replace")).strip()
    if len(text) <= most_chars and len(data) <= 4 * most_chars:
        return text
    kept = text[:most_chars]
    cut = kept.rfind("\n")
    return f"{kept[: cut if cut > 0 else most_chars]}\n{_CUT.format(limit=MAX_RULES_CHARS)}"
