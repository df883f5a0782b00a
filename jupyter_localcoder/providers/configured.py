"""The providers that the configuration of the server defines, for all who use it; never a key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from traitlets import Bool, Dict, Float, Integer, List, Unicode, default
from traitlets.config import LoggingConfigurable

from ..contract import codec
from ..contract.providers import EMBEDDED, ProviderFields, ProviderId
from ..errors import ValidationError
from .build import check_fields
from .prices import Price

HUB = "hub"
"""Id of the provider that is the hub service."""
_HUB_PATH = "services/localcoder"
"""Where a service of the name `localcoder` is below the base URL of its hub."""
_VARIABLE = Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,127})?\Z")]


class LocalCoderProviders(LoggingConfigurable):
    """Providers configured for all users of the server, and retry limits for all providers."""

    definitions = List(
        Dict(),
        config=True,
        help="List of providers, each a dictionary with `id`, `type`, the other fields of a provider, and "
        "`key_variable`, the name of the environment variable that contains its key. A key itself is "
        "refused. Users can use these providers and enter their own keys, but not change or remove them.",
    )
    active = Unicode(
        "",
        config=True,
        help="Id of the provider that is active until the user activates another one. Empty means "
        "`embedded`.",
    )
    locked = Bool(
        False,
        config=True,
        help="Whether users can use only the providers configured here: `active` is fixed, providers that "
        "users have added are ignored, and users can neither add nor activate providers. `embedded` is "
        "always available.",
    )
    prices = Dict(
        config=True,
        help='Prices in US dollars per million tokens, such as `{"lab/*": {"input": 1.0, "output": 2.0}}`. '
        "An entry of the same name in `prices.json` takes precedence.",
    )
    hub_url = Unicode(
        config=True,
        help="Address of the hub service of this JupyterHub, such as `http://127.0.0.1:10101`, if there is "
        "one. It becomes the provider `hub`, which gets the token of this server and is active unless "
        "`active` names another one. Default: the environment variable LOCALCODER_HUB_URL.",
    )
    retries = Integer(
        2,
        min=0,
        max=10,
        config=True,
        help="Maximum number of retries after a refused connection or a Retry-After response. 0 disables "
        "retries.",
    )
    retry_after_seconds = Float(
        15.0,
        min=0.0,
        max=600.0,
        config=True,
        help="Maximum Retry-After time in seconds; a request is not retried if the provider asks for a "
        "longer wait.",
    )

    def configured(self, *, link_local: bool) -> Configured:
        """What is configured, understood.

        Parameters
        ----------
        link_local
            Whether a provider may be at a link-local address.

        Raises
        ------
        ValidationError
            ``field`` in the details names the trait.
        """
        entries: dict[str, Definition] = {}
        if self.hub_url:
            entries[HUB] = self._hub(link_local=link_local)
        for number, given in enumerate(self.definitions):
            try:
                definition = _definition(given, link_local=link_local)
                if definition.id in entries:
                    raise ValidationError(f"There are two providers `{definition.id}`.")
            except ValidationError as failure:
                raise ValidationError(
                    f"Number {number + 1}: {failure.message}", field="definitions"
                ) from None
            entries[definition.id] = definition
        if self.active and self.active not in (EMBEDDED, *entries):
            known = ", ".join(f"`{id_}`" for id_ in (EMBEDDED, *entries))
            raise ValidationError(f"It must be one of {known}.", field="active")
        usual = HUB if self.hub_url else EMBEDDED
        return Configured(entries, self.active or usual, self.locked, self._prices())

    @default("hub_url")
    def _default_hub_url(self) -> str:
        return os.environ.get("LOCALCODER_HUB_URL", "").strip()

    def _hub(self, *, link_local: bool) -> Definition:
        """The hub service as a provider.

        Raises
        ------
        ValidationError
            The address is not valid.
        """
        try:
            definition = Definition(
                id=HUB,
                name="The hub's model",
                type="openai_compatible",
                base_url=f"{hub_address(self.hub_url)}/v1",
                fill="suffix",
                key_variable="JUPYTERHUB_API_TOKEN",
                # The server sends this token to the hub in the same network in the same way.
                allow_unencrypted_key=True,
            )
            check_fields(definition.fields, link_local=link_local)
        except (ValidationError, ValueError) as failure:
            said = failure.message if isinstance(failure, ValidationError) else str(failure)
            raise ValidationError(said, field="hub_url") from None
        return definition

    def _prices(self) -> dict[str, Price]:
        try:
            return msgspec.convert(dict(self.prices), dict[str, Price])
        except msgspec.ValidationError as failure:
            raise ValidationError(f"{failure}.", field="prices") from None


class Definition(ProviderFields, frozen=True, kw_only=True):
    """One of them."""

    id: ProviderId
    key_variable: _VARIABLE = ""

    @property
    def fields(self) -> ProviderFields:
        """What is configured of it, as of any other."""
        return ProviderFields(**{name: getattr(self, name) for name in ProviderFields.__struct_fields__})


@dataclass(frozen=True)
class Configured:
    """All of them, and what holds beside them."""

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    active: str = EMBEDDED
    locked: bool = False
    prices: Mapping[str, Price] = field(default_factory=dict)

    def key_variables(self, id_: str) -> tuple[str, ...]:
        """The environment variables that may hold the key of a provider, by what is configured."""
        definition = self.definitions.get(id_)
        return (definition.key_variable,) if definition is not None and definition.key_variable else ()


def hub_address(url: str) -> str:
    """Address of a hub service, without a slash at its end; one without a path gets the usual one.

    Raises
    ------
    ValueError
        It is no address.
    """
    url = url.rstrip("/")
    if urlsplit(url).path in ("", "/"):
        url += os.environ.get("JUPYTERHUB_BASE_URL", "/") + _HUB_PATH
    return url


def _definition(given: Mapping[str, Any], *, link_local: bool) -> Definition:
    if "key" in given:
        raise ValidationError(
            "Keys are not allowed in the configuration: set `key_variable` to the name of the "
            "environment variable that contains the key."
        )
    definition = codec.decode(Definition, dict(given))
    if definition.id == EMBEDDED or definition.type == "embedded":
        raise ValidationError(f"`{EMBEDDED}` always exists and is not configured here.")
    check_fields(definition.fields, link_local=link_local)
    return definition
