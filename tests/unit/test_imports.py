"""What is imported when: a server that nobody asks, and a user without a provider, pay for nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_localcoder

REMOTE = (
    "transport",
    "remote",
    "openai",
    "openai_wire",
    "azure_openai",
    "gemini",
    "ollama",
    "openai_compatible",
)


def imported_by(code: str) -> list[str]:
    """Names of the modules that a piece of code brings in, in a process of its own."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return names


def test_the_server_extension_imports_no_provider_and_no_http_client():
    modules = imported_by("import jupyter_localcoder.server.app")
    assert "jupyter_localcoder.server.app" in modules
    unwanted = (
        "jupyter_localcoder.providers",
        "jupyter_localcoder.credentials",
        "httpx",
        "keyring",
        "cryptography",
    )
    assert [name for name in modules if name.startswith(unwanted)] == []


@pytest.mark.parametrize(
    "code",
    [
        "from jupyter_localcoder.composition import build_service; build_service()",
        "from jupyter_localcoder.providers import registry, build, kinds, prices\n"
        "from jupyter_localcoder.contract.providers import ProviderFields\n"
        "build.check_fields(ProviderFields(type='openai'))",
    ],
)
def test_a_service_imports_a_provider_when_it_is_used(code):
    modules = imported_by(code)
    assert [name for name in REMOTE if f"jupyter_localcoder.providers.{name}" in modules] == []
    assert [name for name in modules if name.startswith(("keyring", "cryptography"))] == []


def test_making_a_provider_imports_its_own_module_and_no_other():
    modules = imported_by(
        "from jupyter_localcoder.providers.build import build_provider\n"
        "from jupyter_localcoder.contract.providers import ProviderFields\n"
        "build_provider('x', ProviderFields(type='ollama', model='m'), None)"
    )
    assert [name for name in REMOTE if f"jupyter_localcoder.providers.{name}" in modules] == [
        "transport", "remote", "ollama"
    ]  # fmt: skip


def test_the_package_and_its_magics_import_no_widget():
    code = (
        "import jupyter_localcoder, jupyter_localcoder.magics\n"
        "assert 'ipywidgets' not in __import__('sys').modules\n"
        "from jupyter_localcoder import ModelManager"
    )
    assert "jupyter_localcoder.widgets.manager" in imported_by(code)


PRODUCT = Path(jupyter_localcoder.__file__).parent
NOT_SUBSCRIPTED = {"LoggerAdapter"}
"""Classes of the standard library that the oldest Python cannot subscript when it runs; the checker can."""


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """What of a module is evaluated when it runs: no annotations."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from evaluated(child)


def subscripted(source: str) -> set[str]:
    """Names that are subscripted where a module runs."""
    subscripts = [node.value for node in evaluated(ast.parse(source)) if isinstance(node, ast.Subscript)]
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in subscripts}


def test_what_the_oldest_python_cannot_subscribe_is_not_subscripted() -> None:
    assert subscripted("import logging as l\nLog = l.Logger | l.LoggerAdapter[int]") == {"LoggerAdapter"}
    assert (
        subscripted("def f(log: l.LoggerAdapter[int]) -> l.LoggerAdapter[int]: pass\nx: list[int] = []")
        == set()
    )
    found = {path.name for path in PRODUCT.rglob("*.py") if NOT_SUBSCRIPTED & subscripted(path.read_text())}
    assert found == set()
