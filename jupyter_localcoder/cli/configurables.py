"""The classes whose traits `--help-all` lists and `--Class.trait=value` sets."""

from __future__ import annotations

from difflib import get_close_matches

from traitlets.config import Config, Configurable

from ..errors import InvalidArgument


def configurables() -> list[type[Configurable]]:
    """The configurable classes of the service and the store. Imports them all: call it late."""
    from ..composition import CONFIGURABLES

    return list(CONFIGURABLES)


def check(given: Config, command: type[Configurable]) -> None:
    """Refuse `--Class.trait=value` for a class or trait that does not exist."""
    known = {cls.__name__: cls for cls in command.mro() if issubclass(cls, Configurable)}
    if not set(given) <= set(known):
        known.update((cls.__name__, cls) for cls in configurables())
    for name, section in given.items():
        if name not in known:
            raise _unknown(name, name, list(known))
        for trait in section:
            if not known[name].class_traits(config=True).get(trait) and name != "Application":
                raise _unknown(f"{name}.{trait}", trait, list(known[name].class_traits(config=True)))


def check_values(config: Config, command: type[Configurable]) -> None:
    """Refuse wrong values of the service's traits; imports them only where one is configured."""
    own = {cls.__name__ for cls in command.mro()} | {"JupyterApp", "Application"}
    if set(config) <= own:
        return
    from ..composition import check_configuration

    check_configuration(config)


def _unknown(what: str, slip: str, known: list[str]) -> InvalidArgument:
    near = get_close_matches(slip, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return InvalidArgument(f"There is no configurable `{what}`.{hint}", recovery="See `--help-all`.")
