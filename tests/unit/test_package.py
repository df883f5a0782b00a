"""What the checks of a package and of a release find."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from jupyter_localcoder import __version__
from tests import package, release

INFO = f"jupyter_localcoder-{__version__}.dist-info/METADATA"


def test_a_whole_wheel_has_no_faults() -> None:
    assert package.wheel_faults([*package.WHEEL_NEEDS, INFO]) == []


def test_each_file_that_a_wheel_lacks_is_named() -> None:
    for name in package.WHEEL_NEEDS:
        rest = [other for other in package.WHEEL_NEEDS if other != name]
        assert package.wheel_faults(rest) == [f"missing: {name}"]


def test_tests_and_tools_do_not_belong_into_a_wheel() -> None:
    foreign = [
        "tests/conftest.py",
        "labextension/node_modules/x.js",
        "jupyter_localcoder/labextension/package.json",
    ]
    faults = package.wheel_faults([*package.WHEEL_NEEDS, *foreign])
    assert sorted(faults) == sorted(f"unwanted: {name}" for name in foreign)


def test_an_sdist_has_the_built_extension_and_no_packages_of_node() -> None:
    top = f"jupyter_localcoder-{__version__}/"
    whole = [top + name for name in package.SDIST_NEEDS]
    assert package.sdist_faults(whole) == []
    assert package.sdist_faults([*whole, f"{top}labextension/node_modules/x"]) == [
        f"unwanted: {top}labextension/node_modules/x"
    ]
    assert package.sdist_faults(whole[1:]) == [f"missing: {package.SDIST_NEEDS[0]}"]


def repository(folder: Path, changelog: str, version: str = "1.2.3") -> Path:
    (folder / "labextension").mkdir()
    for name in ("package.json", "package-lock.json"):
        (folder / "labextension" / name).write_text(json.dumps({"version": version}))
    (folder / "CHANGELOG.md").write_text(changelog)
    for arguments in (
        ("init", "--quiet"), ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "x"),
    ):  # fmt: skip
        subprocess.run(["git", "-C", folder, *arguments], check=True)
    return folder


DATED = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n### Added\n\n- All.\n"


def test_a_version_that_is_ready_has_no_faults(tmp_path: Path) -> None:
    assert release.faults(repository(tmp_path, DATED), "1.2.3") == []


def test_what_keeps_a_version_from_being_released_is_named(tmp_path: Path) -> None:
    text = DATED.replace("2026-12-01", "unreleased").replace("[Unreleased]\n", "[Unreleased]\n\n- New.\n")
    folder = repository(tmp_path, text, version="1.2.2")
    (folder / "left-over").touch()
    said = " ".join(release.faults(folder, "1.2.3"))
    for words in ("package.json has version 1.2.2", "no date", "entries under Unreleased", "not clean"):
        assert words in said
    assert "no section for 9.9.9" in " ".join(release.faults(folder, "9.9.9"))
