"""The manager as text, for where no widget is shown: a terminal, a plain front end, a page of text. Pure."""

from __future__ import annotations

from ..contract.codec import in_one_line
from ..contract.words import MANAGER
from ..errors import PackageMissing
from ..machine.optional_packages import IPYWIDGETS, has_module
from ..text.plain_text import plain
from . import words
from .controller import Controller
from .known import residents

_WITHOUT_DISPLAY = "Buttons require a front end that shows ipywidgets."
_COMMANDS = (
    "Here, use `%localcoder use NAME` and `%localcoder unload`; in a "
    "terminal, `jupyter localcoder models pull ID`, `models import FILE` and `config set NAME VALUE`."
)


def summary(controller: Controller) -> str:
    """What the controller knows, in lines of text."""
    listed, settings, status = controller.listed, controller.settings, controller.status
    if listed is None or settings is None or status is None:
        return plain(controller.trouble or "The list of models is not available yet.")
    loaded = ", ".join(controller.name_of(one.model) for one in residents(status))
    lines = [
        in_one_line(listed.engine_error) if listed.engine_error else "",
        "Air gap on: connections to other machines are blocked." if settings.settings.air_gap else "",
        f"Loaded: {loaded}" if loaded else MANAGER["nothing-loaded"],
        *(f"{w.message} {w.action}" for one in residents(status) if (w := one.warning)),
        *([status.residency] if status.residency else []),
        f"Profile {listed.active_profile}. {listed.profile_reason}",
        words.memory_text(listed.memory),
        "",
    ]
    width = max((len(plain(known.info.id)) for known in controller.known), default=0)
    for known in controller.known:
        info = known.info
        sign, word = words.fit_verdict(info.fit.fit)
        lines.append(f"{plain(info.id):<{width}}  {words.state_text(known)}; {sign} {word.lower()}:"
                     f" {words.fit_sentence(info.fit)}")  # fmt: skip
        facts = (words.facts_text(info), words.license_text(controller.license_of(info)))
        lines.append(f"{'':<{width}}  {' · '.join(facts)}")
        if known.under_way and known.progress is not None:
            lines.append(f"{'':<{width}}  {words.progress_text(known.progress)}")
    head = next(number for number, line in enumerate(lines) if line)
    buttons = PackageMissing.of("widgets")
    need = _WITHOUT_DISPLAY if has_module(IPYWIDGETS) else f"{buttons} {buttons.recovery}"
    return plain("\n".join([*lines[head:], "", f"{need} {_COMMANDS}"]))
