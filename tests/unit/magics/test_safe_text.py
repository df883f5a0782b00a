"""What a model writes can neither drive a terminal nor make a browser ask for anything."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import mistune
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jupyter_localcoder.text.plain_text import PlainText, Visible, plain, spelled
from jupyter_localcoder.text.safe_markdown import fenced, inert
from tests.support.hostile_answers import HOSTILE as CORPUS

EXAMPLES = json.loads(
    (Path(__file__).parents[3] / "labextension/tests/shared/answers/plain.json").read_text()
)
"""The page holds itself to the same."""

HOSTILE = (
    "colour \x1b[31mred\x1b[0m, link \x1b]8;;https://e\x1b\\name\x1b]8;;\x07, clipboard \x1b]52;c;QQ==\x07, "
    "C1 \x9b31mred\x9d52;c;x\x9c, set \x1b(B, alone \x1b\x18 over\rwritten\r\n\x07\x08\x7f"
    "\u202eright\u202c \u2066left\u2069 tab\there"
)
CLEAN = "colour red, link name, clipboard , C1 red, set , alone  overwritten\nright left tab\there"


class TestPlain:
    def test_sequences_go_as_a_whole(self) -> None:
        assert plain(HOSTILE) == CLEAN

    @given(st.lists(st.integers(0, len(HOSTILE)), max_size=6))
    def test_it_does_not_matter_where_the_text_is_cut(self, cuts: list[int]) -> None:
        ends = sorted({0, *cuts, len(HOSTILE)})
        filtered = PlainText()
        pieces = [HOSTILE[start:end] for start, end in pairwise(ends)]
        assert "".join(map(filtered.feed, pieces)) == plain(HOSTILE)

    @given(st.text(alphabet=st.sampled_from("\x1b\x9b\x9d[]P\\;8m\x07\r\n\u202ea "), max_size=40))
    def test_nothing_that_acts_is_left(self, text: str) -> None:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", plain(text))

    def test_an_open_sequence_does_not_swallow_the_next_line(self) -> None:
        assert plain("a\x1b]0;title\nb") == "a0;title\nb"

    def test_an_open_sequence_hides_nothing_of_the_sentence_that_quotes_it(self) -> None:
        for opener in ("\x1b]", "\x1bP", "\x1b_", "\x9d", "\x90"):
            assert plain(f"`{opener}0;name` was refused") == "`0;name` was refused"

    @pytest.mark.parametrize(("text", "visible"), EXAMPLES["changes"])
    def test_what_hides_is_left_out(self, text: str, visible: str) -> None:
        assert plain(text) == visible

    def test_half_a_pair_is_marked(self) -> None:
        assert plain("a\ud800b\udfff") == "a\ufffdb\ufffd"

    @pytest.mark.parametrize("text", EXAMPLES["stays"])
    def test_what_writing_needs_stays(self, text: str) -> None:
        assert plain(text) == text
        filtered = PlainText()
        assert "".join(map(filtered.feed, text)) == text

    def test_of_the_characters_for_formatting_those_stay_that_are_seen(self) -> None:
        kept = [
            chr(code)
            for code in range(sys.maxunicode + 1)
            if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            and plain(f"a{chr(code)}b") == f"a{chr(code)}b"
        ]
        names = [unicodedata.name(char, repr(char)) for char in kept]
        shapes = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN")
        assert [name for name in names if not name.startswith(shapes)] == [repr("\t"), repr("\n")]

    @given(st.text(max_size=40))
    def test_a_document_spelled_out_holds_the_same(self, text: str) -> None:
        document = spelled(json.dumps(text, ensure_ascii=False))
        assert json.loads(document) == text
        assert plain(document) == document

    @given(st.lists(st.sampled_from("a\x1b\u202e\u200d\r\n\udc80\u2028\U000e0041👩"), max_size=12))
    def test_what_can_be_seen_does_not_depend_on_where_it_is_cut(self, chars: list[str]) -> None:
        text = "".join(chars)
        pieces, whole = Visible(), Visible()
        assert "".join(map(pieces.take, chars)) == whole.take(text)
        assert pieces.hides == whole.hides

    @given(st.text(alphabet=st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=40))
    def test_ordinary_text_stays(self, text: str) -> None:
        assume(not re.search(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f]", text))
        assume(not re.search(r"[\U000e0100-\U000e01ef]", text))
        assert plain(text) == text


class _Looker(HTMLParser):
    """Finds what a browser would act upon."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _MARKDOWN_TAGS:
            self.bad.append(tag)
        for name, value in attrs:
            scheme = re.match(r"[\s\x00-\x20]*([a-z+.-]+):", (value or "").lower())
            if name == "href" and scheme and scheme[1] not in ("http", "https", "mailto"):
                self.bad.append(f"{tag} {name}={value}")
            elif name not in ("href", "title", "class", "start", "style"):
                self.bad.append(f"{tag} {name}")


_MARKDOWN_TAGS = {
    *("p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("br", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "del", "s"),
}
_PARSERS = {
    "markdown-it": MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render,
    "mistune": mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url"]),
}


def acts(markdown: str) -> list[str]:
    """What of a text would act, in any of the parsers."""
    bad: list[str] = []
    for render in _PARSERS.values():
        looker = _Looker()
        looker.feed(str(render(markdown)))
        bad += looker.bad
    return bad


ATTACKS = [
    "![x](https://evil/pixel.png)",
    "![x][ref]\n\n[ref]: https://evil/pixel.png",
    "![ref]\n\n[ref]: https://evil/pixel.png 'title'",
    "<img src=https://evil/p onerror=alert(1)>",
    "<IMG\nSRC=https://evil/p>",
    "<svg/onload=alert(1)>",
    "<a data-commandlinker-command='terminal:create-new' href=#>click</a>",
    "[x](javascript:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](java\\\nscript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\njavascript:alert(1))",
    "[x]\n\n[x]: javascript:alert(1)",
    "[x]\n\n[x]:\njavascript:alert(1)",
    "<javascript:alert(1)>",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<!-- -->\n<script>alert(1)</script>",
    "a ` b\n\n` <img src=x> `",
    "# a ` <img\n<img src=x> `",
    "| a ` b | <img src=x> ` |\n|---|---|\n| ` | <img src=x> ` |",
    "[a](b`c) <img src=x> `",
    '[a]: /x "t\n```\n"\n<img src=x>\n```',
    "```\n````\n<img src=x>\n```\n<img src=x>",
    "- ```\n<img src=x>\n  ```\n<img src=x>",
    "> ```\n<img src=x>",
    "```a`b\n<img src=x>\n```",
    "\\`<img src=x>\\`",
    "\\\\`<img src=x>`\\`",
    "~~~ ```\n~~~\n<img src=x>\n```",
    "<\x1b[0mimg src=x>",
    "!\u202e[x](https://evil/p)",
]


PARTS = [
    *("`", "``", "```", "~~~", "\n", "\n\n", " ", "    ", "- ", "> ", "| ", "\\", "[a]", "[a]: ", "(", ")"),
    *("![", "](", "]", "<img src=x>", "<b", ">", "javascript:x", "/u", '"', "text", "# ", "$", "*"),
]


class TestInert:
    @pytest.mark.parametrize("attack", [*ATTACKS, *CORPUS])
    def test_known_attacks(self, attack: str) -> None:
        assert acts(inert(attack)) == []

    def test_the_attacks_are_attacks(self) -> None:
        """Otherwise the tests above prove nothing."""
        working = [attack for attack in ATTACKS if acts(attack)]
        assert len(working) > len(ATTACKS) // 2

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(PARTS), max_size=16))
    def test_no_mixture_acts(self, parts: list[str]) -> None:
        assert acts(inert("".join(parts))) == []

    def test_a_beginning_of_a_text_is_safe_too(self) -> None:
        text = "\n".join(ATTACKS)
        assert not [end for end in range(0, len(text), 7) if acts(inert(text[:end]))]

    def test_code_keeps_every_character(self) -> None:
        code = "x: List[int] = ['![a](b)', '<img>', row[0]]  # `tick`\n\n\n```\nend"
        rendered = _PARSERS["markdown-it"](inert(f"Look:\n````python\n{code}\n````\nDone."))
        shown = re.search(r"<code[^>]*>(.*?)</code>", rendered, re.DOTALL)
        assert shown is not None
        unescaped = shown[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
        assert unescaped == code + "\n"

    def test_ordinary_markdown_looks_as_before(self) -> None:
        text = (
            "# Title\n\n- *a* **b** `c < d` and `row[0]: int`\n- [site](https://example.org/a) or [top](#top)"
            "\n\na < b, 1! [sic]\n\n```python\nx = 1\n```\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
        )
        render = _PARSERS["markdown-it"]
        assert render(inert(text)) == render(text)

    def test_an_open_fence_is_closed(self) -> None:
        assert inert("```python\nx = 1") == "```python\nx = 1\n```"

    def test_diagrams_and_tex_attributes_lose_their_meaning(self) -> None:
        assert inert("```mermaid\ngraph\n```").startswith("```text\n")
        assert "\\style{" not in inert(r"$\style{background:url(https://evil)}{x}$ $\frac{a}{b}$")
        assert r"\frac{a}{b}" in inert(r"$\frac{a}{b}$")

    def test_a_fence_is_longer_than_any_inside(self) -> None:
        assert fenced("````", "text") == "`````text\n````\n`````"
