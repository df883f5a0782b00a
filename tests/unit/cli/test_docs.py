"""docs/cli.md says what the commands themselves say."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from jupyter_localcoder.cli.exits import ExitCode

HERE = Path(__file__).parent


def _helptexts():
    spec = importlib.util.spec_from_file_location("localcoder_cli_helptexts", HERE / "helptexts.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_help_of_every_command_stands_in_the_docs():
    helptexts = _helptexts()
    page = helptexts.PAGE.read_text(encoding="utf-8")
    named = re.findall(r"<!-- help: ([^>]*?) ?-->", page)
    assert named == [name for name, _ in helptexts.commands()]
    assert page == helptexts.updated(page), "run `python tests/unit/cli/helptexts.py`"


def test_every_help_fits_80_columns():
    for name, app in _helptexts().commands():
        text = "\n".join(app.emit_help())
        assert max(map(len, text.splitlines())) <= 80, name


def test_every_trait_says_what_it_is():
    for name, app in _helptexts().commands():
        for trait in app.class_own_traits(config=True).values():
            assert trait.help, (name, trait.name)


def test_the_exit_codes_are_in_the_docs():
    page = _helptexts().PAGE.read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == list(ExitCode)
