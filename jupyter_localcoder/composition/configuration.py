"""Looks at configured values before anything starts: what is wrong, by the full name of the trait.

Traitlets says so when an object is made, which is at the first request, and seldom says what is allowed. It
knows no pairs of traits, and not what depends on the catalogue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Float, Integer, List, TraitError, TraitType, Unicode
from traitlets.config import Config, Configurable

from ..contract import codec
from ..contract.settings import SettingsUpdateRequest
from ..engine.supervisor import Supervisor
from ..engine.tuning import Tuning
from ..errors import ConfigInvalid, LocalCoderError, ValidationError
from ..generation.instructions import load as load_instructions
from ..models import catalogue
from ..models.store import ModelStore
from ..providers.configured import LocalCoderProviders
from ..service import Service
from ..settings import ENVIRONMENT_PREFIX, LocalCoderSettings

_SETTINGS = SettingsUpdateRequest.__struct_fields__
_LONGEST_VALUE = 100
_KEY = re.compile(r"""(["']?\w*key["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,}]+)""", re.IGNORECASE)
"""A key that somebody has put where none belongs."""


def check(classes: Sequence[type[Configurable]], config: Config, environment: Mapping[str, str]) -> None:
    """Refuse wrong values; a name that is no trait is left to traitlets, which warns of it.

    Raises
    ------
    ConfigInvalid
        The message says of each wrong value what it is and what is allowed; ``traits`` in the details names
        them.
    """
    found = dict(_faults(classes, config))
    found.update(_faults_of_settings(config, environment))
    found.update(_faults_of_providers(config))
    if not found:
        found.update(_faults_of_pairs(config))
        found.update(_faults_of_files(config, environment))
    if found:
        raise ConfigInvalid(" ".join(found.values()), traits=list(found))


def _faults(classes: Sequence[type[Configurable]], config: Config) -> Iterator[tuple[str, str]]:
    for cls in classes:
        traits = cls.class_traits(config=True)
        for name, value in config.get(cls.__name__, {}).items():
            if name in traits and (why := _why_not(cls, name, value)):
                full = f"{cls.__name__}.{name}"
                yield full, f"`{full}` cannot be {_shown(value)}: {why}."


def _why_not(cls: type[Configurable], name: str, value: Any) -> str:
    """What is wrong with a value; empty where nothing is."""
    try:
        taken = getattr(_loaded(cls, Config({cls.__name__: {name: value}})), name)
    except (TraitError, ValueError, TypeError) as failure:
        trait: TraitType[Any, Any] = cls.class_traits()[name]
        own = str(failure) if _is_own(cls, name) else ""
        return f"it must be {allowed(trait)}" if not own or "expected" in own.lower() else own.rstrip(".")
    if isinstance(taken, float) and not math.isfinite(taken):
        return "it must be a finite number"
    return ""


def _is_own(cls: type[Configurable], name: str) -> bool:
    """Whether the class itself looks at the value, and says more than its type."""
    return f"_valid_{name}" in vars(cls) or f"_{name}_is_absolute" in vars(cls)


def _loaded(cls: type[Configurable], config: Config) -> Any:
    """An object of the class that has read its configuration, and done nothing else."""
    probe = cls.__new__(cls)
    Configurable.__init__(probe, config=config)
    return probe


def allowed(trait: TraitType[Any, Any]) -> str:
    """What a trait takes, in words."""
    if isinstance(trait, Enum):
        text = "one of " + ", ".join(f"`{value}`" for value in trait.values or ())
    elif isinstance(trait, Bool):
        text = "True or False"
    elif isinstance(trait, Integer | Float):
        text = ("a whole number" if isinstance(trait, Integer) else "a number") + _range(trait)
    elif isinstance(trait, List):
        inner = getattr(trait, "_trait", None)
        text = "a list" + (f" of {allowed(inner)}" if inner is not None else "")
    elif isinstance(trait, Unicode):
        text = "a text"
    else:
        text = trait.info()
    return f"{text}, or None" if trait.allow_none else text


def _range(trait: Any) -> str:
    low, high = (
        bound if bound is not None and math.isfinite(bound) else None for bound in (trait.min, trait.max)
    )
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f", at least {low:g}"
    return f", at most {high:g}" if high is not None else ""


def _faults_of_settings(config: Config, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The settings' ranges are those of the contract: they can also be changed at run time."""
    section = LocalCoderSettings.__name__
    try:
        settings = _loaded(LocalCoderSettings, config)
    except (TraitError, ValueError, TypeError):
        return  # Told as the fault of a trait.
    configured = {name: getattr(settings, name) for name in config.get(section, {}) if name in _SETTINGS}
    for name, value in configured.items():
        if why := _why_no_setting(name, value, from_text=False):
            yield f"{section}.{name}", f"`{section}.{name}` cannot be {_shown(value)}: {why}"
    for name in _SETTINGS:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environment and (why := _why_no_setting(name, environment[variable], from_text=True)):
            text = _shown(environment[variable])
            yield variable, f"The environment variable {variable} cannot be {text}: {why}"


def _why_no_setting(name: str, value: Any, *, from_text: bool) -> str:
    try:
        codec.decode(SettingsUpdateRequest, {name: value}, from_text=from_text)
    except ValidationError as failure:
        return failure.message
    return ""


def _faults_of_providers(config: Config) -> Iterator[tuple[str, str]]:
    section = LocalCoderProviders.__name__
    if section not in config:
        return
    link_local = config.get("Service", {}).get("link_local_providers", False)
    try:
        traits = _loaded(LocalCoderProviders, config)
        traits.configured(link_local=str(link_local).lower() in ("true", "1"))
    except ValidationError as failure:
        field = str(failure.details["field"])
        name = f"{section}.{field}"
        # What stands in a definition is long, and may be a key that somebody has put there.
        value = "used" if field == "definitions" else _shown(getattr(traits, field))
        yield name, f"`{name}` cannot be {value}: {failure.message}"
    except (TraitError, ValueError, TypeError):
        return  # Told as the fault of a trait.


def _faults_of_pairs(config: Config) -> Iterator[tuple[str, str]]:
    supervisor, tuning = _loaded(Supervisor, config), _loaded(Tuning, config)
    first, most = supervisor.backoff_first_seconds, supervisor.backoff_max_seconds
    if first > most:
        name = "Supervisor.backoff_first_seconds"
        yield name, f"`{name}` ({first:g}) cannot be more than `Supervisor.backoff_max_seconds` ({most:g})."
    if tuning.flash_attention == "off" and tuning.cache_type != "f16":
        name = "Tuning.cache_type"
        yield name, f"`{name}` must be `f16` where `Tuning.flash_attention` is `off`."


def _faults_of_files(config: Config, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    store = _loaded(ModelStore, config)
    if "models_dir" in config.get("ModelStore", {}):
        name, folder = "ModelStore.models_dir", Path(store.models_dir).expanduser()
        if not store.models_dir.strip() or (folder.exists() and not folder.is_dir()):
            yield name, f"`{name}` cannot be {_shown(store.models_dir)}: it must be a folder."
    if instructions := _loaded(Service, config).instructions_dir:
        try:
            load_instructions(Path(instructions).expanduser())
        except ConfigInvalid as failure:
            name = "Service.instructions_dir"
            yield name, f"`{name}` cannot be {_shown(instructions)}: {failure.message}"
    try:
        known = catalogue.load(Path(store.catalogue_path).expanduser() if store.catalogue_path else None)
    except ValidationError as failure:
        yield "ModelStore.catalogue_path", f"`ModelStore.catalogue_path` cannot be used: {failure.message}"
        return
    yield from _faults_of_draft_model(config, known.entries)
    names = {"auto", *(name.lower() for name in known.profiles)}
    for name, profile in (
        ("LocalCoderSettings.profile", str(_loaded(LocalCoderSettings, config).profile)),
        (f"{ENVIRONMENT_PREFIX}PROFILE", environment.get(f"{ENVIRONMENT_PREFIX}PROFILE", "auto")),
    ):
        if profile.lower() not in names:
            choice = ", ".join(f"`{one}`" for one in ("auto", *known.profiles))
            yield name, f"`{name}` cannot be {_shown(profile)}: it must be one of {choice}."


def _faults_of_draft_model(config: Config, offered: Iterable[str]) -> Iterator[tuple[str, str]]:
    """One of the catalogue may be named before it is downloaded; what was imported is looked up."""
    name, value = "Tuning.draft_model", _loaded(Tuning, config).draft_model
    known = ["auto", "off", *offered]
    if value in ("", *known):
        return
    try:
        known += [info.id for info in ModelStore(config=config).infos(0) if info.id not in known]
    except LocalCoderError:
        return  # The models cannot be looked at now: that is told where they are needed.
    if value not in known:
        choice = ", ".join(f"`{one}`" for one in known)
        yield name, f"`{name}` cannot be {_shown(value)}: it must be one of {choice}."


def _shown(value: Any) -> str:
    """A value as a person has written it: from the command line it comes as text."""
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    text = _KEY.sub(r"\1…", text)
    return f"`{text[:_LONGEST_VALUE]}`"
