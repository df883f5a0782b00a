"""Makes a provider out of what is configured and its key.

A module that speaks to a kind of server, and httpx with it, is imported when a provider of that kind is made,
and not before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..contract.providers import ProviderFields
from ..errors import ValidationError
from .address import LINK_LOCAL_WAY_OUT, Address, parse_address
from .base import Provider
from .failures import Failures
from .fill_template import FillPromptTemplate
from .installed import kind_of
from .kinds import ProviderSetup


class Retries(NamedTuple):
    """How often a request is sent again that nothing can have come of."""

    times: int = 2
    after_seconds: float = 15.0
    """Who wants to be left alone for longer gets no second request: the person decides."""


USUAL_RETRIES = Retries()


def address_of(fields: ProviderFields) -> Address | None:
    """The address of a provider: the one that is configured, or its vendor's; None for `embedded`.

    Raises
    ------
    ValidationError
        It is not valid, there is none, or the type is not installed.
    """
    if fields.type == "embedded":
        return None
    kind = kind_of(fields.type)
    url = fields.base_url or kind.base_url
    if not url:
        raise ValidationError(
            f"`base_url`: a provider of the type {kind.title} needs its address.", field="base_url"
        )
    return parse_address(url)


def check_fields(fields: ProviderFields, *, link_local: bool = False) -> None:
    """Refuse what can never work; ``link_local`` allows link-local addresses.

    Raises
    ------
    ValidationError
        A field, by its name.
    """
    _check_reach(address_of(fields), link_local=link_local)
    kind = kind_of(fields.type)
    if fields.fill != "off" and fields.fill not in kind.fills:
        raise ValidationError(
            f"`fill`: a provider of the type {kind.title} does not support a choice of "
            "fill-in-the-middle format.",
            field="fill",
        )
    if fields.fill == "tokens":
        FillPromptTemplate(fields.fill_template)


def _check_reach(address: Address | None, *, link_local: bool) -> None:
    if address is not None and address.is_link_local and not link_local:
        raise ValidationError(
            f"`base_url`: {address.host} is a link-local address. Services of the local network use such "
            "addresses, for example the metadata service of a cloud machine, which hands out its keys.",
            recovery=LINK_LOCAL_WAY_OUT,
            field="base_url",
        )


def check_key_travels_safely(id_: str, fields: ProviderFields) -> None:
    """Refuse a key that others on the way could read.

    Raises
    ------
    ValidationError
        The address is another machine's, without encryption, and nobody said that this is fine.
    """
    address = address_of(fields)
    if address is None or address.keeps_keys_safe or fields.allow_unencrypted_key:
        return
    raise ValidationError(
        f"The key of {fields.name or id_} would be sent to {address.host} unencrypted, so it was not "
        "accepted.",
        recovery="Use an address that begins with https://, or turn on `allow_unencrypted_key` for this "
        "provider if you trust the network.",
        field="base_url",
        provider=id_,
    )


def build_provider(
    id_: str,
    fields: ProviderFields,
    key: str | None,
    permit: Callable[[], Awaitable[None]] | None = None,
    *,
    link_local: bool = False,
    retries: Retries = USUAL_RETRIES,
) -> Provider:
    """Make a provider that is reached over HTTP; nothing is opened before it is used.

    Parameters
    ----------
    permit
        See `RemoteOptions`.
    link_local
        Allows link-local addresses.
    retries
        Whether and when it is asked again.

    Raises
    ------
    ValidationError
        A field is not valid, or the key would travel where others can read it.
    AuthError
        It needs a key, and there is none.
    """
    address = address_of(fields)
    kind = kind_of(fields.type)
    if address is None or kind.make is None:
        raise ValidationError("The embedded provider is not reached over HTTP.", field="type")
    _check_reach(address, link_local=link_local)
    failures = Failures(id_, fields.name or id_, address.host, (key,) if key and len(key) >= 6 else ())
    if key is None and kind.key_needed:
        raise failures.no_key()
    if key is not None:
        check_key_travels_safely(id_, fields)
    from .remote import RemoteOptions

    options = RemoteOptions(
        model=fields.model,
        timeout_seconds=fields.timeout_seconds,
        connect_seconds=fields.connect_timeout_seconds,
        silence_seconds=fields.silence_timeout_seconds,
        link_local=link_local,
        permit=permit,
        retries=retries.times,
        retry_after_seconds=retries.after_seconds,
    )
    return kind.make(ProviderSetup(fields, address, failures, options, key))
