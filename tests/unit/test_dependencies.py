"""What is imported is declared, what would break us is bounded, and the constraints file fits both."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.audit.installed import EXTRAS, project_table
from tests.versions import REPOSITORY, differences, main, pins, requirements

PROJECT = REPOSITORY / "pyproject.toml"
CONSTRAINTS = REPOSITORY / "constraints.txt"
OWN = {"jupyter_localcoder", "tests", "notebooks", "scripted_worker"}
STANDARD_LATER = {"tomllib"}
"""Of the standard library from a later Python on; `tomli` stands in for it."""
OPTIONAL = {"atheris"}
"""`make fuzz` installs it where it can."""


def imported_modules(sources: Iterable[Path]) -> Iterator[str]:
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield str(node.module).partition(".")[0]


def distributions() -> dict[str, set[str]]:
    """Which packages bring a module; Python 3.10's own answer knows of those alone that say it."""
    found: dict[str, set[str]] = {}
    for module, names in importlib.metadata.packages_distributions().items():
        found.setdefault(module, set()).update(names)
    for one in importlib.metadata.distributions():
        for path in one.files or ():
            if path.suffix == ".py":
                found.setdefault(path.parts[0].removesuffix(".py"), set()).add(one.metadata["Name"])
    return found


def undeclared(sources: Iterable[Path], lines: Iterable[str]) -> list[str]:
    """Modules that no declared package provides."""
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    providers = distributions()
    modules = set(imported_modules(sources)) - set(sys.stdlib_module_names) - STANDARD_LATER - OWN - OPTIONAL
    # A module of another Python version is not installed here; its package is called the same.
    return sorted(
        module
        for module in modules
        if not declared & {canonicalize_name(name) for name in providers.get(module, [module])}
    )


def test_the_product_declares_what_it_imports() -> None:
    table = project_table(PROJECT)
    extras = table["optional-dependencies"]
    lines = [*table["dependencies"], *(line for name in (*EXTRAS, "hub") for line in extras[name])]
    sources = list((REPOSITORY / "jupyter_localcoder").rglob("*.py"))
    assert undeclared(sources, lines) == []
    # The check is able to find something.
    assert undeclared(sources, [line for line in lines if not line.startswith("numpy")]) == ["numpy"]


def test_the_tests_declare_what_they_import() -> None:
    table = project_table(PROJECT)
    extras = table["optional-dependencies"]
    sources = [*(REPOSITORY / "tests").rglob("*.py"), *(REPOSITORY / "notebooks").rglob("*.py")]
    product = (line for name in (*EXTRAS, "hub") for line in extras[name])
    assert undeclared(sources, [*table["dependencies"], *product, *extras["test"]]) == []


@pytest.mark.parametrize(
    "name",
    ["llama-cpp-python", "httpx", "traitlets", "jupyter_core", "jupyter_server", "jupyterlab", "ipywidgets"],
)
def test_a_release_that_may_break_us_is_not_installed(name: str) -> None:
    (found,) = [one for one in requirements(PROJECT) if one.name == name and not one.extras]
    assert any(bound.operator == "<" for bound in found.specifier)


def test_the_engine_is_bound_to_the_release_whose_structs_it_sets() -> None:
    (engine,) = [one for one in requirements(PROJECT) if one.name == "llama-cpp-python" and not one.extras]
    newest = max(map(int, re.findall(r"0\.3\.(\d+)", str(engine.specifier))))
    assert not engine.specifier.contains(f"0.3.{newest}")
    assert engine.specifier.contains(f"0.3.{newest - 1}")
    # What the documentation tells to install, too.
    commands = re.findall(
        r"^CMAKE_ARGS=.*", (REPOSITORY / "docs" / "gpus.md").read_text(encoding="utf-8"), re.M
    )
    assert len(commands) == 3
    assert all(f"'llama-cpp-python<0.3.{newest}'" in command for command in commands)


def test_the_constraints_name_a_version_that_is_allowed_for_each_requirement() -> None:
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in pins(CONSTRAINTS)}
    for requirement in requirements(PROJECT):
        name = canonicalize_name(requirement.name)
        if name == "jupyter-localcoder":
            continue
        (version,) = [bound.version for bound in pinned[name] if bound.operator == "=="]
        assert requirement.specifier.contains(version, prereleases=True), f"`make lock` is due: {name}"


def test_a_package_that_differs_from_the_constraints_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = importlib.metadata.version("msgspec")
    constraints = tmp_path / "some.txt"
    constraints.write_text(f"# made\nmsgspec=={version}\nnot-installed-at-all==1.0\n")
    assert list(differences(constraints)) == []
    constraints.write_text("msgspec==0.0.1\npytest==0.0.1; python_version < '3'\n")
    assert list(differences(constraints)) == [f"msgspec {version} instead of ==0.0.1"]
    assert main([str(constraints)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Python 3.")
    assert f"msgspec {version}," in printed.replace("\n", " ")
    assert "Versions of some.txt, except:\n  msgspec" in printed
