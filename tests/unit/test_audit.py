"""The audit calls nothing clean that nobody has answered for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.audit import __main__ as audit
from tests.audit import installed
from tests.audit.report import Report, Unreached, from_npm_audit, from_pip_audit, left

CLEAN = {"name": "six", "version": "1.17.0", "vulns": []}
FOUND = {
    "name": "jinja2", "version": "3.1.5",
    "vulns": [{
        "id": "PYSEC-2025-1", "fix_versions": ["3.1.6"], "aliases": ["CVE-2025-27516"], "description": "",
    }],
}  # fmt: skip
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def pip(*dependencies: object) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_weakness_is_told_with_all_its_names() -> None:
    report = from_pip_audit(pip(CLEAN, FOUND), {"six": "1.17.0", "jinja2": "3.1.5"})
    (finding,) = report.findings
    assert (report.asked, finding.package, finding.remedy) == (2, "jinja2", "fixed in 3.1.6")
    assert finding.ids == ("PYSEC-2025-1", "CVE-2025-27516")


@pytest.mark.parametrize("output", [pip(CLEAN, SKIPPED), pip(CLEAN), pip(), "", "[]", "no JSON"])
def test_a_package_without_an_answer_is_not_called_clean(output: str) -> None:
    with pytest.raises(Unreached):
        from_pip_audit(output, {"six": "1.17.0", "idna": "3.6"})


def test_what_is_accepted_by_any_of_its_names_is_not_open() -> None:
    report = from_pip_audit(pip(FOUND), {"jinja2": "3.1.5"})
    assert left(report, {}) == list(report.findings)
    assert left(report, {"CVE-2025-27516": "its filter is not used"}) == []


def test_npm_tells_the_advisory_once_and_not_of_those_that_depend_on_it() -> None:
    via = {"source": 1, "name": "b", "url": "https://github.com/advisories/GHSA-aaaa-bbbb-cccc"}
    answer = {
        "auditReportVersion": 2,
        "vulnerabilities": {
            "a": {"name": "a", "via": ["b"], "range": "*", "fixAvailable": True},
            "b": {"name": "b", "via": [via], "range": "<2", "fixAvailable": True},
        },
        "metadata": {"dependencies": {"prod": 40, "dev": 300, "total": 340}},
    }
    report = from_npm_audit(json.dumps(answer))
    assert report.asked == 40
    assert [(finding.package, finding.ids) for finding in report.findings] == [
        ("b", ("GHSA-aaaa-bbbb-cccc",))
    ]


@pytest.mark.parametrize(
    "output",
    [
        json.dumps({"message": "405 Method Not Allowed", "statusCode": 405, "error": {"summary": ""}}),
        json.dumps({"error": {"code": "ENOAUDIT", "summary": "no such service"}}),
        "",
    ],
)
def test_npm_without_its_service_says_nothing_of_the_packages(output: str) -> None:
    with pytest.raises(Unreached):
        from_npm_audit(output)


def unreached(*_: object) -> Report:
    raise Unreached("nobody answers")


def found(*_: object) -> Report:
    return from_pip_audit(pip(FOUND), {"jinja2": "3.1.5"})


def clean(*_: object) -> Report:
    return Report(1, ())


@pytest.mark.parametrize(
    ("python", "javascript", "status"),
    [(clean, clean, 0), (found, unreached, 1), (clean, unreached, 3), (unreached, clean, 3)],
)
def test_the_status_tells_clean_from_not_known(
    python: object, javascript: object, status: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(audit, "python_packages", python)
    monkeypatch.setattr(audit, "javascript_packages", javascript)
    assert audit.main([]) == status
    assert ("NOT KNOWN" in capsys.readouterr().out) == (unreached in (python, javascript))


def test_what_is_asked_about_is_all_that_an_installation_brings() -> None:
    wanted = installed.declared(Path(__file__).parents[2] / "pyproject.toml")
    names = {requirement.name for requirement in wanted}
    assert {"llama-cpp-python", "tornado", "keyring"} <= names
    assert "pytest" not in names
    versions, missing = installed.closure(
        [
            Requirement("httpx"),
            Requirement("no-such-package-anywhere"),
            Requirement("x; sys_platform == 'no'"),
        ]
    )
    assert {"httpx", "httpcore", "h11", "idna"} <= set(versions)
    assert missing == ["no-such-package-anywhere"]
