"""The types of providers that there are: the built-in ones, and those that installed packages add.

A package adds a type by an entry point of the group `jupyter_localcoder.providers`: its name is the type, its
value a `Kind`. A package that fails, that is slow, or whose name is taken costs one warning; nothing else
waits for it. A built-in type is never waited for.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import get_args

from ..contract.providers import PROVIDER_TYPE_PATTERN, FillMode, FormField
from ..errors import ValidationError
from ..text.plain_text import plain
from .address import parse_address
from .kinds import BUILT_IN, Kind

GROUP = "jupyter_localcoder.providers"
LOAD_SECONDS = 5.0
"""Time limit for importing the packages, from the start of the service. One that takes longer is available
when it has been imported."""

Warn = Callable[[str], object]


def _found() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


class InstalledKinds:
    """Imports the packages that add types, each in a thread. Usable from any thread.

    Parameters
    ----------
    find
        Returns the entry points.
    seconds
        Time limit for a lookup, from `load` on.
    """

    def __init__(
        self, find: Callable[[], Iterable[EntryPoint]] = _found, *, seconds: float = LOAD_SECONDS
    ) -> None:
        self._find = find
        self._seconds = seconds
        self._changed = threading.Condition()
        self._kinds: dict[str, Kind] = {}
        self._failed: dict[str, str] = {}
        self._late: set[str] = set()
        """Types of which a warning has said that they are slow."""
        self._loading: dict[str, str] | None = None
        """Types that are being imported, with their entry points; None before they have been looked up."""
        self._deadline = 0.0
        self._started = False
        self._warn: Warn = logging.getLogger("jupyter_localcoder").warning

    def load(self, warn: Warn | None = None) -> None:
        """Begin to import the packages, if that has not begun yet; returns at once.

        Parameters
        ----------
        warn
            Called with a sentence for each entry point that is not used, in any thread.
        """
        with self._changed:
            if self._started:
                return
            self._started = True
            self._warn = warn or self._warn
            self._deadline = time.monotonic() + self._seconds
        self._in_thread(self._load_entry_points)

    def get(self, type_: str) -> Kind | None:
        """The type of this name, or None. A type that is not built in is waited for."""
        if kind := BUILT_IN.get(type_):
            return kind
        self.load()
        self._wait(lambda: self._loading is not None and type_ not in self._loading)
        with self._changed:
            return self._kinds.get(type_)

    def all(self) -> dict[str, Kind]:
        """All types by name, the built-in ones first. Waits for the packages."""
        self.load()
        self._wait(lambda: self._loading == {})
        with self._changed:
            return {**BUILT_IN, **dict(sorted(self._kinds.items()))}

    def trouble(self, type_: str) -> str:
        """Why a type is not available, as a sentence; empty if no package has announced it."""
        with self._changed:
            if type_ in self._failed:
                return self._failed[type_]
            named = (self._loading or {}).get(type_)
        return f"The type {named} is still being loaded." if named else ""

    def _wait(self, ready: Callable[[], bool]) -> None:
        with self._changed:
            if self._changed.wait_for(ready, max(0.0, self._deadline - time.monotonic())):
                return
            loading = {"": "The list of them"} if self._loading is None else self._loading
            late = [named for type_, named in loading.items() if type_ not in self._late]
            self._late.update(loading)
        for named in late:
            self._warn(
                f"Provider types of installed packages: {named} was not loaded within {self._seconds:g} s. "
                "It becomes available when it is loaded."
            )

    def _load_entry_points(self) -> None:
        accepted: dict[str, EntryPoint] = {}
        try:
            found = sorted(self._find(), key=lambda each: (each.name, _package(each), each.value))
        except Exception as failure:  # a damaged environment
            self._warn(f"The provider types of installed packages cannot be listed: {_words(failure)}")
            found = []
        for entry in found:
            if not re.match(PROVIDER_TYPE_PATTERN, entry.name):
                self._refuse(entry, "A name consists of lowercase letters, digits and underscores.")
            elif entry.name in BUILT_IN:
                self._refuse(entry, "The name is taken by a built-in type.")
            elif entry.name in accepted:
                self._refuse(entry, f"The name is taken by {_named(accepted[entry.name])}.")
            else:
                accepted[entry.name] = entry
        with self._changed:
            self._loading = {name: _named(entry) for name, entry in accepted.items()}
            self._changed.notify_all()
        for entry in accepted.values():
            self._in_thread(self._import, entry)

    def _import(self, entry: EntryPoint) -> None:
        kind: Kind | None = None
        trouble = ""
        try:
            kind = _checked(entry.load())
        except BaseException as failure:  # also SystemExit: no package ends the server
            trouble = _words(failure)
        with self._changed:
            if kind is None:
                self._failed[entry.name] = f"The provider type {_named(entry)} is not used: {trouble}"
            else:
                self._kinds[entry.name] = kind
            if self._loading is not None:
                self._loading.pop(entry.name, None)
            self._changed.notify_all()
        if kind is None:
            self._refuse(entry, trouble)

    def _refuse(self, entry: EntryPoint, why: str) -> None:
        self._warn(f"The provider type {_named(entry)} is not used: {why}")

    @staticmethod
    def _in_thread(target: Callable[..., None], *args: object) -> None:
        threading.Thread(target=target, args=args, name="localcoder-provider-types", daemon=True).start()


INSTALLED = InstalledKinds()
"""Those of this process: what is installed is the same for all that runs in it."""


def is_installed(type_: str) -> bool:
    """Whether there is a type of this name. May block."""
    return INSTALLED.get(type_) is not None


def kind_of(type_: str) -> Kind:
    """The type of this name. May block for one that is not built in.

    Raises
    ------
    ValidationError
        There is none.
    """
    kind = INSTALLED.get(type_)
    if kind is None:
        trouble = INSTALLED.trouble(type_)
        raise ValidationError(
            f"`type`: there is no provider type `{type_}`. {trouble}".strip(),
            recovery=f"Use one of {', '.join(INSTALLED.all())}, or install the package that provides it.",
            field="type",
        )
    return kind


def _checked(value: object) -> Kind:
    """What an entry point holds, if a provider can be made of it.

    Raises
    ------
    TypeError, ValueError
    """
    if not isinstance(value, Kind):
        raise TypeError(f"it is a {type(value).__name__}, not a `Kind`.")
    if not isinstance(value.title, str) or not value.title.strip():
        raise ValueError("`title` is empty.")
    if not callable(value.make):
        raise TypeError("`make` is not a function.")
    if value.base_url:
        parse_address(value.base_url)
    for name, given, known in (
        ("fills", value.fills, get_args(FillMode)),
        ("form_fields", value.form_fields, get_args(FormField)),
    ):
        if not isinstance(given, tuple) or not set(given) <= set(known):
            raise ValueError(f"`{name}` must be a tuple of {', '.join(known)}.")
    for name in ("key_variables", "vendor_hosts"):
        given = getattr(value, name)
        if not isinstance(given, tuple) or not all(isinstance(each, str) for each in given):
            raise TypeError(f"`{name}` must be a tuple of strings.")
    if any(not host.strip(".") for host in value.vendor_hosts):
        raise ValueError("`vendor_hosts` contains an empty host.")
    return value


def _package(entry: EntryPoint) -> str:
    return str(entry.dist.name) if entry.dist is not None else "an unknown package"


def _named(entry: EntryPoint) -> str:
    return plain(f"`{entry.name}` of {_package(entry)}")


def _words(failure: BaseException) -> str:
    message = getattr(failure, "message", None) or str(failure)
    return plain(f"{type(failure).__name__}: {message}"[:300])
