"""``load`` and ``unload``: the model of the running Jupyter server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from traitlets import Bool, Unicode

from ..contract import codec, models, registry
from ..errors import ConnectionFailed, Unavailable
from .command import LocalCoderCommand, options
from .exits import ExitCode

if TYPE_CHECKING:
    from ..client import Client

_ALONE = (
    "A model stays loaded only in a running server. Without a server, `explain`, `improve` and "
    "`complete` load the model themselves and unload it when they finish."
)


class ServerCommand(LocalCoderCommand):
    """Base of the commands that make sense only with a running Jupyter server."""

    alone: ClassVar[str] = _ALONE
    """Why it does; said where there is none."""

    @contextmanager
    def server(self) -> Generator[Client, None, None]:
        """A connection to the running server."""
        try:
            client = self.ports.connect(self, False)
        except Unavailable as failure:
            raise ConnectionFailed(failure.message, recovery=f"{failure.recovery} {self.alone}") from failure
        try:
            yield client
        finally:
            client.close()


class Load(ServerCommand):
    """Load a model in the running Jupyter server."""

    usage = "load [ID] [options]"
    description = """Load a model in the running Jupyter server, so that the first answer is
    faster. The default is the model for code from the settings."""
    arguments = (0, 1)
    aliases = ServerCommand.aliases | {"profile": "Load.profile"}
    flags = ServerCommand.flags | options(
        force=("Load.force", "Load the model even if it does not fit into memory.")
    )

    profile = Unicode(
        "", config=True, help="Profile used to load the model. Default: the profile from the settings."
    )
    force = Bool(False, config=True, help="Load the model even if it does not fit into memory.")

    def run(self) -> ExitCode:
        """Load it, and wait until it is there."""
        with self.server() as client:
            model = self.extra_args[0] if self.extra_args else _model_for_code(client)
            request = {"id": model, "force": self.force} | ({"profile": self.profile} if self.profile else {})
            checked = codec.decode(models.ModelLoadRequest, request)
            self.note(f"Loading {model} …")
            loaded: models.LoadedModel = client.call(registry.MODEL_LOAD, checked)
        self.console.document(loaded)
        self.console.out(
            f"{loaded.id} is loaded: {loaded.context_window} tokens of context, on {loaded.acceleration},"
            f" after {loaded.load_ms / 1000:.1f} s."
        )
        if loaded.warning is not None:
            self.note(f"{loaded.warning.message} {loaded.warning.action}")
        return ExitCode.OK


class Unload(ServerCommand):
    """Free the memory that the loaded model takes."""

    usage = "unload [options]"
    description = """Stop the worker of the running Jupyter server and free its memory. The next
    request loads the model again."""

    def run(self) -> ExitCode:
        """Unload it."""
        with self.server() as client:
            client.call(registry.MODEL_UNLOAD, models.ModelUnloadRequest())
        self.console.document({"unloaded": True})
        self.console.out("The model is unloaded.")
        return ExitCode.OK


def _model_for_code(client: Client) -> str:
    from ..contract.settings import SettingsGetRequest, SettingsView

    view: SettingsView = client.call(registry.SETTINGS_GET, SettingsGetRequest())
    if view.settings.model:
        return view.settings.model
    known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
    if known.code_model:
        return known.code_model
    return next(profile.model for profile in known.profiles if profile.name == known.active_profile)
