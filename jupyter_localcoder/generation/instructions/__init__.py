"""The instructions of the commands: one Markdown file each, which an administrator can replace.

They are written for small models, which follow a short instruction better than a long one, keep code as it is
when told so last, and answer in one code block when the block is asked for by name. `{language}` in a file is
the language of the code. `docs/performance.md` has what is right of the answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...contract.generation import Command
from ...errors import ConfigInvalid
from ...storage.regular import read_regular
from ...text.plain_text import plain

MAX_BYTES = 16_384
"""Of one file."""
_LANGUAGE = "{language}"
_SYSTEM = "system"
_COMMANDS: tuple[Command, ...] = ("explain", "improve", "fix", "document", "test", "generate")


@dataclass(frozen=True)
class Instructions:
    """What a model is told to do."""

    system: str
    """Stands before every conversation."""
    commands: dict[Command, str]

    def of(self, command: Command, language: str) -> str:
        """The instruction of a command, for code in a language."""
        return self.commands[command].replace(_LANGUAGE, language)


def load(folder: Path) -> Instructions:
    """Read instructions. A file that ``folder`` does not have is the shipped one. Blocks.

    Raises
    ------
    ConfigInvalid
        There is no such folder, it has a Markdown file of another name, or a file cannot be used.
    """
    names = (_SYSTEM, *_COMMANDS)
    try:
        there = {path.stem for path in folder.iterdir() if path.suffix == ".md"}
    except OSError as failure:
        raise ConfigInvalid(f"The folder of instructions cannot be read: {failure.strerror}.") from None
    if unknown := sorted(there - set(names)):
        raise ConfigInvalid(
            f"There is no command `{unknown[0]}`: use {', '.join(f'`{n}.md`' for n in names)}."
        )
    texts = {name: _read((folder if name in there else _SHIPPED) / f"{name}.md") for name in names}
    return Instructions(texts[_SYSTEM], {command: texts[command] for command in _COMMANDS})


def _read(path: Path) -> str:
    try:
        text = plain(read_regular(path, MAX_BYTES).decode()).strip()
    except (OSError, UnicodeDecodeError) as failure:
        why = getattr(failure, "strerror", None) or "it is not text in UTF-8"
        raise ConfigInvalid(f"`{path.name}` cannot be read: {why}.") from None
    if not text:
        raise ConfigInvalid(f"`{path.name}` is empty.")
    return text


_SHIPPED = Path(__file__).parent
SHIPPED = load(_SHIPPED)
"""The instructions of this version."""
