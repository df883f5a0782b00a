"""What is made inert, and what stays as it is, to the letter; what browsers make of it is tried elsewhere."""

from __future__ import annotations

import pytest

from jupyter_localcoder.text.safe_markdown import fenced, inert

JOINER = "\u2060"
COMMANDS = [
    "style", "href", "url", "class", "cssId", "data", "require", "includegraphics", "unicode", "csname",
    "bbox", "mmlToken", "texttip", "mathtip", "toggle", "def", "let", "newcommand", "gnewcommand",
    "renewcommand", "providecommand", "newenvironment", "renewenvironment", "gdef", "edef", "xdef",
    "htmlData", "htmlStyle", "htmlClass", "htmlId", "DeclareMathOperator", "Newextarrow",
]  # fmt: skip


@pytest.mark.parametrize(
    "target",
    ["http://a.b", "https://a.b", "HTTPS://a.b", "mailto:a@b.c", "page.html", "#part"],
)
def test_a_link_to_a_page_or_a_mailbox_stays(target: str) -> None:
    assert inert(f"[x]({target})") == f"[x]({target})"


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\\script:alert(1)",
        "java&Tab;script:alert(1)",
        "java&amp;#9;script:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "command:x",
        "x-y+z.1:a",
        "",
    ],
)
def test_a_link_to_anything_else_is_none(target: str) -> None:
    """Also where the target may stand in the next line."""
    assert inert(f"[x]({target})") == f"[x]{JOINER}({target})"


def test_a_target_in_angle_brackets_is_read_as_one() -> None:
    assert inert("[x](<https://a.b>)") == f"[x](<{JOINER}https://a.b>)"
    assert inert("[x](<javascript:a>)") == f"[x]{JOINER}(<{JOINER}javascript:a>)"


def test_a_definition_is_none_and_an_index_is_one() -> None:
    assert inert("[x]: javascript:alert(1)") == f"[x]{JOINER}: javascript:alert(1)"
    assert inert("row[0]: one") == "row[0]: one"


@pytest.mark.parametrize("mark", ["<b", "</b", "<!--", "<?x", "![x]"])
def test_a_tag_and_an_image_are_text(mark: str) -> None:
    assert inert(f"a {mark} b") == f"a {mark[0]}{JOINER}{mark[1:]} b"


def test_what_only_looks_like_one_stays() -> None:
    assert inert("a < b, a <= b! a <3, \\alpha") == "a < b, a <= b! a <3, \\alpha"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_tex_that_acts_or_defines_does_nothing(command: str) -> None:
    assert inert(f"$\\{command}{{x}}$ \\{command}\\x") == f"$\\{JOINER}{command}{{x}}$ \\{JOINER}{command}\\x"


def test_a_command_of_tex_that_only_begins_like_one_stays() -> None:
    assert inert("\\href{x}{y} \\styled") == f"\\{JOINER}href{{x}}{{y}} \\styled"


@pytest.mark.parametrize(("ticks", "mark"), [(0, 3), (1, 3), (2, 3), (3, 4), (5, 6)])
def test_nothing_in_a_block_of_code_ends_it(ticks: int, mark: int) -> None:
    code = "a " + "`" * ticks
    assert fenced(code, "python") == f"{'`' * mark}python\n{code}\n{'`' * mark}"


@pytest.mark.parametrize(
    ("info", "shown"),
    [("python", "python"), ("c++ onclick=x", "c++"), ("Mermaid", "text"), ("{x}", ""), ("", "")],
)
def test_a_block_of_code_keeps_its_language_alone(info: str, shown: str) -> None:
    assert inert(f"```{info}\nx\n```") == f"```{shown}\nx\n```"


def test_paragraphs_and_lines_stay_apart() -> None:
    assert inert("a\nb\n```\nc\n```\nd") == "a\nb\n\n```\nc\n```\n\nd"
