"""The instructions of commands, and the files that replace them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import check_configuration
from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.errors import ConfigInvalid
from jupyter_localcoder.generation import prompts
from jupyter_localcoder.generation.instructions import MAX_BYTES, SHIPPED, load


def test_a_file_replaces_one_instruction_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "fix.md").write_text("Repair this {language} code {as is}.\n")
    (tmp_path / "README.txt").write_text("Ours.")
    own = load(tmp_path)
    assert own.of("fix", "julia") == "Repair this julia code {as is}."
    assert own.commands | {"fix": ""} == SHIPPED.commands | {"fix": ""}
    prompt = prompts.command_prompt(GenerateRequest(command="fix", code="1/0"), instructions=own)
    assert "Repair this python code {as is}." in prompt.turns[1].content


def test_the_system_instruction_stands_before_commands_and_chats(tmp_path: Path) -> None:
    (tmp_path / "system.md").write_text("Answer in Dutch.")
    own = load(tmp_path)
    made = (
        prompts.command_prompt(GenerateRequest(command="explain", code="x"), instructions=own),
        prompts.turn_prompt((), "Why?", (), instructions=own),
    )
    assert [prompt.turns[0].content for prompt in made] == ["Answer in Dutch."] * 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("fixes.md", b"Repair.", "no command `fixes`: use `system.md`"),
        ("fix.md", b" \n", "`fix.md` is empty"),
        ("fix.md", b"\xff\xfe", "`fix.md` cannot be read: it is not text in UTF-8"),
        ("fix.md", b"x" * (MAX_BYTES + 1), "`fix.md` cannot be read: it is larger than"),
    ],
)
def test_what_cannot_be_used_stops_the_start_and_names_the_trait(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigInvalid, match=reason) as refused:
        check_configuration(Config({"Service": {"instructions_dir": str(tmp_path)}}))
    assert refused.value.details["traits"] == ["Service.instructions_dir"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fix.md")
    with pytest.raises(ConfigInvalid, match="it is not a regular file"):
        load(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"instructions_dir.*No such file"):
        check_configuration(Config({"Service": {"instructions_dir": str(tmp_path / "gone")}}))
