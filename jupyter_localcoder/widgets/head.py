"""The top of the manager: what answers now, and what is to answer."""

from __future__ import annotations

from typing import Any

from ..contract.backend import BackendStatus
from ..contract.codec import in_one_line
from ..contract.models import ModelList
from ..contract.settings import Settings
from ..contract.words import MANAGER, SETTINGS, filled
from ..text.units import size
from . import markup, words
from .controller import Controller
from .known import KnownModel, residents
from .parts import LabelledChoice, button, column, label

_WORDS = {
    "stopped": "stopped", "starting": "starting", "loading": "loading", "ready": "loaded", "busy": "loaded",
    "unloading": "unloading", "backoff": "restarting", "failed": "failed",
}  # fmt: skip


class LoadedModelView:
    """Shows the loaded model, and changes profile and models."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._said = label()
        self._unload = button(MANAGER["free-memory"], self._free, own_layout=True)
        self._profile = LabelledChoice(SETTINGS["profile"], lambda name: controller.change(profile=name))
        self._code = LabelledChoice(SETTINGS["model"], lambda id_: controller.change(model=id_ or None))
        self._general = LabelledChoice(
            SETTINGS["general_model"], lambda id_: controller.change(general_model=id_ or None)
        )
        self.box = column((self._said, self._unload, self._profile.box, self._code.box, self._general.box))

    def show(self) -> None:
        """Show what is in force now."""
        controller = self._controller
        listed, view, status = controller.listed, controller.settings, controller.status
        if listed is None or view is None or status is None:
            return
        chosen = view.settings
        held = bool(residents(status))
        self._said.value = self._text(listed, status, chosen)
        self._unload.layout.display = None if held else "none"
        active = next((one for one in listed.profiles if one.name == listed.active_profile), None)
        reason = listed.profile_reason if chosen.profile == "auto" else active.description if active else ""
        names = [one.name for one in listed.profiles]
        profiles = [
            (filled(MANAGER["automatic"], listed.recommended_profile), "auto"),
            *((name, name) for name in names),
        ]
        fixed = {name: words.fixed_text(view, name) for name in ("profile", "model", "general_model")}
        self._profile.offer(
            _with(profiles, chosen.profile),
            chosen.profile,
            help=markup.dim(fixed["profile"] or reason),
            disabled=bool(fixed["profile"]),
        )
        for field, name, answers, of_profile in (
            (self._code, "model", listed.code_model, active.model if active else ""),
            (self._general, "general_model", listed.general_model, active.general_model if active else ""),
        ):
            value = getattr(chosen, name)
            of_profile = of_profile if value else answers or of_profile
            field.offer(
                _models(controller.known, listed, value, name == "model", of_profile),
                value,
                help=markup.dim(fixed[name] or (MANAGER["pinned"] if value else "")),
                disabled=bool(fixed[name]),
            )

    def focus(self) -> None:
        """Take the focus."""
        self._profile.control.focus()

    def _free(self) -> None:
        self.focus()  # The button goes when the memory is free.
        self._controller.unload()

    def _text(self, listed: ModelList, status: BackendStatus, chosen: Settings) -> str:
        gap = f"<b>Air gap on.</b> {MANAGER['connections-blocked']}"
        said = f'<div class="localcoder-gap">{gap}</div>' if chosen.air_gap else ""
        if listed.engine_error is not None:
            said += markup.lines(in_one_line(listed.engine_error))
        held = residents(status)
        for one in held:
            memory = one.memory_bytes if len(held) > 1 else status.memory.worker_bytes
            holds = f", {size(memory)}" if memory else ""
            said += markup.lines(f"{self._controller.name_of(one.model)}: {_WORDS[one.state]}{holds}")
            if one.state == "failed":
                said += markup.lines(one.reason)
            if one.warning is not None:
                said += markup.lines(f"{one.warning.message} {one.warning.action}")
        if not held:
            said += markup.lines(MANAGER["nothing-loaded"])
        if status.residency:
            said += markup.dim(status.residency)
        return said + markup.dim(words.memory_text(listed.memory))


def _models(
    known: tuple[KnownModel, ...], listed: ModelList, chosen: str, code: bool, of_profile: str
) -> list[tuple[str, str]]:
    """Models that can answer: those that are here, and the one that is chosen whether it is or not."""
    names = {info.id: info.name for info in listed.models}
    options = [(filled(MANAGER["by-profile"], names.get(of_profile, of_profile)), "")]
    for info in (one.info for one in known):
        if info.state != "ready" and info.id != chosen:
            continue
        remark = "%1"
        if info.state != "ready":
            remark = MANAGER["not-here"]
        elif code and info.fill_in_the_middle is False:
            remark = MANAGER["not-completing"]
        options.append((filled(remark, info.name), info.id))
    return _with(options, chosen)


def _with(options: list[tuple[str, Any]], value: str) -> list[tuple[str, Any]]:
    """The options, with what is in force even where it is none of them."""
    return options if any(value == one for _, one in options) else [*options, (value, value)]
