"""The documentation and the files for contributors: links lead somewhere, examples run, the map is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import reference_pages
from tests.versions import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(REPOSITORY.glob("*.md"))]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SELF_CONTAINED = ("python-api.md",)
"""Pages whose Python examples are whole programs; the others are fragments of a configuration or of cells."""


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#{1,4} (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    found = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](page.md#one) [d](gone.md) [e](https://example.org)\n")
    assert broken(page) == ["#two", "gone.md"]


def test_every_page_is_in_the_navigation() -> None:
    listed: set[Path] = set()
    for index in (DOCS / "index.md", DOCS / "decisions" / "index.md"):
        for _, options, body in _FENCE.findall(index.read_text(encoding="utf-8")):
            if "{toctree}" in options:
                names = [line for line in body.splitlines() if line and not line.startswith(":")]
                listed |= {(index.parent / f"{name}.md").resolve() for name in names}
    assert listed == {page.resolve() for page in DOCS.rglob("*.md")} - {(DOCS / "index.md").resolve()}


def test_the_made_parts_are_what_the_code_declares() -> None:
    for name, blocks in reference_pages.PAGES.items():
        page = (DOCS / name).read_text(encoding="utf-8")
        assert page == reference_pages.updated(page, blocks), f"{name}: run `make generate`"


@pytest.mark.parametrize("name", _SELF_CONTAINED)
def test_the_examples_run(name: str, tmp_path: Path) -> None:
    fences = _FENCE.findall((DOCS / name).read_text(encoding="utf-8"))
    code = [body for language, options, body in fences if language == "python" and not options.strip()]
    assert code
    for body in code:
        ended = subprocess.run([sys.executable, "-c", body], cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr


def test_all_examples_in_python_can_be_parsed() -> None:
    for page in PAGES:
        for language, _, body in _FENCE.findall(page.read_text(encoding="utf-8")):
            if language == "python" and "%" not in body:
                compile(body, str(page), "exec")


def test_the_map_of_contributing_names_what_exists() -> None:
    page = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.split("## Where do I change …\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    paths = [path for row in rows for path in re.findall(r"`([^` ]+/[^` ]*)`", row.split("|")[2])]
    assert len(rows) >= 20
    assert len(paths) >= len(rows)
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def test_pre_commit_runs_the_pieces_of_make_check() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = " ".join(hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"])
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ncheck: ")[1].split("\n\n")[0].splitlines()[1:]
    for line in recipe:
        words = line.replace("$(BIN)/", ".venv/bin/").split()
        assert " ".join(word for word in words if word != ".") in entries


def test_the_workflows_cover_each_system_and_python() -> None:
    workflows = {
        path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (REPOSITORY / ".github" / "workflows").glob("*.yml")
    }
    matrix = workflows["test.yml"]["jobs"]["unit"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    # No job may write but the one that must.
    assert all(workflow["permissions"] == {"contents": "read"} for workflow in workflows.values())
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    used = {
        word
        for workflow in workflows.values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        for word in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE)
    }
    assert used <= targets
