"""What the package of the JupyterLab extension must agree on with the Python package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import __version__, _jupyter_labextension_paths

LABEXTENSION = Path(__file__).parents[2] / "labextension"


def read(name: str) -> Any:
    return json.loads((LABEXTENSION / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def package() -> Any:
    return read("package.json")


def test_both_packages_have_one_version(package: Any) -> None:
    lock = read("package-lock.json")
    assert package["version"] == lock["version"] == lock["packages"][""]["version"] == __version__


def test_it_is_found_under_the_name_that_it_has(package: Any) -> None:
    (path,) = _jupyter_labextension_paths()
    assert path["dest"] == package["name"]
    assert read("install.json")["packageName"] == "jupyter_localcoder"


def test_the_lock_file_names_no_address() -> None:
    # So that `npm ci` works with whatever registry a person is allowed to use.
    text = (LABEXTENSION / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved": "http' not in text
    assert not re.search(r"https?://[^\"]*\.tgz", text)


def test_every_package_in_the_lock_file_has_a_digest() -> None:
    packages = read("package-lock.json")["packages"]
    bare = [name for name, entry in packages.items() if name and "integrity" not in entry]
    assert bare == []


def test_every_setting_says_what_it_does(package: Any) -> None:
    schema = read("schema/plugin.json")
    assert schema["properties"]
    for setting in schema["properties"].values():
        assert {"title", "description", "type", "default"} <= setting.keys()


def test_other_extensions_can_import_the_tokens(package: Any) -> None:
    assert package["types"] == "lib/index.d.ts"
    assert "lib/**/*.{d.ts,js}" in package["files"]
    source = LABEXTENSION / "src"
    index = (source / "index.ts").read_text(encoding="utf-8")
    assert "export * from './shared/tokens';" in index
    tokens = source / "shared" / "tokens"
    exported = set(re.findall(r"'\./(\w+)'", (tokens / "index.ts").read_text(encoding="utf-8")))
    assert exported == {path.stem for path in tokens.glob("*.ts")} - {"index"}


def test_every_token_is_told_in_the_docs() -> None:
    tokens = LABEXTENSION / "src" / "shared" / "tokens"
    names = {
        name
        for path in tokens.glob("*.ts")
        for name in re.findall(r"export const (\w+) = new Token<", path.read_text(encoding="utf-8"))
    }
    page = (LABEXTENSION.parent / "docs" / "api.md").read_text(encoding="utf-8")
    section = page.split("\n## From another JupyterLab extension\n")[1]
    assert names
    assert {name for name in names if f"`{name}`" not in section} == set()
