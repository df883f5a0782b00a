"""The rules of the administrator, and the policy that follows from them for one user at one time.

The rules are in a JSON file, which is read again when it changes. All rules that concern a user at the time
hold together: the strictest mode, the models that all of them allow, a history only if all allow one.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta, Struct, field

from ..contract.policy import Policy, PolicyMode
from ..errors import ConfigInvalid
from ..policy.document import encoded, sealed
from ..policy.guard import turned_off
from ..storage.atomic import replace_file
from ..storage.regular import FileMark, mark_of, read_regular
from .identity import Person

EVERYBODY = "*"
_MAX_BYTES = 1024 * 1024
_Time = Annotated[datetime.datetime, Meta(tz=True)]


class PolicyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule."""

    groups: tuple[str, ...] = ()
    """Groups of the hub; `*` is everybody."""
    users: tuple[str, ...] = ()
    from_: _Time | None = field(default=None, name="from")
    """When it begins, with the time zone; null: always."""
    until: _Time | None = None
    """When it ends; null: never."""
    mode: PolicyMode = "full"
    models: tuple[str, ...] | None = None
    history: bool = True
    message: Annotated[str, Meta(max_length=500)] = ""

    def concerns(self, person: Person, now: datetime.datetime) -> bool:
        """Whether it holds for a person at a time."""
        if (self.from_ is not None and now < self.from_) or (self.until is not None and now >= self.until):
            return False
        named = person.kind == "user" and person.name in self.users
        return named or EVERYBODY in self.groups or any(group in self.groups for group in person.groups)


class RuleFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    rules: tuple[PolicyRule, ...]


class Policies:
    """Makes and signs policies.

    Parameters
    ----------
    path
        The file with the rules; None: everything is allowed.
    sign
        Signs bytes with the key of the service.
    keep_seconds
        For how long a policy stays valid while the service cannot be reached.
    """

    def __init__(
        self,
        path: Path | None,
        sign: Callable[[bytes], bytes],
        keep_seconds: int,
        now: Callable[[], datetime.datetime],
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._path = path
        self._sign = sign
        self._keep_seconds = keep_seconds
        self._now = now
        self._log = log
        self._seen: FileMark | None = None
        self._rules: Sequence[PolicyRule] = ()
        if path is not None:
            self._seen = mark_of(path)
            self._rules = read_rules(path)

    def of(self, person: Person) -> Policy:
        """The policy of a person now; blocks for the look at the file."""
        self._reload_if_changed()
        now = self._now()
        rules = [rule for rule in self._rules if rule.concerns(person, now)]
        lists = [rule.models for rule in rules if rule.models is not None]
        models = None if not lists else tuple(one for one in lists[0] if all(one in each for each in lists))
        strict = [rule for rule in rules if rule.mode == "off"] or rules
        issued = int(now.timestamp())
        return Policy(
            user=person.name,
            mode="off" if any(rule.mode == "off" for rule in rules) else "full",
            models=models,
            history=all(rule.history for rule in rules),
            message=" ".join(rule.message for rule in strict if rule.message),
            issued=issued,
            expires=issued + self._keep_seconds,
        )

    def signed(self, person: Person) -> str:
        """The same, signed."""
        return sealed(self.of(person), self._sign)

    def require(self, person: Person) -> Policy:
        """The policy of a person who wants text.

        Raises
        ------
        Disabled
            Nothing may be generated.
        """
        policy = self.of(person)
        if policy.mode == "off":
            raise turned_off(policy)
        return policy

    def _reload_if_changed(self) -> None:
        if self._path is None or (mark := mark_of(self._path)) == self._seen:
            return
        self._seen = mark
        try:
            self._rules = read_rules(self._path)
            self._log.info("The policy was read again: %d rules", len(self._rules))
        except ConfigInvalid as failure:
            self._log.error("%s The rules before the change stay active.", failure.message)


def read_rules(path: Path) -> Sequence[PolicyRule]:
    """Read the file with the rules.

    Raises
    ------
    ConfigInvalid
        It cannot be read, or a rule is not valid.
    """
    try:
        return msgspec.json.decode(read_regular(path, _MAX_BYTES), type=RuleFile).rules
    except (OSError, msgspec.DecodeError) as failure:
        raise ConfigInvalid(
            f"The policy file {path} is not valid: {failure}.",
            recovery="Correct it; docs/hub.md describes its fields.",
        ) from None


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key of the service; made at the first start, readable by its owner only.

    Raises
    ------
    ConfigInvalid
        The file is no key, or cannot be read or written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            key = Ed25519PrivateKey.generate()
            raw = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            replace_file(path, raw, mode=0o600)
        loaded = serialization.load_pem_private_key(read_regular(path, _MAX_BYTES), password=None)
        if isinstance(loaded, Ed25519PrivateKey):
            return loaded
        raise ValueError("it is a key of another kind")
    except (OSError, ValueError, TypeError) as failure:
        raise ConfigInvalid(
            f"The signing key {path} cannot be used: {failure}.",
            recovery="Correct its permissions, or remove it: the service then makes a new one, whose public "
            "key the servers need.",
        ) from None


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key, as the servers get it."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return encoded(raw)
