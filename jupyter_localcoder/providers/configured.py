"""The providers that the configuration of the server defines, for all who use it; never a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from traitlets import Bool, Dict, Float, Integer, List, Unicode
from traitlets.config import LoggingConfigurable

from ..contract import codec
from ..contract.providers import EMBEDDED, ProviderFields, ProviderId
from ..errors import ValidationError
from .build import check_fields
from .prices import Price

_VARIABLE = Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,127})?\Z")]


class LocalCoderProviders(LoggingConfigurable):
    """Providers that are configured for all who use the server, and how patient it is with all of them."""

    definitions = List(
        Dict(),
        config=True,
        help="Providers, a dictionary each: its `id`, its `type` and what else is configured of one, and "
        "`key_variable`, the name of the environment variable that holds its key. A key itself is refused. "
        "People may use them, and give them keys of their own, but not change or remove them.",
    )
    active = Unicode(
        "",
        config=True,
        help="Id of the provider that answers until a person activates another one. Empty: `embedded`.",
    )
    locked = Bool(
        False,
        config=True,
        help="Whether people may use only what is configured here: `active` answers, providers that they "
        "have added are not used, and they can neither add nor activate one. `embedded` is always there.",
    )
    prices = Dict(
        config=True,
        help='US dollars for a million tokens, such as `{"lab/*": {"input": 1.0, "output": 2.0}}`. What '
        "`prices.json` says of the same name goes before it.",
    )
    retries = Integer(
        2,
        min=0,
        max=10,
        config=True,
        help="A provider that refused the connection, or said when to come back, is asked again so often. 0 "
        "never does.",
    )
    retry_after_seconds = Float(
        15.0,
        min=0.0,
        max=600.0,
        config=True,
        help="One that wants to be left alone for more than so many seconds is not asked again.",
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
        return Configured(entries, self.active or EMBEDDED, self.locked, self._prices())

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


def _definition(given: Mapping[str, Any], *, link_local: bool) -> Definition:
    if "key" in given:
        raise ValidationError(
            "A key does not stand in a configuration: give `key_variable`, the name of the environment "
            "variable that holds it."
        )
    definition = codec.decode(Definition, dict(given))
    if definition.id == EMBEDDED or definition.type == "embedded":
        raise ValidationError(f"`{EMBEDDED}` is always there, and is not configured here.")
    check_fields(definition.fields, link_local=link_local)
    return definition
