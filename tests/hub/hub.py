"""A real JupyterHub: its proxy, its users' servers, and a browser that signs in to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from jupyter_localcoder.client.connection import ServerConnection, running
from tests.support.certificates import write_certificate
from tests.support.jupyter_server import REPOSITORY, ServerKernel, connected
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.workers import ENDLESS_FROM_HERE

ENVIRONMENT = Path(sys.prefix)
PACKAGES = {6: (ENVIRONMENT / "hub",), 5: (ENVIRONMENT / "hub5", ENVIRONMENT / "hub")}
"""Folders of the packages of each version; `make` fills them."""
PROXY = ENVIRONMENT / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy"
BASE = "/some/where/"
PASSWORD = "the same for everybody"
PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
"""What browsers say of a request of a page's script."""
USERS = ("ada", "bob")


_MERGED = """\
import json
from traitlets.config import Config
c = get_config()
{lines}
given = Config(json.loads({given!r}))
c.JupyterHub.services.extend(given.JupyterHub.pop("services"))
c.JupyterHub.load_roles.extend(given.JupyterHub.pop("load_roles"))
c.merge(given)
"""
"""A configuration file: lists of both parts stay."""


@dataclass(frozen=True)
class Kind:
    """What differs from hub to hub."""

    version: int
    tls: bool = False
    """Whether the proxy speaks https."""
    internal_tls: bool = False
    """Whether hub, proxy and servers speak https among each other, each with its own certificate."""

    def __str__(self) -> str:
        return f"{self.version}{'-tls' * self.tls}{'-internal-tls' * self.internal_tls}"


class Hub:
    """A hub on this machine.

    Parameters
    ----------
    folder
        For everything that it and its users write.
    model
        Imported into each user's server; None: none has a model.
    users, servers
        Users that are created, and those whose servers are started.
    lines
        Python lines of `jupyterhub_config.py`, before those of the tests.

    """

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        model: Path | None,
        *,
        users: Sequence[str] = USERS,
        servers: Sequence[str] = USERS,
        lines: str = "",
    ) -> None:
        self.folder = folder
        self.kind = kind
        self._model = model
        self._users = users
        self._servers = servers
        self._lines = lines
        self.admin_token = secrets.token_hex(16)
        self._port, self._hub_port, self._proxy_port = free_ports(3)
        self.origin = f"{'https' if kind.tls else 'http'}://127.0.0.1:{self._port}"
        self._log = folder / "hub.log"
        self._certificate = folder / "proxy.crt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and a server for each user."""
        config = self.folder / "jupyterhub_config.py"
        config.write_text(_MERGED.format(lines=self._lines, given=json.dumps(self._configuration())))
        if self.kind.tls:
            write_certificate(self._certificate, self.folder / "proxy.key")
        for user in self._users:
            configure_user(self.home(user))
        packages = [str(path) for path in PACKAGES[self.kind.version]]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "LOCALC"))
        }
        environment = {**kept, "PYTHONPATH": os.pathsep.join([*packages, str(REPOSITORY)])}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", str(config)],
                cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.until(lambda: self.api("GET", "").status_code == 200)
        for user in self._users:
            self.api("POST", f"users/{user}")
        for user in self._servers:
            self.api("POST", f"users/{user}/server")
        for user in self._servers:
            self.until(lambda: self._is_ready(user, ""))  # noqa: B023 - waited for here
            if self._model is not None:
                self._give_model(user)

    def stop(self) -> None:
        """End it, and with it the proxy and the servers."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()

    def start_named(self, user: str, name: str) -> None:
        """Start one more server of a user, and wait until it is ready."""
        self.api("POST", f"users/{user}/servers/{name}")
        self.until(lambda: self._is_ready(user, name))

    def _is_ready(self, user: str, name: str) -> bool:
        servers = self.api("GET", f"users/{user}").json().get("servers", {})
        return bool(servers.get(name, {}).get("ready"))

    def api(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Ask the hub's own interface, as an administrator."""
        headers = {"Authorization": f"token {self.admin_token}"}
        with self.client() as client:
            url = f"{self.origin}{BASE}hub/api/{path}"
            return client.request(method, url, headers=headers, json=body or None)

    def token(self, user: str) -> tuple[str, str]:
        """A new token of a user, and its id."""
        made = self.api("POST", f"users/{user}/tokens", note="for a test").json()
        return made["token"], made["id"]

    def client(self) -> httpx.Client:
        """A client that believes the proxy's certificate, and keeps cookies."""
        trust = ssl.create_default_context(cafile=str(self._certificate)) if self.kind.tls else False
        return httpx.Client(verify=trust, trust_env=False, timeout=PATIENCE_SECONDS)

    def url(self, user: str, path: str = "", name: str = "") -> str:
        """The address of something on a user's server, as the browser sees it."""
        return f"{self.origin}{BASE}user/{user}/{name}{'/' if name else ''}{path}"

    def home(self, user: str) -> Path:
        """The user's home."""
        return self.folder / "home" / user

    @property
    def pid(self) -> int:
        """The process of the hub."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What hub, proxy and servers have written."""
        return self._log.read_text()

    @contextlib.contextmanager
    def kernel(self, user: str, name: str = "") -> Iterator[ServerKernel]:
        """A kernel that was started through the hub."""
        headers = {"Authorization": f"token {self.token(user)[0]}"}
        with self.client() as client:
            client.headers = httpx.Headers(headers)
            started = client.post(self.url(user, "api/kernels", name), json={"name": "python3"})
            assert started.status_code == 201, started.text
            path = f"api/kernels/{started.json()['id']}"
            try:
                with connected(self.runtime(user) / f"kernel-{started.json()['id']}.json") as kernel:
                    interrupt = lambda: client.post(self.url(user, f"{path}/interrupt", name))  # noqa: E731
                    yield ServerKernel(kernel, interrupt)
            finally:
                client.delete(self.url(user, path, name))

    def browser(self, user: str) -> Browser:
        """A browser in which a user has signed in and looks at their server."""
        return Browser(self, user)

    def connection(self, user: str, name: str = "") -> ServerConnection:
        """What a server of a user tells its own kernels."""
        (connection,) = [
            connection
            for connection in running(self.runtime(user))
            if connection.url.endswith(f"/user/{user}/{name}{'/' if name else ''}")
        ]
        return connection

    def runtime(self, user: str) -> Path:
        """Jupyter's runtime folder of a user."""
        return self.home(user) / ".local" / "share" / "jupyter" / "runtime"

    def _give_model(self, user: str) -> None:
        headers = {"Authorization": f"token {self.token(user)[0]}"}
        with self.client() as client:
            body: dict[str, str] = {"path": str(self._model), "id": "tiny"}
            given = client.post(self.url(user, "localcoder/models/import"), json=body, headers=headers)
            assert given.status_code == 200, given.text
            body = {"model": "tiny", "general_model": "tiny"}
            chosen = client.patch(self.url(user, "localcoder/settings"), json=body, headers=headers)
            assert chosen.status_code == 200, chosen.text

    def until(self, condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert self._process is not None
            assert self._process.poll() is None, self.log
            with contextlib.suppress(httpx.HTTPError):
                if condition():
                    return
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def _configuration(self) -> dict[str, Any]:
        home = str(self.folder / "home" / "{username}")
        scheme = "https" if self.kind.internal_tls else "http"
        hub: dict[str, Any] = {
            "bind_url": f"{self.origin}{BASE}",
            "hub_port": self._hub_port,
            "db_url": f"sqlite:///{self.folder / 'hub.sqlite'}",
            "cookie_secret_file": str(self.folder / "cookie_secret"),
            "pid_file": "",
            "authenticator_class": "dummy",
            "spawner_class": "simple",
            "allow_named_servers": True,
            "internal_ssl": self.kind.internal_tls,
            "internal_certs_location": str(self.folder / "certificates"),
            "services": [{"name": "test", "api_token": self.admin_token}],
            "load_roles": [
                {
                    "name": "test",
                    "scopes": [
                        "admin:users",
                        "admin:servers",
                        "tokens",
                        "access:servers",
                        "list:users",
                        "admin:groups",
                        "groups",
                    ],
                    "services": ["test"],
                }
            ],
        }
        if self.kind.tls:
            hub |= {"ssl_cert": str(self._certificate), "ssl_key": str(self.folder / "proxy.key")}
        return {
            "JupyterHub": hub,
            "Authenticator": {"allow_all": True},
            "DummyAuthenticator": {"password": PASSWORD},
            "ConfigurableHTTPProxy": {
                "command": [str(PROXY)],
                "api_url": f"{scheme}://127.0.0.1:{self._proxy_port}",
                "pid_file": str(self.folder / "proxy.pid"),
            },
            "SimpleLocalProcessSpawner": {
                "home_dir_template": home,
                "cmd": [sys.executable, "-m", "jupyterhub.singleuser"],
                "args": ["--allow-root"],
                "http_timeout": PATIENCE_SECONDS,
                "start_timeout": PATIENCE_SECONDS,
            },
        }


class Browser:
    """Cookies of a user who has signed in, and requests as a page makes them."""

    def __init__(self, hub: Hub, user: str) -> None:
        self.hub = hub
        self.user = user
        self.client = hub.client()
        self.client.headers["User-Agent"] = "a browser"
        self.client.follow_redirects = True
        sign_in(hub, self.client, user)
        self.page = self.client.get(hub.url(user, "lab"), headers=PAGE)
        assert self.page.status_code == 200, self.page.text

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def xsrf(self) -> str:
        """What the page reads from its cookie and says in a header."""
        path = f"{BASE}user/{self.user}/"
        (value,) = [cookie.value for cookie in self.client.cookies.jar
                    if cookie.name == "_xsrf" and cookie.path == path]  # fmt: skip
        return str(value)

    def ask(
        self, method: str, path: str, body: Any = None, *, user: str = "", **headers: str
    ) -> httpx.Response:
        """Ask a server, by default the user's own, as the page's script does."""
        referer = self.hub.url(self.user, "lab")
        given = {**SCRIPT, "Referer": referer, "Origin": self.hub.origin, "X-XSRFToken": self.xsrf, **headers}
        return self.client.request(
            method,
            self.hub.url(user or self.user, f"localcoder/{path}"),
            headers={name: value for name, value in given.items() if value},
            json=body,
            follow_redirects=False,
        )


def sign_in(hub: Hub, client: httpx.Client, user: str) -> None:
    """Sign a user in on the hub's page; the client keeps the cookies."""
    login = f"{hub.origin}{BASE}hub/login"
    page = client.get(login, headers=PAGE)
    field = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
    assert field is not None, page.text
    form = {"username": user, "password": PASSWORD, "_xsrf": field[1]}
    # Not to a server, which would start it.
    where = {"next": f"{BASE}hub/home"}
    signed_in = client.post(login, data=form, params=where, headers={**PAGE, "Referer": login})
    assert signed_in.status_code in (200, 302, 404), signed_in.text


def configure_user(home: Path) -> None:
    """Write what a user has in their home: which extension to load, and workers that do not end early."""
    config = home / ".jupyter"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.py").write_text(
        "c.ServerApp.jpserver_extensions = {'jupyter_localcoder': True, 'jupyter_server_terminals': True}\n"
        "c.HubOAuth.cache_max_age = 1\n"
        f"{ENDLESS_FROM_HERE}\n"
    )


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
