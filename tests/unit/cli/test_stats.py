"""stats, over a scripted client."""

from __future__ import annotations


def test_the_counts_fit_a_terminal_of_80_columns(cli):
    out = cli("stats", tty=True, answered=1).out
    assert max(map(len, out.splitlines())) <= 80
    for word in ("shown", "dismissed", "kept", "12345", "2345", "python", "?", "all", "Since 2026-01-01"):
        assert word in out
    assert "Threshold: probability 0.45 (20 of the last 50 suggestions were accepted)" in out


def test_without_counts_it_says_so(cli):
    assert cli("stats").out.startswith("No suggestion was counted yet.\n")


def test_json_has_all_of_it(cli):
    found = cli("stats", "--json", answered=1).json
    assert found["counts"][0]["accepted_line"] == 345
    assert found["total"]["shown"] == 12346


def test_erasing_asks_at_a_terminal_and_nowhere_else(cli):
    refused = cli("stats", "--erase", tty=True, stdin="n\n")
    assert refused.code != 0
    assert "Nothing was erased." in refused.err
    assert "stats:erase" not in str(refused.log)
    for run in (
        cli("stats", "--erase", tty=True, stdin="y\n"),
        cli("stats", "--erase", "--yes", tty=True),
        cli("stats", "--erase"),
    ):
        assert run.code == 0
        assert "stats:erase" in str(run.log)
        assert run.out.endswith("The counts were erased.\n")
