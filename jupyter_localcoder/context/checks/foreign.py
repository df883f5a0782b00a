"""What an answer says that belongs to no cell: marks of the prompt, Markdown fences, words to the reader.

Models are trained on conversations and on notebooks turned into text. Where they have said what there is to
say, they go on as if they wrote one of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import kernel, marks
from ..comments import mark_of
from .cell_language import PROSE
from .scan import scan
from .surroundings import Surroundings

_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,}[ \t]*\w*[ \t]*$)", re.MULTILINE)
_TOKEN = re.compile(r"<\|[\w-]+\|>|<｜[^｜\n]+｜>|</?fim[_-]\w+>|<\[fim-\w+\]>")  # noqa: RUF001 -- so some models write their tokens
_REPLY = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|great)[,!.]\s|as an ai\b|i(?:'m| am) (?:sorry|an ai)\b"
    r"|(?:here(?:'s| is| are)|below is|the following is) (?:the|an?|your|some|how)\b.*"
    r"\b(?:code|completion|completed|script|example|query|implementation|solution|snippet|version)\b"
    r"|<think>",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(
    r"(?:this|the (?:above|following|given|provided))"
    r" (?:code|script|query|snippet|command|cell|function|example)"
    r" (?:will|is|does|creates?|uses?|shows?|prints?|returns?|selects?|defines?|reads?|lists?)\b"
    r"|(?:explanation|output|note|answer|solution|example usage)\s*:\s*$"
    r"|(?:let me know|i hope|feel free|please note|note that|in this (?:example|code|script))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[A-Z][\w'’-]*(?:[ ,;]+(?:\([\w ,'’-]+\)|[\w'’.-]+)){3,}\s*[.:!?]?")  # noqa: RUF001
_QUOTED = re.compile(r"`[^`]+`|\"[^\"]*\"")
_WORDS_OF_SENTENCES = frozenset(
    {
        "the", "a", "an", "is", "are", "was", "this", "that", "these", "it", "its", "will", "you", "your",
        "we", "i", "to", "of", "can", "be", "has", "have", "which",
    }
)  # fmt: skip
_LEAST_WORDS = 2
_LEAST_CHARS = 4
"""A shorter comment may well say what a shorter line of text says."""
_SQL = re.compile(r"(?:select|insert|update|delete|create|with|from|where|alter|drop|merge)\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)[^<>]*?(/?)>")
_EMPTY = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    }
)  # fmt: skip
"""Elements of HTML that have no end."""


def foreign_at(before: str, line: str, around: Surroundings, *, cut_off: bool = False) -> int:
    """Where in a line something begins that belongs to no cell; its length where nothing does.

    Parameters
    ----------
    before
        Code of the cell before the line.
    line
        May begin with line breaks.
    cut_off
        Whether the line may have gone on.
    """
    head, _, begun = (before + line[: len(line) - len(line.lstrip("\n"))]).rpartition("\n")
    own = line.lstrip("\n")
    whole = begun + own
    found = [
        *_tokens(head, begun, whole, around),
        *_fences(head, whole, around),
        *_marks(head, begun, own, around, cut_off=cut_off),
        *_prose(head, begun, own, around),
    ]
    return min((max(0, at - len(begun)) + len(line) - len(own) for at in found), default=len(line))


def _tokens(head: str, begun: str, whole: str, around: Surroundings) -> Iterator[int]:
    for token in _TOKEN.finditer(whole):
        if token.end() > len(begun) and not scan(f"{head}\n{whole[: token.start()]}", around.comment).quote:
            yield token.start()


def _fences(head: str, whole: str, around: Surroundings) -> Iterator[int]:
    fence = _FENCE.match(whole)
    if around.cell_language in PROSE:
        # One that ends a block which the person has begun is as it should be.
        if fence and len(_FENCE.findall(head)) % 2 == 0:
            yield 0
    elif not scan(f"{head}\n", around.comment).quote:
        if fence:
            yield 0
        elif "```" in whole and not scan(f"{head}\n{whole.partition('```')[0]}", around.comment).quote:
            yield whole.index("```")


def _marks(head: str, begun: str, own: str, around: Surroundings, *, cut_off: bool) -> Iterator[int]:
    """Comments that say what the prompt says as a comment, and the person has not begun so."""
    whole = begun + own
    leads = {mark_of(around.language), around.comment} - {""}
    for found in re.finditer(rf"(?:^|(?<=\s))(?:{'|'.join(map(re.escape, leads))})+", whole):
        if not scan(f"{head}\n{whole[: found.start()]}", around.comment).quote:
            said = re.sub(r"\s*(?:\*\)|-->)?\s*$", "", whole[found.end() :]).strip()
            if marks.is_mark(begun[found.end() :].strip()):
                continue
            if marks.is_mark(said, cut_off=cut_off) or (
                len(said) >= _LEAST_CHARS and said in _prompt_comments(around)
            ):
                yield found.start()


def _prompt_comments(around: Surroundings) -> set[str]:
    """What the prompt says of this notebook in comments."""
    notebook = around.notebook
    texts = [kernel.describe(variable) for variable in notebook.variables]
    texts += [line for cell in notebook.cells for line in cell.head.splitlines()]
    texts += [
        line
        for index, cell in enumerate(notebook.cells)
        if cell.kind == "markdown" and index != notebook.active
        for line in cell.source.splitlines()
    ]
    return {text.strip() for text in texts}


def _prose(head: str, begun: str, own: str, around: Surroundings) -> Iterator[int]:
    """Words to the reader; what the person has begun may well be a sentence, and so may what is quoted."""
    text = own.strip()
    begins = not begun.strip()
    if not begins and own[:1].strip():
        return
    is_reply = begins and _REPLY.match(text)
    is_prose = is_sentence(text) or (begins and _EXPLANATION.match(text))
    if not is_reply and (not is_prose or around.cell_language in PROSE):
        return
    above = f"{head}\n{begun}"
    read = scan(above, around.comment)
    if around.cell_language not in PROSE and (read.quote or read.comment):
        return
    if is_reply or around.cell_language != "html" or not _is_within_tag(above):
        yield len(begun)


def is_sentence(text: str) -> bool:
    """Whether a text is a sentence of English, and nothing that a program could be."""
    bare = _QUOTED.sub("it", text)
    if _SQL.match(bare) or not _SENTENCE.fullmatch(bare):
        return False
    words = re.findall(r"\b[a-z]+\b", bare)  # in small letters: `IS` and `A` are SQL
    begins = bare.startswith(("This ", "The ", "It ", "You "))
    return sum(word in _WORDS_OF_SENTENCES for word in words) + begins >= _LEAST_WORDS


def _is_within_tag(html: str) -> bool:
    depth = 0
    for end, name, closed in _TAG.findall(html):
        if name.lower() not in _EMPTY and not closed:
            depth += -1 if end else 1
    return depth > 0
