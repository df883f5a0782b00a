"""The process of the service: its configuration, its parts, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import os
import signal
import sqlite3
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import msgspec
from tornado.httpserver import HTTPServer
from tornado.web import Application as WebApplication
from traitlets import Bool, Dict, Enum, Float, Integer, List, Unicode, default
from traitlets.config import Application, Config, catch_config_error

from .._version import __version__
from ..composition import CONFIGURABLES, build_service
from ..contract.fill_tokens import QWEN_FILL
from ..contract.providers import FillMode, ProviderFields
from ..errors import ConfigInvalid, LocalCoderError, PackageMissing, ValidationError
from ..machine.optional_packages import has_module
from ..providers.build import check_fields
from .fair_queue import FairQueue
from .identity import HubIdentities
from .ledger import Ledger, limit_table
from .upstream import EmbeddedUpstream, RemoteUpstream, Upstream
from .usage import UsageCounts

if TYPE_CHECKING:
    from .requests import Requests

_NEEDED = ("jupyterhub", "prometheus_client", "cryptography")
_CACHED_SECONDS = 60
_FLUSH_SECONDS = 5.0
EMBEDDED = "embedded"


class HubService(Application):
    """Serves one model to all users of a JupyterHub."""

    name = "jupyter_localcoder.hub"
    version = __version__
    description = (
        "Serves one model to all users of a JupyterHub, with a fair queue, limits and counts. JupyterHub "
        "starts it as a managed service; see docs/hub.md."
    )
    aliases: Any = {
        "config": "HubService.config_file",
        "upstream": "HubService.upstream",
        "model": "HubService.model",
        "fill": "HubService.fill",
        "data-dir": "HubService.data_dir",
        "log-level": "Application.log_level",
    }
    flags: Any = {
        "show-policy-key": (
            {"HubService": {"show_policy_key": True}},
            "Print the public key of the policy, and end. The first time, the key is made.",
        ),
    }
    classes: Any = [*CONFIGURABLES]

    config_file = Unicode("", config=True, help="Configuration file of this service, in Python or JSON.")
    upstream = Unicode(
        EMBEDDED,
        config=True,
        help="What generates the text: `embedded` runs one model in a worker of this service; an address "
        "such as `http://127.0.0.1:8080/v1` uses an OpenAI-compatible server.",
    )
    upstream_key_variable = Unicode(
        "LOCALCODER_UPSTREAM_KEY",
        config=True,
        help="Name of the environment variable of this service that contains the key of the upstream server.",
    )
    model = Unicode(
        "",
        config=True,
        help="Name of the model at the upstream server. Empty: users may use all models that it lists. With "
        "`embedded`: the id of a model on this machine; empty uses the profile of the settings.",
    )
    models = List(
        Unicode(),
        config=True,
        help="Names of several models at the upstream server that users may use; the first one is the "
        "default. Replaces `model`.",
    )
    fill = Enum(
        ["off", "suffix", "infill", "tokens"],
        "tokens",
        config=True,
        help="How the upstream server fills in the middle: `tokens` (vLLM and others), `infill` "
        "(llama-server), `suffix` (llama-cpp-python). Ignored with `embedded`.",
    )
    fill_template = Unicode(
        QWEN_FILL,
        config=True,
        help="Prompt for `tokens`: the fill-in-the-middle tokens of the model around `{prefix}` and "
        "`{suffix}`.",
    )
    slots = Integer(
        0,
        min=0,
        max=1024,
        config=True,
        help="Number of slots of a llama-server (`--parallel`). A user's requests then go to the slot that "
        "has their prompt in its cache. 0: the server chooses.",
    )
    upstream_timeout_seconds = Float(
        300.0, min=0.1, max=3600.0, config=True, help="Time limit of an answer in seconds."
    )
    upstream_silence_seconds = Float(
        60.0,
        min=0.1,
        max=3600.0,
        config=True,
        help="Longest time in seconds without a piece of an answer, also before the first one.",
    )
    at_once = Integer(
        8,
        min=1,
        max=4096,
        config=True,
        help="Number of requests that the upstream server gets at the same time.",
    )
    max_waiting = Integer(
        512,
        min=0,
        config=True,
        help="Number of requests of all users that may wait; others get `QUEUE_FULL`.",
    )
    wait_seconds = Float(
        60.0,
        min=0.1,
        config=True,
        help="Time in seconds after which a waiting request gets `QUEUE_FULL`.",
    )
    quantum_tokens = Integer(
        1024,
        min=1,
        config=True,
        help="Tokens that each user gets in a round of the fair queue. Smaller values alternate more often.",
    )
    default_tokens = Integer(
        1024, min=1, config=True, help="Length of an answer in tokens if the request does not limit it."
    )
    max_tokens = Integer(
        4096, min=1, config=True, help="Maximum length of an answer in tokens; longer requests get this."
    )
    completion_tokens = Integer(
        512,
        min=1,
        config=True,
        help="A request to fill in the middle with at most this `max_tokens` has precedence over commands.",
    )
    max_body_bytes = Integer(
        4 * 1024 * 1024, min=1024, config=True, help="Maximum size of a request in bytes."
    )
    client_seconds = Float(
        30.0,
        min=0.1,
        config=True,
        help="Time in seconds in which a client must take a piece of an answer; a slower one is "
        "disconnected.",
    )
    drain_seconds = Float(
        20.0,
        min=0.0,
        config=True,
        help="Time in seconds that running requests have to end when the service is stopped.",
    )
    user_limits = Dict(
        config=True,
        help="Limits by user name; `*` is for all users: "
        '`{"*": {"at_once": 8, "tokens_per_minute": 50000, "tokens_per_day": 1000000}}`. None: no limit. 0: '
        "nothing is allowed.",
    )
    group_limits = Dict(
        config=True,
        help="Limits of each member of a group of the hub, by group name. Of several groups the most "
        "generous limit counts.",
    )
    group_totals = Dict(config=True, help="Limits of all members of a group together, by group name.")
    admin_groups = List(
        Unicode(),
        config=True,
        help="Groups of the hub whose members may see the page with the counts, and the metrics.",
    )
    data_dir = Unicode(
        config=True,
        help="Folder for the counts. Default: the working folder, which for a managed service is that of the "
        "hub.",
    )
    keep_days = Integer(400, min=1, config=True, help="Number of days for which counts are kept.")
    policy_file = Unicode(
        config=True,
        help="JSON file with the rules of the policy, which is read again when it changes. Empty: everything "
        "is allowed.",
    )
    policy_keep_minutes = Float(
        60.0,
        min=1.0,
        max=10080.0,
        config=True,
        help="Time in minutes for which a server keeps its policy while this service cannot be reached.",
    )
    show_policy_key = Bool(False, config=True, help="Print the public key of the policy, and end.")
    bind_url = Unicode(
        config=True,
        help="Address of this service, such as `http://127.0.0.1:10101`. JupyterHub sets it for a managed "
        "service (JUPYTERHUB_SERVICE_URL).",
    )

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return os.curdir

    @default("bind_url")
    def _default_bind_url(self) -> str:
        return os.environ.get("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:10101")

    @default("log_level")
    def _default_log_level(self) -> int:
        return logging.INFO

    @catch_config_error
    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the command line and the configuration file; the command line has precedence."""
        self.parse_command_line(argv)
        command_line = Config(self.cli_config)
        if self.config_file:
            path = Path(self.config_file).resolve()
            self.load_config_file(path.name, str(path.parent))
            self.update_config(command_line)

    def start(self) -> None:
        """Serve until the process is asked to stop.

        Raises
        ------
        LocalCoderError
            The configuration is wrong, or a package is missing.
        """
        missing = [name for name in _NEEDED if not has_module(name)]
        if missing:
            raise PackageMissing.of("hub")
        if self.show_policy_key:
            from .policies import public_text, signing_key

            print(public_text(signing_key(self._key_path)))
            return
        asyncio.run(self._serve())

    @property
    def _key_path(self) -> Path:
        return Path(self.data_dir) / "localcoder-policy-key.pem"

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, stopped.set)
        table = limit_table(self.user_limits, self.group_limits, self.group_totals)
        upstream = self._make_upstream()
        usage = UsageCounts(
            Path(self.data_dir) / "localcoder-usage.sqlite", lambda: _now().date(), self.keep_days
        )
        await asyncio.to_thread(usage.open)
        spent = await asyncio.to_thread(usage.spent_today)
        ledger = Ledger(table, monotonic=time.monotonic, wall=_now, spent_today=spent)
        queue = FairQueue(self.at_once, self.max_waiting, self.quantum_tokens)
        requests, web = self._make_web(upstream, queue, ledger, usage)
        server = HTTPServer(
            web, max_body_size=self.max_body_bytes, ssl_options=_internal_tls(), xheaders=True
        )
        where = urlsplit(self.bind_url)
        server.listen(where.port or 80, where.hostname or "127.0.0.1")
        self.log.info("Serving %s at %s", self.upstream, self.bind_url)
        flushing = asyncio.create_task(self._flush(usage))
        try:
            await stopped.wait()
            self.log.info("Stopping: %d requests run, %d wait", queue.running, queue.waiting())
            server.stop()
            await requests.drain(self.drain_seconds)
            await server.close_all_connections()
        finally:
            flushing.cancel()
            await upstream.close()
            await asyncio.to_thread(self._flush_once, usage)

    def _make_upstream(self) -> Upstream:
        if self.upstream == EMBEDDED:
            config = Config(self.config)
            # What a prompt was computed to would otherwise be written to a file when the model is unloaded.
            config.Tuning.kept_state_megabytes = 0
            if self.model:
                config.LocalCoderSettings.model = self.model
                config.LocalCoderSettings.general_model = self.model
            service = build_service(config=config, command_line=config, log=self.log)
            return EmbeddedUpstream(service, self.model or "localcoder")
        fields = ProviderFields(
            type="openai_compatible",
            name="The model server",
            base_url=self.upstream,
            model=self.model,
            timeout_seconds=self.upstream_timeout_seconds,
            silence_timeout_seconds=self.upstream_silence_seconds,
            fill=cast("FillMode", self.fill),
            fill_template=self.fill_template,
            # The administrator has written address and key into the same configuration.
            allow_unencrypted_key=True,
        )
        try:
            check_fields(fields, link_local=True)
        except ValidationError as failure:
            raise ConfigInvalid(f"`HubService.upstream`: {failure.message}") from None
        key = os.environ.get(self.upstream_key_variable, "").strip() or None
        return RemoteUpstream(
            fields, key, self.models or [name for name in (self.model,) if name], self.slots
        )

    def _make_web(
        self, upstream: Upstream, queue: FairQueue, ledger: Ledger, usage: UsageCounts
    ) -> tuple[Requests, WebApplication]:
        from jupyterhub.services.auth import HubOAuth

        from .metrics import Metrics
        from .policies import Policies, signing_key
        from .requests import Requests, Sizes
        from .routes import routes
        from .site import Site

        if "cache_max_age" not in self.config.HubOAuth and "cache_max_age" not in self.config.HubAuth:
            self.config.HubOAuth.cache_max_age = _CACHED_SECONDS
        auth = HubOAuth.instance(parent=self)
        metrics = Metrics(queue)
        sizes = Sizes(self.default_tokens, self.max_tokens, self.completion_tokens, self.wait_seconds)
        policies = Policies(
            Path(self.policy_file) if self.policy_file else None,
            signing_key(self._key_path).sign,
            round(self.policy_keep_minutes * 60),
            _now,
            self.log,
        )
        requests = Requests(upstream, queue, ledger, usage, metrics, policies, sizes, self.log)
        site = Site(
            identities=HubIdentities(auth),
            requests=requests,
            policies=policies,
            usage=usage,
            metrics=metrics,
            admin_groups=tuple(self.admin_groups),
            client_seconds=self.client_seconds,
            log=self.log,
        )
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
        secret = os.urandom(32)
        return requests, WebApplication(
            routes(site, prefix), cookie_secret=secret, log_function=self._log_request
        )

    def _log_request(self, handler: Any) -> None:
        """Log method, path and status: no query, in which a token may be."""
        request = handler.request
        took = 1000 * request.request_time()
        self.log.info("%d %s %s %.0f ms", handler.get_status(), request.method, request.path, took)

    async def _flush(self, usage: UsageCounts) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await asyncio.to_thread(self._flush_once, usage)

    def _flush_once(self, usage: UsageCounts) -> None:
        try:
            usage.flush()
        except (sqlite3.Error, OSError) as failure:
            self.log.error("The counts cannot be written, and are kept in memory: %s", failure)


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()


def _internal_tls() -> ssl.SSLContext | None:
    """The certificate that JupyterHub has made for this service, if it encrypts its own connections."""
    key, certificate = (os.environ.get(f"JUPYTERHUB_SSL_{name}") for name in ("KEYFILE", "CERTFILE"))
    if not key or not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def main(argv: list[str] | None = None) -> None:
    """Run the service; an error of the configuration is one sentence, and exit status 1."""
    app = HubService()
    try:
        app.initialize(argv)
        app.start()
    except LocalCoderError as failure:
        sys.exit(f"{failure} {failure.recovery}")
    except msgspec.ValidationError as failure:
        sys.exit(f"The configuration is not valid: {failure}.")
