"""What the model is told."""

from __future__ import annotations

from typing import get_args

import pytest

from jupyter_localcoder.contract.generation import (
    ChatRequest,
    Command,
    GenerateRequest,
    Message,
)
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell
from jupyter_localcoder.errors import InvalidArgument
from jupyter_localcoder.generation import prompts
from jupyter_localcoder.generation.instructions import SHIPPED


def asked(**fields: object) -> str:
    return prompts.command_prompt(GenerateRequest(**fields)).turns[-1].content  # type: ignore[arg-type]


@pytest.mark.parametrize("command", get_args(Command))
def test_braces_in_a_cell_are_left_alone(command: str) -> None:
    code = "f'{x}' and {y: '{language}'} and ${z}"
    assert code in asked(command=command, code=code, instruction="")


def test_the_code_stands_in_a_fence_that_it_cannot_close() -> None:
    content = asked(command="explain", code="'''\n```python\n1\n```\n'''")
    assert "````python\n" in content
    assert content.rstrip().endswith("````")


def test_the_traceback_goes_along_with_fix() -> None:
    assert "ZeroDivisionError" in asked(
        command="fix", code="1/0", error="ZeroDivisionError: division by zero"
    )


def test_the_persons_words_and_the_language_are_in_it() -> None:
    content = asked(command="improve", code="x", instruction="keep the comments", language="r")
    assert "keep the comments" in content
    assert "```r" in content


def test_cells_go_along_as_context_and_markdown_becomes_comments() -> None:
    cells = (
        NotebookCell(source="# Title\ntext", kind="markdown"),
        NotebookCell(source="import numpy as np"),
        NotebookCell(source=" "),
    )
    content = asked(command="explain", code="np.ones(3)", context=cells)
    assert "# # Title\n# text\n\nimport numpy as np" in content


@pytest.mark.parametrize("command", ["explain", "improve", "fix", "document", "test", "generate", "prompt"])
def test_nothing_to_work_on_is_said(command: str) -> None:
    with pytest.raises(InvalidArgument, match="empty"):
        asked(command=command, code=" \n", instruction=" ")


def test_a_free_prompt_is_what_the_person_wrote() -> None:
    assert asked(command="prompt", instruction="why is the sky blue?") == "why is the sky blue?"


def test_a_conversation_keeps_its_turns_and_gets_a_system() -> None:
    turns = (
        Message(role="user", content="a"),
        Message(role="assistant", content="b"),
        Message(role="user", content="c"),
    )
    made = prompts.chat_prompt(ChatRequest(messages=turns)).turns
    assert [turn.role for turn in made] == ["system", "user", "assistant", "user"]
    own = (Message(role="system", content="s"), *turns)
    assert prompts.chat_prompt(ChatRequest(messages=own)).turns[0].content == "s"


def test_a_conversation_that_ends_with_the_assistant_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        prompts.chat_prompt(ChatRequest(messages=(Message(role="assistant", content="b"),)))


def test_a_turn_tells_what_it_is_put_together_from() -> None:
    request = GenerateRequest(
        command="fix", code="1 / 0", error="ZeroDivisionError", context=(NotebookCell(source="import os"),)
    )
    turn = prompts.command_prompt(request).turns[-1]
    assert [span.source for span in turn.spans] == ["cells above", "instructions", "code", "error"]
    assert sum(span.chars for span in turn.spans) == len(turn.content)
    at = sum(span.chars for span in turn.spans[:2])
    assert turn.content[at : at + turn.spans[2].chars] == "The code of this cell:\n```python\n1 / 0\n```\n\n"


ORDERS = KernelVariable(
    name="orders",
    type="DataFrame",
    shape=(6, 2),
    columns=(Column(name="Unit Price (EUR)", dtype="float64"), Column(name="cust_ID", dtype="str")),
)
OTHER = KernelVariable(name="unrelated", type="int")


@pytest.mark.parametrize("command", ["explain", "improve", "fix", "document", "test"])
def test_what_the_kernel_knows_is_told_of_names_in_the_code(command: str) -> None:
    content = asked(command=command, code="orders.head()", variables=(OTHER, ORDERS))
    assert '# orders: DataFrame 6x2, float64 ["Unit Price (EUR)"], str ["cust_ID"]' in content
    assert "unrelated" not in content
    assert "Unit Price" not in asked(command=command, code="reorders.head()", variables=(OTHER, ORDERS))


def test_a_description_that_names_no_frame_is_told_of_frames() -> None:
    for words in ("total price per customer", "use orders"):
        content = asked(command="generate", instruction=words, variables=(OTHER, ORDERS))
        assert "Unit Price (EUR)" in content
        assert "unrelated" not in content
    odd = KernelVariable(
        name="df", type="DataFrame", shape=(1, 1), columns=(Column(name='a"]\nimport os', dtype="x"),)
    )
    content = asked(command="generate", instruction="x", variables=(odd,))
    assert "\nimport os" not in content


def test_a_chat_is_told_of_what_the_question_or_its_references_name() -> None:
    request = ChatRequest(messages=(Message(role="user", content="Sum orders"),), variables=(OTHER, ORDERS))
    content = prompts.chat_prompt(request).turns[-1].content
    assert "Unit Price (EUR)" in content
    assert "unrelated" not in content
    assert content.endswith("Sum orders")
    turn = prompts.turn_prompt((), "Hello", (), variables=(OTHER, ORDERS)).turns[-1]
    assert turn.content == "Hello"


def test_a_second_try_names_the_fault_and_reads_what_the_code_needs() -> None:
    cells = tuple(
        NotebookCell(source=source)
        for source in ("import pandas as pd", "def load():\n    return pd", "other = 1", "data = load()")
    )
    request = GenerateRequest(command="improve", code="x = data", context=cells)
    content = prompts.command_prompt(request, problem="It is broken.").turns[-1].content
    assert "It is broken." in content
    assert "import pandas as pd\n\ndef load():\n    return pd\n\ndata = load()" in content
    assert "other = 1" not in content


def test_rules_of_the_project_stand_in_the_system_turn_and_are_named() -> None:
    rules = "Rules of this project:\nUse polars."
    free = prompts.command_prompt(GenerateRequest(command="prompt", code="Why?"), rules=rules)
    own = (Message(role="system", content="Be brief."), Message(role="user", content="Why?"))
    chat = prompts.chat_prompt(ChatRequest(messages=own), rules=rules)
    talk = prompts.turn_prompt((), "Why?", (), rules=rules)
    for made in (free, chat, talk):
        system = made.turns[0]
        assert system.role == "system"
        assert system.content.endswith(f"\n\n{rules}")
        assert [span.source for span in system.spans] == ["instructions", prompts.SOURCE_RULES]
        assert sum(span.chars for span in system.spans) == len(system.content)
        assert [turn.role for turn in made.turns] == ["system", "user"]
    assert chat.turns[0].content.startswith("Be brief.")


@pytest.mark.parametrize("problem", ["", "It fails."])
def test_rules_of_the_project_follow_the_instruction_of_a_command(problem: str) -> None:
    request = GenerateRequest(command="improve", code="x", instruction="Shorter.")
    made = prompts.command_prompt(request, problem=problem, rules="Rules:\nUse polars.")
    assert made.turns[0].content == SHIPPED.system
    sources = [span.source for span in made.turns[1].spans]
    assert sources == ["instructions", prompts.SOURCE_RULES, "question", "code"]
    assert "\n\nRules:\nUse polars.\n\nShorter." in made.turns[1].content
