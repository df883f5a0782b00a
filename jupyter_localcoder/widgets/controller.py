"""What is known of models, settings and worker, as traits; and what a person wants, as calls of the service.

No widget is known here, and no transport: a client does the calls. They are done in threads of their own, so
that a button answers at once; what goes wrong becomes a note. There are no events in a kernel, so the service
is asked again: often while something goes on, and ever more seldom while nothing does.

What is shown goes to the page in messages of the kernel, and a server that ends kernels which nobody uses
counts these as use. So after a long calm nothing is shown anew before something has happened: free memory
alone, which is never the same twice, would keep a forgotten kernel alive.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from traitlets import Any as AnyTrait
from traitlets import Dict, HasTraits, Int, Tuple, Unicode

from ..client import Client
from ..contract import backend, models, registry
from ..contract.codec import error_of, error_payload
from ..contract.common import MODEL_ID_PATTERN
from ..contract.registry import Operation
from ..contract.settings import SettingsGetRequest, SettingsUpdateRequest, SettingsView
from ..contract.words import MANAGER, filled
from ..errors import Canceled, InvalidArgument, LocalCoderError, OutOfMemory
from .known import LOADING, KnownModel, ModelProgress, gist, known_models, residents

GENERAL = ""
"""Notes that belong to no model are kept under this id."""
IMPORT = "/import"
"""And those of the import's form under this one, which is no model's."""
BUSY_SECONDS = 0.5
"""How often the service is asked while something goes on."""
CALM_SECONDS = (3.0, 30.0)
"""How often while nothing does: at first, and at most."""
_MODEL_ID = re.compile(MODEL_ID_PATTERN)

Start = Callable[[Callable[[], None]], None]


class ControllerNote(msgspec.Struct, frozen=True):
    """What came of something that a person asked for."""

    severity: str
    """`info` or `error`."""
    message: str
    recovery: str = ""
    can_force: bool = False
    """The service has refused a load that it does when it is insisted upon."""
    field: str = ""
    """Of a form: what is to be entered otherwise; empty where that is not known."""


class Controller(HasTraits):
    """The state behind one manager. Traits change in threads, one at a time.

    Parameters
    ----------
    client
        Gives the client; it is made when it is first needed.
    start
        Runs something beside the caller. Default: in a thread that does not keep the process alive.
    clock
        Seconds, as `time.monotonic`.

    """

    known: Any = Tuple(help="All models (`KnownModel`), in the order of the service.")
    listed: Any = AnyTrait(None, help="The service's last list of models (`ModelList`), or None.")
    settings: Any = AnyTrait(None, help="The current settings (`SettingsView`), or None.")
    status: Any = AnyTrait(None, help="The worker's state (`BackendStatus`), or None.")
    imports: Any = Tuple(help="Running imports (id, `ModelProgress`) of models that are not in the list yet.")
    moment = Int(0, help="Revision of the data above, which is updated together.")
    notes: Any = Dict(help="Result of the last action, by model id.")
    busy: Any = Dict(help="Number of pending actions, by model id.")
    spoken = Unicode("", help="The latest message for screen readers.")
    trouble = Unicode("", help="Why the service is unavailable; empty while it is available.")

    def __init__(
        self,
        client: Callable[[], Client],
        start: Start | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._client = client
        self._start = start or _in_thread
        self.clock = clock
        self.changing = threading.RLock()
        """Held while traits change; who changes what is shown by other ways holds it too."""
        self._refreshing = threading.Lock()
        self._turn = 0
        self._changed_at = clock()
        self._noted: Any = None
        """All of what was last taken in that does not change by itself."""

    # What is known

    def license_of(self, info: models.ModelInfo) -> models.License | None:
        """The licence of a model; None where it is not known."""
        licenses = self.listed.licenses if self.listed else ()
        return next((license for license in licenses if license.id == info.license), None)

    def consent_of(self, info: models.ModelInfo) -> models.License | None:
        """The licence that must be accepted before the first byte; None where none must."""
        return None if info.license_accepted else self.license_of(info)

    def name_of(self, model: str) -> str:
        """The name of a model for people."""
        return next((known.info.name for known in self.known if known.info.id == model), model)

    @property
    def where(self) -> str:
        """Where the service runs, for people."""
        return self._client().where

    @property
    def interval_seconds(self) -> float:
        """How long to wait before the service is asked again."""
        loading = any(one.state in (*LOADING, "unloading") for one in residents(self.status))
        if self.busy or self.imports or loading or any(known.under_way for known in self.known):
            return BUSY_SECONDS
        first, most = CALM_SECONDS
        # A twentieth of the calm so far: after a minute every three seconds, after ten every thirty.
        return min(most, max(first, (self.clock() - self._changed_at) / 20))

    def refresh(self) -> None:
        """Ask the service for everything, and wait for it. Never raises: `trouble` says what went wrong."""
        with self._refreshing:
            turn = self._turn
            try:
                client = self._client()
                listed = client.call(registry.MODEL_LIST, models.ModelListRequest())
                settings = client.call(registry.SETTINGS_GET, SettingsGetRequest())
                status = client.call(registry.PING, backend.PingRequest())
            except Exception as failure:
                error = _ours(failure)
                with self.changing:
                    self.trouble = f"{error.message} {error.recovery}"
                return
            with self.changing:
                self.trouble = ""
                if turn == self._turn:  # else it may be older than the answer to what was asked meanwhile
                    # Nor is a setting put back, for a moment, that is just being changed.
                    changing = GENERAL in self.busy and self.settings is not None
                    self._update_from(listed, self.settings if changing else settings, status)

    # What a person asks for: done beside the caller. What goes wrong becomes a note at the model.

    def download(self, model: str, accept_license: str = "", *, update: bool = False) -> None:
        """Begin or go on with a download.

        Parameters
        ----------
        accept_license
            Digest of the licence text that the person has accepted.

        """
        request = models.ModelEnsureRequest(
            id=model, allow_download=True, accept_license=accept_license, update=update
        )
        self._request(model, registry.MODEL_ENSURE, request)

    def stop(self, model: str, *, discard: bool = False) -> None:
        """Stop what is under way; what a download has got so far is kept, unless it is discarded."""
        request = models.ModelCancelDownloadRequest(id=model, discard=discard)
        self._request(model, registry.MODEL_CANCEL_DOWNLOAD, request)

    def verify(self, model: str) -> None:
        """Begin to compute the digest again."""
        self._request(model, registry.MODEL_VERIFY, models.ModelRequest(id=model))

    def pin(self, model: str, *, pinned: bool) -> None:
        """Keep a model at its version, or let it be updated again."""
        self._request(model, registry.MODEL_PIN, models.ModelPinRequest(id=model, pinned=pinned))

    def load(self, model: str, *, force: bool = False) -> None:
        """Load a model; `force`: also where it does not fit."""
        self._request(model, registry.MODEL_LOAD, models.ModelLoadRequest(id=model, force=force))

    def unload(self, model: str | None = None) -> None:
        """Free what a model holds, or all, now."""
        loaded = model or (self.status.model if self.status else None) or GENERAL
        self._request(loaded, registry.MODEL_UNLOAD, models.ModelUnloadRequest(id=model))

    def delete(self, model: str, *, force: bool = False) -> None:
        """Remove a model; `force`: also where it is loaded."""
        self._request(model, registry.MODEL_DELETE, models.ModelDeleteRequest(id=model, force=force))

    def export(self, model: str, path: str) -> None:
        """Write a bundle into a folder of the machine on which the service runs."""

        def done(written: models.ModelExported) -> None:
            self._show_note(model, filled(MANAGER["written-to"], written.path))

        self._request(model, registry.MODEL_EXPORT, models.ModelExportRequest(id=model, path=path), done)

    def import_file(self, path: str, name: str = "", *, link: bool = False) -> None:
        """Take a file or a bundle of that machine in; without a name it gets one from the file."""
        if not path:
            self._fail(
                IMPORT,
                InvalidArgument("No file to import.", recovery="Enter its path.", field="path"),
            )
            return
        if name and not _MODEL_ID.fullmatch(name):
            self._fail(
                IMPORT,
                InvalidArgument(
                    f"`{name}` is not a valid model name.",
                    recovery="Use letters, digits, dots, dashes and underscores; no slashes or spaces.",
                    field="id",
                ),
            )
            return

        def done(info: models.ModelInfo) -> None:
            self._show_note(IMPORT, filled(MANAGER["imported"], info.name))

        request = models.ModelImportRequest(path=path, id=name or None, link=link)
        self._request(IMPORT, registry.MODEL_IMPORT, request, done)

    def change(self, **changes: Any) -> None:
        """Change settings; None gives one back to the layers below."""

        def done(view: SettingsView) -> None:
            self.settings = view
            self._know()
            self.moment += 1

        self._request(GENERAL, registry.SETTINGS_UPDATE, SettingsUpdateRequest(**changes), done)

    def dismiss(self, model: str) -> None:
        """Take a note away."""
        with self.changing:
            self.notes = _without(self.notes, model)

    # How

    def _request(
        self,
        model: str,
        op: Operation[Any, Any],
        request: msgspec.Struct,
        done: Callable[[Any], None] = lambda answer: None,
    ) -> None:
        with self.changing:
            self._changed_at = self.clock()
            self.notes = _without(self.notes, model)
            self.busy = {**self.busy, model: self.busy.get(model, 0) + 1}

        def call() -> None:
            try:
                answer = self._client().call(op, request)
            except Exception as failure:
                self._fail(model, _ours(failure))
                answer = None
            with self.changing:
                self._turn += 1
                if answer is not None:
                    done(answer)
                left = self.busy.get(model, 1) - 1
                self.busy = {**self.busy, model: left} if left else _without(self.busy, model)
            self.refresh()

        self._start(call)

    def _update_from(
        self, listed: models.ModelList, settings: SettingsView | None, status: backend.BackendStatus
    ) -> None:
        noted = (
            gist(known_models(listed, settings, status)),
            (listed.imports, listed.active_profile, listed.recommended_profile, listed.memory.kernels),
            (status.state, status.model, status.reason, status.residency),
            tuple((one.model, one.state) for one in residents(status)),
            settings,
        )
        if noted != self._noted:
            self._noted, self._changed_at = noted, self.clock()
        elif self.interval_seconds >= CALM_SECONDS[1]:
            return
        before = {known.info.id: known for known in self.known}
        self.listed, self.settings, self.status = listed, settings, status
        self._know()
        self.imports = tuple(
            (event.id, ModelProgress("import", event.state == "verifying", event.received_bytes,
                                event.total_bytes, event.rate_bytes_per_second))
            for event in listed.imports
        )  # fmt: skip
        self.moment += 1
        for known in self.known:
            self._announce(before.get(known.info.id), known)

    def _know(self) -> None:
        self.known = known_models(self.listed, self.settings, self.status)

    def _announce(self, before: KnownModel | None, now: KnownModel) -> None:
        """Say what a person waits for: the end of something that was under way, or of a load."""
        name = now.info.name
        if before is None:
            return
        if before.under_way and not now.under_way:
            self.spoken = _ended(now)
        elif now.info.loaded and not before.info.loaded:
            self.spoken = f"{name} is loaded."
        elif before.info.loaded and not now.info.loaded:
            self.spoken = f"{name} is unloaded."

    def _show_note(self, model: str, message: str) -> None:
        with self.changing:
            self.notes = {**self.notes, model: ControllerNote("info", message)}
            self.spoken = message

    def _fail(self, model: str, error: LocalCoderError) -> None:
        if isinstance(error, Canceled):
            return  # By the person, who knows it.
        can_force = isinstance(error, OutOfMemory) and bool(error.details.get("refused"))
        note = ControllerNote(
            "error", error.message, error.recovery, can_force, str(error.details.get("field") or "")
        )
        with self.changing:
            self.notes = {**self.notes, model: note}


def _ended(known: KnownModel) -> str:
    info = known.info
    if info.error is not None:
        return f"{info.name}: {info.error.message}"
    if info.state == "ready":
        return filled(MANAGER["ready"], info.name)
    return filled(MANAGER["download-paused"], info.name) if info.received_bytes else ""


def _ours(failure: Exception) -> LocalCoderError:
    """The failure as one that says what can be done."""
    return failure if isinstance(failure, LocalCoderError) else error_of(error_payload(failure))


def _without(entries: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if name != key}


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="localcoder-manager", daemon=True).start()
