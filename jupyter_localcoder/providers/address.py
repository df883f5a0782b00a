"""The address of a provider, checked before anything is kept or opened. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import ValidationError

_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


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
        raise _invalid("holds spaces or characters that cannot stand in an address")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid("cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _invalid("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise _invalid("must not hold a user name or password; enter the key in its own field")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _invalid("must not hold a query (`?…`) or a fragment (`#…`)")
    if not _is_host(host) or port == 0:
        raise _invalid("has no valid host")
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{shown}" + (f":{port}" if port and port != default else "")
    return Address(origin + parts.path.rstrip("/"), origin, host, parts.scheme == "https")


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
