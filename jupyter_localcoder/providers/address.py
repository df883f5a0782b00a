"""The address of a provider, checked before anything is kept or opened. Pure.

Link-local addresses lead to no provider, but to the services of the machine's own network: those of a cloud
hand out its keys to whoever asks. Such an address is refused, however it is spelled, unless a person allows
it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import ValidationError

_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
LINK_LOCAL_WAY_OUT = (
    "Enter another address. If your provider really uses this address, allow it in Jupyter's "
    "configuration: `c.Service.link_local_providers = True`."
)

_METADATA_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        # Services of clouds that are not link-local: Alibaba, Azure, Oracle, Amazon, Google.
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128",
    )
)  # fmt: skip
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
     "metadata.azure.internal", "metadata.tencentyun.com"}
)  # fmt: skip
_WITH_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96",
                                              "64:ff9b:1::/48")))  # fmt: skip
"""Networks of IPv6 whose addresses stand for one of IPv4, which is their end."""


@dataclass(frozen=True)
class Address:
    """A base URL of http or https, without credentials, query or fragment."""

    url: str
    """Without a slash at its end."""
    origin: str
    """Scheme, host and port: what a key belongs to."""
    host: str
    """In small letters."""
    encrypted: bool

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine by its name, without asking anybody."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_link_local(self) -> bool:
        """Whether it leads to services of the machine's own network, as far as its spelling tells."""
        name = _ascii(self.host).rstrip(".").partition("%")[0]
        ip = _ip_of(name)
        return name in _METADATA_NAMES if ip is None else is_link_local(ip)

    @property
    def keeps_keys_safe(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.encrypted or self.is_loopback


def parse_address(text: str) -> Address:
    """Check an address.

    Raises
    ------
    ValidationError
        It is none, or one of another kind. The sentence does not repeat it: it may hold a password.
    """
    if _UNFIT.search(text):
        raise _invalid("contains spaces or characters that are not allowed in an address")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid("cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _invalid("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise _invalid("must not contain a user name or password; enter the key in its own field")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _invalid("must not contain a query (`?…`) or a fragment (`#…`)")
    if not _is_host(host) or port == 0:
        raise _invalid("has no valid host")
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{shown}" + (f":{port}" if port and port != default else "")
    return Address(origin + parts.path.rstrip("/"), origin, host, parts.scheme == "https")


def is_link_local(ip: ipaddress.IPv4Address | ipaddress.IPv6Address | str) -> bool:
    """Whether an address is link-local, or one at which a cloud tells about its machines."""
    ip = ipaddress.ip_address(ip.partition("%")[0]) if isinstance(ip, str) else ip
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _WITH_IPV4):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
            return is_link_local(inner)
        if ip.sixtofour is not None and is_link_local(ip.sixtofour):
            return True
        if ip.teredo is not None and any(map(is_link_local, ip.teredo)):
            return True
    return ip.is_link_local or any(ip in network for network in _METADATA_NETWORKS)


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _ip_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is: also one of IPv4 as C libraries read it, in fewer parts and other bases."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    parts = name.split(".")
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *bytes_, last = numbers
    if len(parts) > 4 or any(byte > 255 for byte in bytes_) or last >= 256 ** (5 - len(parts)):
        return None
    high = sum(byte << 8 * (3 - i) for i, byte in enumerate(bytes_))
    return ipaddress.IPv4Address(high + last)


def _number(text: str) -> int:
    if not (text.isascii() and text.isalnum()) or len(text) > 64:
        raise ValueError("no number of an address")
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if text.startswith("0") else int(text, 10)


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return ipaddress.ip_address(host).version == 6
        except ValueError:
            return False
    try:
        ascii_ = host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return re.fullmatch(r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", ascii_) is not None


def _invalid(why: str) -> ValidationError:
    return ValidationError(
        f"`base_url`: the address {why}.",
        recovery="Enter the address of the API, such as `http://127.0.0.1:8080/v1`.",
        field="base_url",
    )
