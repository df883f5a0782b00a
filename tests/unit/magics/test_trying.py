"""`--verify` and `--until-runs`: the answer is scripted, the copies are real."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.magics.conftest import Publisher


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def run(shell: Any, cell: str) -> Any:
    return shell.run_cell(cell, store_history=True)


def shown(shell: Any) -> list[str]:
    """The plain text of what is displayed in the end: an update takes the place of what it updates."""
    publisher: Publisher = shell.display_pub
    last: dict[Any, str] = {}
    for number, one in enumerate(publisher.outputs):
        place = (one.get("transient") or {}).get("display_id", number)
        last[place] = one["data"]["text/plain"]
    return list(last.values())


def answers(client: Any, fake: Any, *codes: str) -> None:
    """Script one answer for each request."""
    scripts = [fake.answer(fenced(code)) for code in codes]

    def stream(op: Any, request: Any) -> Any:
        client.asked.append(request)
        client.streams.append(fake.FakeStream(scripts[len(client.asked) - 1]))
        return client.streams[-1]

    client.stream = stream


def test_the_verdict_is_above_the_diff(notebook: Any, client: Any, fake: Any) -> None:
    run(notebook, "xs = [3, 1, 2]")
    answers(client, fake, "ys = sorted(xs)")
    assert run(notebook, "%%improve --verify\nys = list(xs)\nys.sort()\n").success
    texts = shown(notebook)
    at = next(n for n, text in enumerate(texts) if text.startswith("Same result"))
    assert "+ ys = sorted(xs)" in texts[at + 1]
    assert "Time: " in texts[at]
    # It has run in a copy, and not here.
    assert "ys" not in notebook.user_ns


@pytest.mark.parametrize("command", ["improve", "fix", "document"])
def test_a_change_that_breaks_the_code_is_not_applied(
    notebook: Any, client: Any, fake: Any, command: str
) -> None:
    inserted: list[str] = []
    notebook.set_next_input = lambda code, replace=False: inserted.append(code)
    answers(client, fake, "x = missing + 1", "x = 1 + 1")
    run(notebook, f"%%{command} --verify --apply next\nx = 1\n")
    texts = shown(notebook)
    said = "The old code runs; the new code fails with NameError: name 'missing' is not defined (line 1)."
    assert any(text.startswith(said) for text in texts)
    assert "Not applied: the new code does not run." in texts
    assert inserted == []
    run(notebook, f"%%{command} --verify --apply next\nx = 2\n")
    assert inserted == ["x = 1 + 1"]


def test_without_the_option_nothing_is_tried(notebook: Any, client: Any, fake: Any) -> None:
    answers(client, fake, "x = missing", "x = missing")
    run(notebook, "%%improve\nx = 1\n")
    assert not any("new code" in text for text in shown(notebook))
    notebook.run_line_magic("config", "CodingMagics.verify_changes = 'always'")
    run(notebook, "%%improve\nx = 1\n")
    assert any("The old code runs; the new code fails" in text for text in shown(notebook))


def test_a_fix_is_asked_for_until_it_runs(notebook: Any, client: Any, fake: Any) -> None:
    run(notebook, "values = ['1', '2']")
    answers(client, fake, "total = sum(int(value))", "total = sum(int(value) for value in values)")
    run(notebook, "%%fix --until-runs\ntotal = sum(values)\n")
    first, second = client.asked
    # The error comes from the copy, since the code was not run here.
    assert "TypeError: unsupported operand type(s)" in first.error
    assert second.code.strip() == "total = sum(int(value))"
    assert "NameError: name 'value' is not defined" in second.error
    texts = shown(notebook)
    assert any(
        text.startswith("The old code fails with TypeError") and "the new code runs." in text
        for text in texts
    )
    # The diff is that of the cell, and not of the first answer.
    (diff,) = [text for text in texts if text.startswith("@@")]
    assert "- total = sum(values)" in diff
    assert "+ total = sum(int(value) for value in values)" in diff


def test_where_nothing_runs_no_change_is_offered(notebook: Any, client: Any, fake: Any) -> None:
    inserted: list[str] = []
    notebook.set_next_input = lambda code, replace=False: inserted.append(code)
    answers(client, fake, "x = a", "x = b", "x = c")
    run(notebook, "%%fix --until-runs --apply next\nx = 1 / 0\n")
    assert len(client.asked) == 3
    texts = shown(notebook)
    assert not any(text.startswith("@@") for text in texts)
    assert texts[-1] == "Not applied: nothing that runs was found (answers: 3)."
    assert inserted == []


def test_an_answer_that_cannot_be_used_is_asked_for_again(notebook: Any, client: Any, fake: Any) -> None:
    run(notebook, "values = [1, 2]")
    answers(client, fake, "total = (", "total = sum(values)")
    run(notebook, "%%fix --until-runs\ntotal = sum(value)\n")
    first, second = client.asked
    # It is another draft of the same request, not a repair of what cannot be read.
    assert (second.code, second.error) == (first.code, first.error)
    assert second.sampling.temperature is not None
    texts = shown(notebook)
    assert any("not valid Python" in text and "Asking again (2 of 3)." in text for text in texts)
    assert any("the new code runs." in text for text in texts)


def test_where_no_answer_can_be_used_the_reason_is_said(notebook: Any, client: Any, fake: Any) -> None:
    answers(client, fake, "x = (", "x = (", "x = (")
    run(notebook, "%%fix --until-runs\nx = y\n")
    assert len(client.asked) == 3
    assert shown(notebook)[-1] == "Nothing that runs was found (answers: 3)."
    assert not any(text.startswith("@@") for text in shown(notebook))


def test_of_several_drafts_the_first_that_runs_is_taken(notebook: Any, client: Any, fake: Any) -> None:
    inserted: list[str] = []
    notebook.set_next_input = lambda code, replace=False: inserted.append(code)
    answers(client, fake, "x = unknown", "x = 1")
    run(notebook, "%%generate --until-runs --apply next --seed 7\nthe number one\n")
    assert [request.command for request in client.asked] == ["generate", "generate"]
    assert [request.sampling.seed for request in client.asked] == [7, 8]
    assert inserted == ["x = 1"]
    assert any(text.startswith("Ran in a copy in ") for text in shown(notebook))


def test_another_language_is_told(notebook: Any, client: Any, fake: Any) -> None:
    client.script = fake.answer("```bash\nls -l\n```")
    run(notebook, "%%improve --verify\n%%bash\nls\n")
    said = "Cannot be checked: the cell is bash, and only Python can be tried in a copy."
    assert said in shown(notebook)


def test_quiet_shows_no_verdict(notebook: Any, client: Any, fake: Any) -> None:
    answers(client, fake, "x = 2")
    run(notebook, "%%improve --verify --quiet\nx = 1\n")
    assert not any("Differs" in text for text in shown(notebook))


def test_a_terminal_gets_the_sentence(shell: Any, client: Any, fake: Any, capsys: Any) -> None:
    answers(client, fake, "x = 2")
    run(shell, "%%improve --verify\nx = 1\n")
    assert "Differs in `x`: 2 instead of 1." in capsys.readouterr().out
