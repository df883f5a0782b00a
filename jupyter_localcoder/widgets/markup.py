"""HTML of the parts of the widget that are only read. Pure.

Whatever comes from outside (a model's name stands in its file) goes through `safe`. The colours are those of
JupyterLab's theme where there is one, and those of the page elsewhere. Front ends have rules of their own for
what stands in an output (JupyterLab and Voilà let lists float): what matters here is said with more weight.
"""

from __future__ import annotations

import html

from ..contract.backend import Memory
from ..contract.models import License
from ..contract.words import MANAGER, filled
from ..text.plain_text import plain
from ..text.units import tokens_per_second
from . import words
from .known import KnownModel, ModelProgress

STYLE = """<style>
.localcoder-manager { max-width: 760px; color: var(--jp-ui-font-color1, inherit);
  font-family: var(--jp-ui-font-family, inherit); }
.localcoder-manager .widget-html-content { line-height: 1.45; white-space: normal; }
.localcoder-manager .localcoder-card { margin: 4px 0; padding: 6px 10px;
  border: 1px solid var(--jp-border-color1, #8888); border-radius: 3px; }
.localcoder-name { font-weight: 600; }
.localcoder-dim { opacity: 0.8; }
.localcoder-badge { border: 1px solid currentcolor; border-radius: 8px; padding: 0 6px; margin-left: 8px;
  font-size: 0.88em; font-weight: 400; white-space: nowrap; }
.localcoder-badge[data-state=loaded] { border-width: 2px; font-weight: 600; }
.localcoder-badge[data-state=working] { border-style: dashed; }
.localcoder-gap { border: 2px solid var(--jp-success-color1, currentcolor); border-radius: 3px;
  padding: 4px 8px; }
.localcoder-track { height: 8px; border: 1px solid var(--jp-border-color1, #8888); border-radius: 4px;
  overflow: hidden; }
.localcoder-done { height: 100%; background: var(--jp-brand-color1, #1976d2); }
.localcoder-note { border-left: 4px solid var(--jp-info-color1, #0288d1); padding: 2px 8px; }
.localcoder-note[data-severity=error] { border-left-color: var(--jp-error-color1, #d32f2f); }
.localcoder-manager .localcoder-rows { display: grid; grid-template-columns: max-content 1fr; gap: 1px 12px;
  width: auto; margin: 4px 0; }
.localcoder-manager .localcoder-rows dt, .localcoder-manager .localcoder-rows dd { display: block;
  float: none; width: auto; margin: 0; padding: 0; font-weight: 400; overflow-wrap: anywhere; }
.localcoder-manager .localcoder-rows dt { opacity: 0.8; }
.localcoder-license { max-height: 220px; overflow: auto; border: 1px solid var(--jp-border-color1, #8888);
  padding: 4px 8px; }
.localcoder-license pre { white-space: pre-wrap; margin: 0; font-size: 0.9em; }
.localcoder-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>"""


def safe(text: str) -> str:
    """A text of whatever origin, as text of a page."""
    return html.escape(plain(text))


def heading(text: str, level: int = 3) -> str:
    """A heading."""
    return f'<div class="localcoder-name" role="heading" aria-level="{level}">{safe(text)}</div>'


def lines(*texts: str) -> str:
    """A line each; empty ones are left out."""
    return "".join(f"<div>{safe(text)}</div>" for text in texts if text)


def dim(*texts: str) -> str:
    """The same, of less weight."""
    return f'<div class="localcoder-dim">{lines(*texts)}</div>' if any(texts) else ""


def card_head(model: KnownModel, license: License | None, memory: Memory | None) -> str:
    """What a model is, and whether it fits; the numbers on hover, and for who cannot hover in the details."""
    info = model.info
    working = model.under_way or model.loading
    badge = "working" if working else "loaded" if info.loaded else info.state
    sign, word = words.fit_verdict(info.fit.fit)
    sentence = words.fit_sentence(info.fit)
    numbers = [f"{word}: {sentence}"] + [
        f"{name}: {value}" for name, value in words.fit_rows(info.fit, memory)
    ]
    speed = ""
    if info.speed is not None:
        writes = tokens_per_second(info.speed.decode_tokens_per_second)
        speed = f" {filled(MANAGER['writes'], writes)}"
    return (
        f'<div data-model="{safe(info.id)}">'
        f'<div role="heading" aria-level="4"><span class="localcoder-name">{safe(info.name)}</span>'
        f'<span class="localcoder-badge" data-state="{badge}">{safe(words.state_text(model))}</span></div>'
        + dim(words.facts_text(info), words.license_text(license))
        + (f"<div><b>{safe(used)}</b></div>" if (used := words.use_text(model)) else "")
        + f'<div title="{safe(chr(10).join(numbers))}" data-fit="{info.fit.fit}">'
        f"<span aria-hidden=true>{sign} </span><b>{word}</b>: {safe(sentence)}.{safe(speed)}</div>"
        + (lines(info.error.message, info.error.recovery) if info.error else "")
        + "</div>"
    )


def progress(state: ModelProgress, label: str) -> str:
    """A bar, and in numbers what it shows."""
    text = words.progress_text(state)
    return (
        f'<div class="localcoder-track" role="progressbar" aria-label="{safe(label)}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{state.percent}" aria-valuetext="{safe(text)}">'
        f'<div class="localcoder-done" style="width: {state.percent}%"></div></div>' + lines(text)
    )


def note(severity: str, *sentences: str) -> str:
    """What came of something; read aloud when it appears."""
    role = "alert" if severity == "error" else "status"
    return f'<div class="localcoder-note" data-severity="{severity}" role="{role}">{lines(*sentences)}</div>'


def rows(entries: words.Rows) -> str:
    """Names and values under each other."""
    cells = "".join(f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in entries)
    return f'<dl class="localcoder-rows">{cells}</dl>'


def license_box(license: License) -> str:
    """The text of a licence, in a box that scrolls and can be reached by the keyboard."""
    name = filled(MANAGER["license-text"], license.name)
    return (
        lines(license.attribution) + f'<div class="localcoder-license" role="region" tabindex="0"'
        f' aria-label="{safe(name)}"><pre>{safe(license.text)}</pre></div>'
    )


def spoken(text: str) -> str:
    """A sentence for screen readers alone."""
    return f'<span class="localcoder-spoken" role="status">{safe(text)}</span>'
