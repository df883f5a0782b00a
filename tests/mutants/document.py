"""The shares in docs/reliability.md, each written by the run that has measured it."""

from __future__ import annotations

from pathlib import Path

from .rooms import ROOMS

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- mutants -->\n", "<!-- end of mutants -->\n"


def rows(text: str) -> dict[str, str]:
    """What the document says of each room."""
    found: dict[str, str] = {}
    for line in text.partition(BEGIN)[2].partition(END)[0].splitlines():
        name, _, rest = line.removeprefix("| `").partition("` ")
        if line.startswith("| `"):
            found[name] = rest.partition(" | ")[2]
    return found


def render(text: str, measured: dict[str, str]) -> str:
    """The document with these rows; a room without one was not measured."""
    lines = [
        "| room | modules | changes | caught | accepted | share |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, room in ROOMS.items():
        modules = ", ".join(f"`{module}`" for module in room.modules)
        lines.append(f"| `{name}` | {modules} | {measured.get(name, '| | | not measured |')}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}" + "\n".join(lines) + f"\n{END}{rest.partition(END)[2]}"


def write(room: str, changes: int, caught: int, accepted: int, share: float) -> None:
    """Write what was measured of a room."""
    text = DOCUMENT.read_text()
    row = f"{changes} | {caught} | {accepted} | {100 * share:.0f} % |"
    DOCUMENT.write_text(render(text, {**rows(text), room: row}))
