"""The server extension: routes, the kernels' connection, and a service that is made when it is needed.

Loading it must cost a Jupyter server next to nothing, so the service and all that it imports wait for the
first request.
"""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.gateway.gateway_client import GatewayClient
from traitlets import Bool, Integer
from traitlets.config import Config

from .._version import __version__
from ..client import proof
from ..client.connection import ServerConnection, running
from ..errors import ConfigInvalid
from ..storage.processes import birth
from ..text.plain_text import keep_plain
from .access import RESOURCE
from .address import host_for_kernels
from .channel import MAX_MESSAGE_BYTES, MAX_OPEN_REQUESTS, ChannelHandler
from .file_access import FileAccess
from .local_socket import LocalSocket
from .outbox import MAX_WAITING_BYTES, MAX_WAITING_MESSAGES
from .proof import ProofHandler
from .renames import Renames
from .rest import rest_routes

if TYPE_CHECKING:
    from ..service import Service

SECTIONS = frozenset(
    {
        "LocalCoderSettings",
        "ModelStore",
        "Supervisor",
        "WorkerPool",
        "Service",
        "RequestQueue",
        "LocalCoderProviders",
        "Tuning",
        "HistoryStore",
    }
)
"""Classes of the service whose traits can be configured: without any of them nothing needs to be checked."""
_FOLDERS = frozenset({"LOCALCODER_MODELS_DIR", "LOCALCODER_HISTORY_DIR"})


class LocalCoderApp(ExtensionApp):
    """The server extension, which serves `localcoder/…` in a Jupyter server."""

    name = "localcoder"
    extension_url = "/lab"
    load_other_extensions = True

    files_outside_root = Bool(
        True,
        config=True,
        help="Whether users who may run code on this server can also import models from, and write exports "
        "to, files that Jupyter's file browser does not show. Set it to False if kernels run as another "
        "user or on another machine than the server. With a kernel gateway, it is always treated as "
        "False.",
    )

    channel_requests = Integer(
        MAX_OPEN_REQUESTS,
        min=1,
        config=True,
        help="Maximum number of open requests per websocket; further ones fail with `QUEUE_FULL`.",
    )
    channel_message_bytes = Integer(
        MAX_MESSAGE_BYTES,
        min=64 * 1024,
        max=MAX_MESSAGE_BYTES,
        config=True,
        help="Maximum size in bytes of a websocket message; a larger message closes the connection.",
    )
    channel_waiting_bytes = Integer(
        MAX_WAITING_BYTES,
        min=1024 * 1024,
        config=True,
        help="Maximum number of unsent bytes per websocket; a client that reads too slowly is disconnected.",
    )
    channel_waiting_messages = Integer(
        MAX_WAITING_MESSAGES,
        min=16,
        config=True,
        help="Maximum number of unsent messages per websocket; a client that reads too slowly is "
        "disconnected.",
    )

    _connection: ServerConnection | None = None
    _local_socket: LocalSocket | None = None
    _renames: Renames | None = None

    @cached_property
    def kernel_token(self) -> str:
        """The token that kernels of this server show; new with every start."""
        return secrets.token_urlsafe(32)

    @cached_property
    def service(self) -> Service:
        """The service."""
        from ..composition import build_service

        command_line = getattr(self.serverapp, "cli_config", None)
        return build_service(
            command_line=command_line,
            log=self.log,
            parent=self,
            kernel_pids=self._kernel_pids,
            path_of_kernel=self._path_of_kernel,
            root=lambda: self.file_access.root,
        )

    @property
    def sock(self) -> str:
        """Path of the Unix socket that kernels use; empty where they use a port."""
        return self._connection.sock if self._connection is not None else ""

    @property
    def file_access(self) -> FileAccess:
        """Which files requests may name, by the server's own contents manager."""
        outside = self.files_outside_root and not GatewayClient.instance().gateway_enabled
        contents: Any = getattr(self.serverapp, "contents_manager", None)
        return FileAccess(contents, outside=outside)

    async def _path_of_kernel(self, kernel: str) -> str:
        """Path of the notebook of a kernel; empty where it is not known."""
        return await self._renames.path_of_kernel(kernel) if self._renames is not None else ""

    def has_kernel(self, id_: str) -> bool:
        """Whether this server runs a kernel of this id."""
        kernels: Any = getattr(self.serverapp, "kernel_manager", None)
        return kernels is not None and id_ in kernels

    def _kernel_pids(self) -> list[int]:
        """Process ids of the kernels of this server that run on this machine."""
        from jupyter_client.provisioning.local_provisioner import LocalProvisioner

        kernels: Any = getattr(self.serverapp, "kernel_manager", None)
        pids = []
        for id_ in kernels.list_kernel_ids() if kernels else ():
            provisioner = getattr(kernels.get_kernel(id_), "provisioner", None)
            if isinstance(provisioner, LocalProvisioner) and provisioner.pid:
                pids.append(provisioner.pid)
        return pids

    def initialize_settings(self) -> None:
        """Stop the start where the configuration is wrong, as Jupyter does for its own traits."""
        keep_plain(self.log)
        variables = {name for name in os.environ if name.startswith("LOCALCODER_")} - _FOLDERS
        # Jupyter goes on without the configuration of an extension that it could not read.
        config = Config(getattr(self.serverapp, "config", {}))
        config.merge(self.config)
        if not variables and (SECTIONS | {type(self).__name__}).isdisjoint(config):
            return
        from ..composition import check_configuration

        try:
            check_configuration(config, LocalCoderApp)
        except ConfigInvalid as failure:
            self.log.critical("Bad config encountered during initialization: %s", failure.message)
            raise SystemExit(1) from None

    def initialize_handlers(self) -> None:
        """Add the routes of operations, proof and channel; the base URL is put before them for us."""
        self.handlers.extend(rest_routes())
        self.handlers.append((f"/{proof.PATH}", ProofHandler, {}))
        self.handlers.append((f"/{RESOURCE}/channel", ChannelHandler, {}))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Tell kernels where we are. The port is known only now: the server may have taken another one."""
        if serverapp.client_ca and not serverapp.sock:
            try:
                self._local_socket = LocalSocket(serverapp.web_app)
            except (OSError, ValueError) as failure:
                self.log.warning("Kernels cannot reach this server, which asks for certificates: %s", failure)
        connection = self._make_connection()
        os.environ.update(connection.environment())
        try:
            connection.write(Path(jupyter_runtime_dir()))
            running(Path(jupyter_runtime_dir()))  # removes what killed servers have left
        except OSError as failure:
            self.log.warning("Other programs will not find this server: %s", failure)
        self._connection = connection
        self._renames = Renames(serverapp, self._moved)

    async def _moved(self, old: str, new: str) -> None:
        await self.service.notebooks.moved(old, new)

    async def stop_extension(self) -> None:
        """End the worker, and take the connection away."""
        if self._connection is not None:
            self._connection.remove(Path(jupyter_runtime_dir()))
            for name in self._connection.environment():
                os.environ.pop(name, None)
        if self._local_socket is not None:
            self._local_socket.close()
        if self._renames is not None:
            self._renames.close()
        if "service" in self.__dict__:
            await self.service.close()

    def _make_connection(self) -> ServerConnection:
        server = self.serverapp
        assert server is not None  # noqa: S101 - a started extension has its server
        local = self._local_socket
        sock = local.path if local is not None else server.sock
        certfile = server.certfile if local is None else ""
        scheme = "https" if certfile else "http"
        where = "localhost" if sock else f"{host_for_kernels(server.ip, server.port)}:{server.port}"
        return ServerConnection(
            url=f"{scheme}://{where}{server.base_url}",
            token=self.kernel_token,
            pid=os.getpid(),
            root_dir=str(Path(server.root_dir).resolve()),
            # A kernel works in another folder than the server.
            certfile=_absolute(certfile),
            sock=_absolute(sock),
            made_sock=local is not None,
            birth=birth(os.getpid()),
            version=__version__,
        )


def _absolute(path: str) -> str:
    return (
        str(Path(path).absolute()) if path else ""
    )  # not resolved: a renewed certificate is a link turned round
