"""Markdown of a model, made inert: showing it fetches nothing, and no link runs anything. Pure.

JupyterLab cleans what it shows; other front ends do so less, and none of them stops an image from being
fetched, which tells its host what the model has read. So before it is shown

- HTML tags, images and link definitions become text,
- links go to http, https, mailto or a relative address, or become text,
- the TeX commands of `contract.tex`, and the blocks that become diagrams, lose their meaning.

Parsers of Markdown disagree about where code begins, and code must stay readable; a difference between
them and us would be a hole. Therefore prose and code spans are treated alike, with a mark that changes
neither's look: an invisible word joiner (U+2060) between the two characters that would have begun
something. Fenced blocks are the exception, where every character counts: they are written anew, at the
left margin, after an empty line, with a fence longer than any inside, which no parser can misread.
"""

from __future__ import annotations

import html
import re

from ..contract.tex import DISARMED_TEX
from .fences import Fence, blocks
from .plain_text import plain

_JOINER = "\u2060"
_SAFE_SCHEMES = frozenset({"http", "https", "mailto"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_TAG_OR_IMAGE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")
_LINK = re.compile(r"\](?=\(\s*<?(?P<target>[^\s)>]*))")
# A bracket that follows a letter, as in `row[0]:`, cannot begin a definition.
_DEFINITION = re.compile(r"(?P<index>\w\[[^\[\]\\]*\]:)|\](?=:)")
_TEX = re.compile(rf"\\(?=(?:{'|'.join(DISARMED_TEX)})(?![A-Za-z]))")
_INFO = re.compile(r"[\w+#.-]*")
_DIAGRAMS = frozenset({"mermaid"})


def inert(text: str) -> str:
    """The same text, safe to show as Markdown. It may be the beginning of a longer one."""
    return "\n\n".join(
        _fence(block) if isinstance(block, Fence) else "\n".join(map(_prose, block.lines))
        for block in blocks(plain(text))
    )


def fenced(code: str, info: str = "") -> str:
    """Code as a block that nothing inside of it can end."""
    inside = max((len(run) for run in re.findall(r"`+", code)), default=0)
    mark = "`" * max(3, inside + 1)
    return f"{mark}{info}\n{code}\n{mark}"


def _fence(block: Fence) -> str:
    match = _INFO.match(block.info)
    info = match[0] if match else ""
    return fenced(block.text, "text" if info.lower() in _DIAGRAMS else info)


def _prose(line: str) -> str:
    line = _LINK.sub(_link, line)
    line = _DEFINITION.sub(lambda match: match["index"] or match[0] + _JOINER, line)
    line = _TEX.sub(lambda match: match[0] + _JOINER, line)
    return _TAG_OR_IMAGE.sub(lambda match: match[0] + _JOINER, line)


def _link(match: re.Match[str]) -> str:
    # What a browser would make of it: entities decoded, escapes and white space gone.
    target = re.sub(r"[\\\s\x00-\x20]", "", html.unescape(html.unescape(match["target"])))
    scheme = _SCHEME.match(target)
    # An empty target may go on in the next line.
    if target and (not scheme or scheme[1].lower() in _SAFE_SCHEMES):
        return match[0]
    return match[0] + _JOINER
