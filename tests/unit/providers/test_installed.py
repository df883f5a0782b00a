"""Types of providers that installed packages add: real packages in a folder, read by importlib.metadata."""

from __future__ import annotations

import builtins
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_localcoder.providers import installed
from jupyter_localcoder.providers.installed import InstalledKinds
from jupyter_localcoder.providers.kinds import BUILT_IN
from jupyter_localcoder.providers.registry import ProviderRegistry
from tests.support.jupyter_server import wait_until
from tests.support.provider_package import documented, entry_points_in, install, install_documented
from tests.support.waiting import PATIENCE_SECONDS

KIND = "from jupyter_localcoder.providers import Kind\nKIND = Kind('Toy', make=lambda setup: None{})\n"
Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages, which Python forgets afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def load(site: Path, warnings: list[str]) -> Callable[..., InstalledKinds]:
    def load(seconds: float = PATIENCE_SECONDS) -> InstalledKinds:
        kinds = InstalledKinds(lambda: entry_points_in(site), seconds=seconds)
        kinds.load(warnings.append)
        return kinds

    return load


def test_the_documented_package_adds_its_type(site, load, warnings):
    install_documented(site)
    kinds = load()
    assert list(kinds.all()) == [*BUILT_IN, "acme"]
    found = kinds.get("acme")
    assert found is not None
    assert (found.title, found.vendor_hosts) == ("Acme", ("api.acme.example",))
    assert warnings == []


def test_the_documented_module_is_short():
    assert len(documented()[1].splitlines()) < 40


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named"),
        ("nothing = 1", "AttributeError: module"),
        ("KIND = 'Toy'", "TypeError: it is a str, not a `Kind`."),
        (KIND.format(", base_url='ftp://host'"), "ValidationError: "),
        (KIND.format(", form_fields=('key',)"), "`form_fields` must be a tuple of api_version,"),
        (KIND.format(", fills='off'"), "`fills` must be a tuple of off,"),
        (KIND.format(", vendor_hosts=('.',)"), "`vendor_hosts` contains an empty host."),
        (KIND.format(", key_variables='A'"), "`key_variables` must be a tuple of strings."),
        ("from jupyter_localcoder.providers import Kind\nKIND = Kind('Toy')", "`make` is not a function."),
        ("from jupyter_localcoder.providers import Kind\nKIND = Kind(' ')", "`title` is empty."),
    ],
)
def test_a_package_that_cannot_be_used_costs_one_warning(site, load, warnings, source, why):
    install(site, "broken-toy", "broken_toy", source, {"toy": "broken_toy:KIND"})
    install_documented(site)
    kinds = load()
    assert list(kinds.all()) == [*BUILT_IN, "acme"]
    assert kinds.get("toy") is None
    wait_until(lambda: warnings)
    (warning,) = warnings
    assert warning.startswith("The provider type `toy` of broken-toy is not used: ")
    assert why in warning
    assert kinds.trouble("toy") == warning


def test_a_name_that_is_taken_or_misspelled_is_refused(site, load, warnings):
    for package in ("b-toy", "a-toy"):
        install(site, package, package.replace("-", "_"), KIND.format(""), {"toy": package[0] + "_toy:KIND"})
    install(site, "c-toy", "c_toy", KIND.format(""), {"openai": "c_toy:KIND", "No-Good": "c_toy:KIND"})
    kinds = load()
    assert list(kinds.all()) == [*BUILT_IN, "toy"]
    assert sorted(warnings) == [
        "The provider type `No-Good` of c-toy is not used: A name consists of lowercase letters, digits and "
        "underscores.",
        "The provider type `openai` of c-toy is not used: The name is taken by a built-in type.",
        "The provider type `toy` of b-toy is not used: The name is taken by `toy` of a-toy.",
    ]


def test_a_slow_package_costs_one_warning_and_comes_later(site, load, warnings, monkeypatch):
    """It hangs for as long as the test wants; nothing waits for it, least of all a built-in type."""
    finished = threading.Event()
    monkeypatch.setattr(builtins, "localcoder_test_finished", finished, raising=False)
    source = f"localcoder_test_finished.wait({PATIENCE_SECONDS})\n" + KIND.format("")
    install(site, "slow-toy", "slow_toy", source, {"slow": "slow_toy:KIND"})
    install_documented(site)
    kinds = load(0.0)
    wait_until(lambda: kinds.get("acme"))
    for _ in range(2):
        assert list(kinds.all()) == [*BUILT_IN, "acme"]
        assert kinds.get("slow") is None
    assert kinds.get("openai") is BUILT_IN["openai"]
    assert "`slow` of slow-toy is still" in kinds.trouble("slow")
    assert len([warning for warning in warnings if "`slow` of slow-toy" in warning]) == 1
    finished.set()
    wait_until(lambda: kinds.get("slow"))
    assert list(kinds.all()) == [*BUILT_IN, "acme", "slow"]


def test_packages_that_cannot_be_listed_cost_one_warning(warnings):
    def damaged():
        raise OSError("the disk is gone")

    kinds = InstalledKinds(damaged, seconds=PATIENCE_SECONDS)
    kinds.load(warnings.append)
    assert kinds.all() == BUILT_IN
    assert warnings == [
        "The provider types of installed packages cannot be listed: OSError: the disk is gone"
    ]


def test_a_provider_of_a_package_that_is_gone_stays_in_the_file(site, load, tmp_path, monkeypatch):
    monkeypatch.setattr(installed, "INSTALLED", load())
    path = tmp_path / "providers.json"
    entry = {"settings": {"type": "gone_toy", "model": "m"}}
    path.write_text(json.dumps({"format": 1, "active": "lab", "providers": {"lab": entry}}))
    registry = ProviderRegistry(path)
    snapshot = registry.read()
    assert (snapshot.active, list(snapshot.entries), list(snapshot.unread)) == ("lab", [], ["lab"])
    assert "No installed package provides the type gone_toy." in snapshot.problem
    with registry.change():
        pass
    assert '"gone_toy"' in path.read_text()
