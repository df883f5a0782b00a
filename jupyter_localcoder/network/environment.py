"""How this machine reaches others: the proxies and certificates that its environment names.

One rule for whoever connects. What is set and cannot be used is told by the name of its variable, with its
value but without the credentials in it, before anything is sent: to connect past a proxy that somebody wants
to be used would be as wrong as a failure that nobody understands.

- ``http_proxy``, ``https_proxy``, ``all_proxy`` in small or in capital letters; where none is set, those of
  the system (Windows, macOS).
- ``no_proxy``: names with all that ends in them, addresses with or without brackets, networks (CIDR), each
  with a port or without; ``*`` for everything.
- ``SSL_CERT_FILE``, else ``SSL_CERT_DIR``, else ``REQUESTS_CA_BUNDLE``, else ``CURL_CA_BUNDLE``; and always
  what the system trusts.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ..machine.optional_packages import has_module
from ..text.plain_text import plain

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = ("http", "https", "all")
_KINDS = ("http", "https", "socks5", "socks5h")
_LONGEST_SHOWN = 120


class UnusableSetting(Exception):
    """A variable of the environment that cannot be used. Its text is a sentence that names it."""

    def __init__(self, variable: str, value: str, why: str, recovery: str = "") -> None:
        super().__init__(f"The environment variable {variable} (`{without_credentials(value)}`) {why}.")
        self.variable = variable
        self.recovery = recovery or f"Correct or delete {variable} and restart Jupyter."


@dataclass(frozen=True)
class Proxy:
    """A proxy, and where it was found."""

    url: str
    variable: str
    """Name of the environment variable; empty where the system names the proxy."""

    def __repr__(self) -> str:
        return f"Proxy({self.description!r})"

    @property
    def description(self) -> str:
        """What to call it in a sentence: no credentials stand in it."""
        origin = f" of {self.variable}" if self.variable else " of this system"
        return f"the proxy{origin} (`{without_credentials(self.url)}`)"


def proxy_for(url: httpx.URL, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy on the way to an address, or None where there is none.

    Raises
    ------
    UnusableSetting
        There is one, and what is said of it makes no sense.

    """
    environ = os.environ if environ is None else environ
    host = url.host.lower().rstrip(".")
    if not any(_value(environ, kind)[1] for kind in (*_PROXIES, "no")):
        return _of_the_system(url.scheme, host)
    for kind in (url.scheme, "all"):
        variable, value = _value(environ, kind)
        if value:
            exempt = _value(environ, "no")[1]
            port = url.port or (443 if url.scheme == "https" else 80)
            return None if is_exempt(host, port, exempt) else _proxy(variable, value)
    return None


def is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Whether ``no_proxy`` names a host. What cannot be read in it names none."""
    address = _address(host)
    for entry in re.split(r"[\s,]+", no_proxy.strip().lower()):
        if entry == "*":
            return True
        name, only = _split_port(entry.rpartition("://")[2].rstrip("/"))
        if only and only != str(port):
            continue
        network = _network(name)
        if network is not None:
            if address is not None and address in network:
                return True
            continue
        name = name.removeprefix("*").strip(".")
        if name and (host == name or host.endswith("." + name)):
            return True
    return False


def trust(environ: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """The certificates that are believed. It reads files, which takes some ten milliseconds.

    Raises
    ------
    UnusableSetting
        A variable names a file or folder that is not there, or that holds no certificate.

    """
    environ = os.environ if environ is None else environ
    variable = next((name for name in _CERTIFICATES if environ.get(name)), "")
    if variable:
        context = ssl.create_default_context()
        _believe(context, variable, environ[variable])
    else:
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
    return context


def complaints(environ: Mapping[str, str] | None = None) -> list[str]:
    """Sentences about all that cannot be used, for where pip has failed, which reads the same and its own."""
    environ = os.environ if environ is None else environ
    attempts: list[Callable[[], object]] = []
    for variable, value in (*(_value(environ, kind) for kind in _PROXIES), _set(environ, "PIP_PROXY")):
        if value:
            attempts.append(partial(_proxy, variable, value))
    for variable, value in (_set(environ, name) for name in (*_CERTIFICATES, "PIP_CERT")):
        if value:
            attempts.append(partial(_believe, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), variable, value))
    found = []
    for attempt in attempts:
        try:
            attempt()
        except UnusableSetting as failure:
            found.append(str(failure))
    return found


def without_credentials(value: str) -> str:
    """The value of a variable, harmless to show: nothing that stands before an ``@`` or after a ``?``."""
    scheme, mark, rest = value.strip().rpartition("://")
    rest = rest.rpartition("@")[2]
    if "@" in scheme:
        scheme, mark = "", ""
    shown = plain(f"{scheme}{mark}{rest}".partition("?")[0]).replace("\n", " ")
    return shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…"


class EnvironmentTransport(httpx.BaseTransport):
    """Sends each request by the way that the environment names for its address."""

    def __init__(self) -> None:
        self._ways: dict[tuple[str, bool], httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; raises `UnusableSetting` before it does."""
        proxy = proxy_for(request.url)
        way = (proxy.url if proxy else "", request.url.scheme == "https")
        if way not in self._ways:
            verify = trust() if way[1] or way[0].startswith("https:") else False
            self._ways[way] = httpx.HTTPTransport(
                verify=verify, trust_env=False, proxy=proxy.url if proxy else None
            )
        return self._ways[way].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            way.close()


def _set(environ: Mapping[str, str], variable: str) -> tuple[str, str]:
    return variable, environ.get(variable, "").strip()


def _value(environ: Mapping[str, str], kind: str) -> tuple[str, str]:
    """Name and value of a variable; the one in small letters wins, an empty one too."""
    small = f"{kind}_proxy"
    if small in environ:
        return small, environ[small].strip()
    if kind == "http" and "REQUEST_METHOD" in environ:  # a CGI script, where the header `Proxy:` comes in so
        return small, ""
    return _set(environ, small.upper())


def _of_the_system(scheme: str, host: str) -> Proxy | None:
    found = urllib.request.getproxies()
    value = found.get(scheme) or found.get("all") or found.get("socks")
    if not value or urllib.request.proxy_bypass(host):
        return None
    return _proxy("", value)


def _proxy(variable: str, value: str) -> Proxy:
    text = value if "://" in value else f"http://{value}"
    name = variable or "of the system for proxies"

    def refuse(why: str, recovery: str = "") -> UnusableSetting:
        return UnusableSetting(name, value, why, recovery)

    try:
        parts = urlsplit(text)
        kind, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        raise refuse("is not the address of a proxy") from None
    if kind not in _KINDS:
        raise refuse(f"names an unknown type of proxy (`{plain(kind)[:20]}`)")
    if not re.fullmatch(r"[\w.:%-]+", host) or port == 0:
        raise refuse("is not the address of a proxy")
    if kind.startswith("socks") and not has_module("socksio"):
        raise refuse(
            "names a SOCKS proxy, but SOCKS support is not installed",
            f"Install it with `pip install 'httpx[socks]'`, or set {name} to an HTTP proxy; "
            "then restart Jupyter.",
        )
    # An older httpx knows one name alone; it leaves the looking up of hosts to the proxy anyway.
    return Proxy(f"{kind.replace('socks5h', 'socks5')}://{text.partition('://')[2]}", variable)


def _believe(context: ssl.SSLContext, variable: str, value: str) -> None:
    """Add what a variable names."""
    folders = [part for part in value.split(os.pathsep) if part and Path(part).is_dir()]
    try:
        if folders:
            for folder in folders:
                context.load_verify_locations(capath=folder)
        elif variable == "SSL_CERT_DIR":
            raise UnusableSetting(variable, value, "names a folder that does not exist")
        else:
            context.load_verify_locations(cafile=value)
    except FileNotFoundError:
        raise UnusableSetting(variable, value, "names a file that does not exist") from None
    except ssl.SSLError:
        raise UnusableSetting(variable, value, "names a file that contains no certificate") from None
    except (OSError, ValueError) as failure:
        why = getattr(failure, "strerror", None) or "not a path"
        raise UnusableSetting(variable, value, f"names a file that cannot be read ({why})") from None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None


def _split_port(entry: str) -> tuple[str, str]:
    """Host and port of an entry; the colons of a bare IPv6 address separate no port."""
    if entry.startswith("["):
        host, _, rest = entry.partition("]")
        # `[fe80::]/10` is seen too.
        return (host[1:] + rest, "") if rest.startswith("/") else (host[1:], rest.removeprefix(":"))
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""
