"""What was seen and saved while cells were typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

_ATTRIBUTE = re.compile(r"(?<![\w.\"'\]\)])([^\W\d]\w*)\.([^\W\d]\w*)")
_COLUMN = re.compile(r"""(?<![\w.])([^\W\d]\w*)\[\s*(?:"([^"\n]+)"|'([^'\n]+)')\s*\]""")


@dataclass(frozen=True)
class Seen:
    """A suggestion as far as it came while it stood on the screen, and what came to stand there."""

    text: str
    target: str
    """What the person went on to type, from the place where the suggestion begins."""
    before: str = ""
    """The line up to that place."""

    @property
    def right(self) -> int:
        """Characters up to the first wrong one."""
        pairs = zip(self.text, self.target, strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(self.text), len(self.target)))

    @property
    def wrong(self) -> int:
        """Characters from the first wrong one on."""
        return len(self.text) - self.right


@dataclass
class Tally:
    """Counts of one side; keys are what a person presses."""

    characters: int = 0
    """Of the cells that were typed."""
    keys_needed: int = 0
    """Without any completion."""
    keys: int = 0
    moments: int = 0
    """Times between two keys at which the person looked."""
    shown: int = 0
    """Moments with something on the screen."""
    accepted: int = 0
    requests: int = 0
    reading_seconds: float = 0.0
    """Spent on what was wrong."""
    seen: list[Seen] = field(default_factory=list)
    followed: list[bool] = field(default_factory=list)
    """For each accept of a whole suggestion, whether the next suggestion was there at once."""
    waits: list[float] = field(default_factory=list)
    """Seconds from a key to the first character of ghost text that it asked for."""

    @property
    def saved(self) -> float:
        """Share of the keys that were not needed."""
        return 1 - self.keys / self.keys_needed

    @property
    def share_followed(self) -> float:
        """Share of the accepts after which the next suggestion was there at once."""
        return sum(self.followed) / max(1, len(self.followed))

    @property
    def share_shown(self) -> float:
        """Share of the moments with something on the screen."""
        return self.shown / self.moments

    @property
    def right(self) -> int:
        """Characters that were shown and right."""
        return sum(seen.right for seen in self.seen)

    @property
    def wrong(self) -> int:
        """Characters that were shown and wrong."""
        return sum(seen.wrong for seen in self.seen)

    @property
    def share_right(self) -> float:
        """Share of the characters shown that were right."""
        return self.right / max(1, self.right + self.wrong)


def invented(
    seen: Seen, columns: Mapping[str, Collection[str]], attributes: Mapping[str, Collection[str]]
) -> list[str]:
    """Columns and attributes of a suggestion that neither the kernel's objects nor the cell have.

    Parameters
    ----------
    columns
        Names of the columns of each frame that the kernel knows.
    attributes
        Attributes of each name that the kernel knows, as ``dir`` tells them.
    """
    line = seen.before + seen.text
    begin = len(seen.before)
    found: list[str] = []
    for match in _COLUMN.finditer(line):
        column = match[2] or match[3]
        is_made = re.match(r"\s*=[^=]", line[match.end() :])
        if match.end() > begin and match[1] in columns and column not in columns[match[1]] and not is_made:
            found.append(f"{match[1]}[{column!r}]")
    for match in _ATTRIBUTE.finditer(line):
        name, attribute = match.groups()
        if match.end() <= begin or name not in attributes or attribute in attributes[name]:
            continue
        # What stands at the end may go on.
        cut = match.end() == len(line) and any(known.startswith(attribute) for known in attributes[name])
        is_made = re.match(r"\s*=[^=]", line[match.end() :])
        if not cut and not is_made:
            found.append(f"{name}.{attribute}")
    return [name for name in found if name not in seen.before + seen.target]
