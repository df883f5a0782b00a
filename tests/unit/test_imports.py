"""What is imported when: a server that nobody asks, and a user without a provider, pay for nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
