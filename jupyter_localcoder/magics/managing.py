"""`%localcoder`: look at the backend, choose a model, free memory, cancel. Downloads are for the CLI."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from msgspec import UNSET

from ..contract import codec
from ..contract.backend import PingRequest
from ..contract.generation import LlmCancelAllRequest
from ..contract.models import (
    ModelInfo,
    ModelList,
    ModelListRequest,
    ModelPinRequest,
    ModelUnloadRequest,
)
from ..contract.registry import (
    LLM_CANCEL_ALL,
    MODEL_LIST,
    MODEL_PIN,
    MODEL_UNLOAD,
    PING,
    SETTINGS_UPDATE,
)
from ..contract.settings import SettingsUpdateRequest, SettingsView
from ..errors import ModelNotFound
from ..machine.optional_packages import IPYWIDGETS, has_module
from ..text.plain_text import plain
from ..text.units import size, tokens_per_second
from .configuring import configure
from .failure import shortly
from .inspecting import inspect
from .kept import look
from .link import Link
from .providing import list_providers, provide, titles
from .queueing import QueueWords
from .record import Records
from .replaying import replay
from .table import table

if TYPE_CHECKING:
    from ..widgets import ModelManager


@magics_class
class ManagingMagics(Magics):
    """`%localcoder`."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, link: Link, records: Records) -> None:
        super().__init__(shell)
        self._link = link
        self._records = records
        self._manager: ModelManager | None = None
        self._queue = QueueWords(shell)

    @no_var_expand
    @line_cell_magic
    def localcoder(self, line: str, cell: str | None = None) -> None:
        """Manage the assistant.

        Usage::

            %localcoder status            where it runs, what is loaded, how fast it is
            %localcoder models            the models, their size, licence and state
            %localcoder manager           the same with buttons: download, load, import, select, delete
            %localcoder use NAME          use this model or profile
            %localcoder pin MODEL         keep a model at its version; `unpin MODEL` allows updates
            %localcoder unload            free the memory of the model; it loads again when needed
            %localcoder providers         who can answer, and who does
            %localcoder provider ID       commands, chats and queued prompts are answered by this one
            %localcoder provider test ID, add ID type=TYPE FIELD=VALUE…, key ID, forget-key ID, delete ID
            %localcoder queue             list waiting and running requests
            %localcoder queue add PROMPT  queue a prompt; with %% the prompt is below the line.
                                          --set NAME fills the placeholder {{NAME}} with a variable
            %localcoder queue wait ID, show ID, cancel ID; `last` is the one that was queued last
            %localcoder cancel            cancel all requests, those of other notebooks too
            %localcoder history           the last answers, of all notebooks
            %localcoder history search WORDS, show ID, title ID [WORDS], delete ID|all, export [PATH]
            %localcoder config            the settings, and which layer decided each
            %localcoder config NAME VALUE change one; `default` as the value gives it back
            %localcoder titles            how titles are made: on, off, provider ID, model NAME, timeout S
            %localcoder inspect [ID]      what the model has read for the last answer, token by token
            %localcoder replay            ask for the last answer again: is it the same text?
            %localcoder replay ID         the same for an answer of this kernel
            %localcoder replay {…}        the same for the JSON under `localcoder` in an output's metadata
        """
        verb, *names = line.split() or ["status"]
        if cell is not None and verb != "queue":
            raise UsageError("%%localcoder supports only `queue add`: write the prompt below the first line")
        if verb == "use" and len(names) == 1:
            shortly(lambda: self._use(names[0]))
            return
        if verb in ("pin", "unpin") and len(names) == 1:
            shortly(lambda: self._pin(names[0], pinned=verb == "pin"))
            return
        if verb == "replay":
            wanted = line.strip()[len(verb) :].strip() or "last"
            shortly(lambda: replay(self.shell, self._link.client(), self._records, wanted))
            return
        nouns = {
            "config": lambda: configure(self.shell, self._link.client(), names),
            "history": lambda: look(self.shell, self._link.client(), names),
            "inspect": lambda: inspect(self.shell, self._link.client(), names),
            "provider": lambda: provide(self._link.client(), names),
            "queue": lambda: self._queue.do(self._link.client(), names, cell),
            "titles": lambda: titles(self._link.client(), names),
        }
        if verb in nouns:
            shortly(nouns[verb])
            return
        actions = {
            "status": self._status,
            "models": self._models,
            "manager": self._show_manager,
            "unload": self._unload,
            "providers": lambda: list_providers(self.shell, self._link.client()),
            "cancel": self._cancel,
        }
        action = actions.get(verb)
        if action is None or names:
            raise UsageError(
                "%localcoder status | models | manager | use PROFILE_OR_MODEL | pin MODEL "
                "| unpin MODEL | unload | providers | provider … | queue … | cancel | history … "
                "| config … | titles … | inspect [ID] | replay [last|ID|JSON]"
            )
        shortly(action)

    def _status(self) -> None:
        client = self._link.client()
        status = client.call(PING, PingRequest())
        rows = [
            ("Runs in", client.where),
            ("State", f"{status.state}: {status.reason}" if status.reason else status.state),
            ("Model", ", ".join(one.model for one in status.resident) or status.model or "none loaded"),
            ("Profile", status.profile),
            ("Runs on", status.acceleration),
            *(("Note", f"{w.message} {w.action}") for one in status.resident if (w := one.warning)),
        ]
        if status.engine_error is not None:
            rows.append(("Engine", codec.in_one_line(status.engine_error)))
        if status.residency:
            rows.append(("In memory", status.residency))
        if status.context_window:
            rows.append(("Context window", f"{status.context_window} tokens"))
        if status.speeds.decode_tokens_per_second:
            rows.append(("Speed", tokens_per_second(status.speeds.decode_tokens_per_second)))
        rows += [
            ("Requests", str(status.queue_length)),
            (
                "Memory",
                f"worker {size(status.memory.worker_bytes)}, free {size(status.memory.available_bytes)}",
            ),
            ("Air gap", "on" if status.air_gap else "off"),
            ("Version", status.version),
        ]
        self.shell.display_pub.publish(table(["", ""], rows))

    def _models(self) -> None:
        listed = self._link.client().call(MODEL_LIST, ModelListRequest())
        licenses = {license.id: license.name for license in listed.licenses}
        rows = [
            (
                model.id,
                size(model.size_bytes),
                licenses.get(model.license, model.license) or "unknown",
                _state(model),
                "yes" if model.fit.fit == "fits" else model.fit.fit.replace("-", " "),
            )
            for model in listed.models
        ]
        bundle = table(["Model", "Size", "Licence", "State", "Fits"], rows)
        profiles = ", ".join(f"{profile.name} ({profile.model})" for profile in listed.profiles)
        below = f"Profiles: {profiles}. Active: {listed.active_profile}. {listed.profile_reason}"
        self.shell.display_pub.publish(
            {kind: f"{text}\n\n{plain(below).strip()}" for kind, text in bundle.items()}
        )

    def _show_manager(self) -> None:
        from ..widgets.controller import Controller

        if not has_module(IPYWIDGETS):
            from ..widgets.plain import summary

            controller = Controller(self._link.client)
            controller.refresh()
            print(summary(controller))
            return
        from ..widgets import ModelManager

        # One for all cells that show it: each of its own would ask the service for itself.
        if self._manager is None:
            self._manager = ModelManager(controller=Controller(self._link.client))
        self.shell.display_pub.publish(self._manager._repr_mimebundle_())

    def close(self) -> None:
        """Let go of the manager, if it was shown."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.close()

    def _use(self, name: str) -> None:
        client = self._link.client()
        listed = client.call(MODEL_LIST, ModelListRequest())
        profiles = {profile.name.lower(): profile.name for profile in listed.profiles} | {"auto": "auto"}
        models = {model.id.lower(): model for model in listed.models}
        if name.lower() in profiles:
            # A model that was chosen by name would otherwise go on hiding the profile's.
            request = SettingsUpdateRequest(profile=profiles[name.lower()], model=None)
        elif name.lower() in models:
            request = SettingsUpdateRequest(model=models[name.lower()].id)
        else:
            raise _not_found(name, [*profiles.values(), *(model.id for model in listed.models)])
        view = client.call(SETTINGS_UPDATE, request)
        self._print_sentence(_what_happened(view, request, client.call(MODEL_LIST, ModelListRequest())))

    def _pin(self, name: str, *, pinned: bool) -> None:
        request = codec.decode(ModelPinRequest, {"id": name, "pinned": pinned})
        info: ModelInfo = self._link.client().call(MODEL_PIN, request)
        self._print_sentence(f"{info.id} {'is pinned to its version' if pinned else 'can be updated again'}.")

    def _unload(self) -> None:
        self._link.client().call(MODEL_UNLOAD, ModelUnloadRequest())
        self._print_sentence("The model is unloaded. It is loaded again at the next request.")

    def _cancel(self) -> None:
        count = self._link.client().call(LLM_CANCEL_ALL, LlmCancelAllRequest()).count
        self._print_sentence("No requests to cancel." if count == 0 else f"Cancelled: {count}.")

    def _print_sentence(self, sentence: str) -> None:
        print(plain(sentence))


def _what_happened(view: SettingsView, request: SettingsUpdateRequest, listed: ModelList) -> str:
    """Say which model answers from now on, also where that is not the one that was asked for."""
    active = next((p for p in listed.profiles if p.name == listed.active_profile), None)
    answering = listed.code_model or view.settings.model or (active.model if active else "")
    said = [
        f"Profile {view.settings.profile}; code is answered by {answering or 'the model of the profile'}."
    ]
    for field in ("profile", "model"):
        wanted, got = getattr(request, field), getattr(view.settings, field)
        if wanted is not UNSET and (wanted or "") != got:
            said.append(
                f"The {field} is fixed by the {view.sources.get(field, 'configuration')}: it stays {got}."
            )
    model = next((model for model in listed.models if model.id == answering), None)
    if model is not None and model.state != "ready":
        said.append(
            f"It is not on this machine yet: download it with `jupyter localcoder models pull {model.id}`."
        )
    elif model is not None and not model.loaded:
        said.append("It is loaded at the next request.")
    return " ".join(said)


def _not_found(name: str, names: list[str]) -> ModelNotFound:
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean `{close[0]}`? " if close else ""
    return ModelNotFound(
        f"No profile or model is named `{name}`.",
        recovery=f"{hint}`%localcoder models` lists both.",
    )


def _state(model: ModelInfo) -> str:
    if model.state == "downloading":
        return f"downloading, {100 * model.received_bytes // max(1, model.size_bytes)} %"
    if model.state == "error":
        return f"error: {model.error.message}" if model.error else "error"
    if model.state == "idle":
        return "not on this machine"
    state = "loaded" if model.loaded else model.state
    return f"{state}, pinned" if model.pinned else state
