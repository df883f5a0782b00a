"""What the administrator's rules mean, and what a user's server believes of them."""

from __future__ import annotations

import datetime
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jupyter_localcoder.contract.policy import Policy
from jupyter_localcoder.errors import ConfigInvalid, ConnectionFailed, Disabled, PolicyInvalid
from jupyter_localcoder.hub.identity import Person
from jupyter_localcoder.hub.policies import Policies, public_text, read_rules, signing_key
from jupyter_localcoder.policy.document import opened, public_key, sealed
from jupyter_localcoder.policy.guard import FRESH_SECONDS, SignedPolicyGuard

NOON = datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.timezone.utc)
ADA = Person("ada", ("course-1",))
KEY = Ed25519PrivateKey.generate()


class Rules:
    """A file of rules at a time."""

    def __init__(self, folder: Path, *rules: dict[str, Any]) -> None:
        self.path = folder / "policy.json"
        self.now = NOON
        self.write(*rules)
        self.policies = Policies(self.path, KEY.sign, 3600, lambda: self.now, logging.getLogger("test"))

    def write(self, *rules: dict[str, Any]) -> None:
        self.path.write_text(json.dumps({"rules": rules}))
        # The clock of a file system may be coarse.
        self.stamp = getattr(self, "stamp", 10**9) + 10**9
        os.utime(self.path, ns=(self.stamp, self.stamp))


def test_off_holds_for_the_group_and_the_time(tmp_path: Path) -> None:
    rules = Rules(
        tmp_path,
        {
            "groups": ["course-1"],
            "from": "2026-12-01T13:00:00+01:00",
            "until": "2026-12-01T14:00:00+01:00",
            "mode": "off",
            "message": "This is the exam.",
        },
    )
    for hours, mode in ((-0.01, "full"), (0, "off"), (0.99, "off"), (1, "full")):
        rules.now = NOON + datetime.timedelta(hours=hours)
        assert rules.policies.of(ADA).mode == mode
    rules.now = NOON
    assert rules.policies.of(Person("bob", ("course-2",))).mode == "full"
    with pytest.raises(Disabled, match=r"This is the exam\."):
        rules.policies.require(ADA)


def test_all_rules_hold_together(tmp_path: Path) -> None:
    rules = Rules(
        tmp_path,
        {"groups": ["*"], "models": ["a", "b"]},
        {"groups": ["course-1"], "models": ["b", "c"], "history": False},
        {"users": ["bob"], "mode": "off"},
    )
    policy = rules.policies.of(ADA)
    assert (policy.mode, policy.models, policy.history) == ("full", ("b",), False)
    assert rules.policies.of(Person("bob")).mode == "off"
    assert rules.policies.of(Person("bob", kind="service")).mode == "full"


def test_a_changed_file_holds_at_once_and_a_damaged_or_lost_one_changes_nothing(tmp_path: Path) -> None:
    rules = Rules(tmp_path, {"groups": ["*"], "mode": "off"})
    assert rules.policies.of(ADA).mode == "off"
    rules.write({"groups": ["*"], "mode": "of"})
    assert rules.policies.of(ADA).mode == "off"
    rules.path.unlink()
    assert rules.policies.of(ADA).mode == "off"
    rules.write()
    assert rules.policies.of(ADA).mode == "full"


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"rules": [{"group": ["a"]}]}', '{"rules": [{"from": "2026-12-01T09:00:00"}]}',
     '{"rules": [{"mode": "hints"}]}'],
)  # fmt: skip
def test_rules_that_would_not_do_what_they_say_stop_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(ConfigInvalid, match=r"policy\.json"):
        read_rules(path)


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first = public_text(signing_key(path))
    assert public_text(signing_key(path)) == first
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("no key")
    with pytest.raises(ConfigInvalid):
        signing_key(path)


def policy(**changes: Any) -> Policy:
    return Policy(**{"user": "ada", "issued": 1000, "expires": 4600, **changes})


def believed(document: str, *, user: str = "ada", now: float = 2000, newest: int = 0) -> Policy:
    return opened(document, public_key(public_text(KEY)), user=user, now=now, newest=newest)


def test_a_policy_is_what_was_signed() -> None:
    signed = policy(mode="off", models=("a",), history=False, message="No ü.")
    assert believed(sealed(signed, KEY.sign)) == signed


def test_what_was_not_signed_by_the_hub_is_refused() -> None:
    document = sealed(policy(mode="off"), KEY.sign)
    payload, signature = document.split(".")
    other = sealed(policy(), KEY.sign).split(".")[0]
    forged = sealed(policy(), Ed25519PrivateKey.generate().sign)
    bare = sealed(policy(), lambda signed: KEY.sign(signed.partition(b"\n")[2]))
    for wrong in ("", "a", ".", "a.b.c", f"{other}.{signature}", f"{payload}.", forged, bare, document[:-9]):
        with pytest.raises(PolicyInvalid):
            believed(wrong)


def test_yesterdays_policy_and_that_of_another_user_are_refused() -> None:
    document = sealed(policy(), KEY.sign)
    for wrong in ({"now": 4600}, {"now": 100_000}, {"now": 0}, {"user": "bob"}, {"newest": 1001}):
        with pytest.raises(PolicyInvalid):
            believed(document, **wrong)
    assert believed(document, newest=1000)


class Hub:
    """The hub service, and a clock."""

    def __init__(self, answer: Policy | None) -> None:
        self.answer = answer
        self.asked = 0
        self.now = 2000.0

    async def fetch(self, newest: int) -> Policy:
        self.asked += 1
        if self.answer is None:
            raise ConnectionFailed("It is away.")
        return self.answer

    def guard(self, outage: Any = "off") -> SignedPolicyGuard:
        return SignedPolicyGuard(self.fetch, outage, wall=lambda: self.now, monotonic=lambda: self.now)


async def test_a_policy_is_asked_for_again_after_a_while() -> None:
    hub = Hub(policy())
    guard = hub.guard()
    await guard.require()
    hub.answer = policy(mode="off")
    await guard.require()
    assert hub.asked == 1
    hub.now += FRESH_SECONDS
    with pytest.raises(Disabled):
        await guard.require()


async def test_over_an_outage_the_last_policy_holds_until_it_expires() -> None:
    hub = Hub(policy())
    guard = hub.guard("off")
    await guard.require()
    hub.answer, hub.now = None, 4599.0
    assert await guard.require() == policy()
    state = await guard.state()
    assert state is not None
    assert state.problem == "It is away."
    hub.now = 4600.0
    with pytest.raises(Disabled, match="cannot be read"):
        await guard.require()
    hub.now += 100
    hub.answer = policy(expires=10_000)
    assert await guard.require()


async def test_without_any_policy_the_administrators_choice_holds() -> None:
    with pytest.raises(Disabled):
        await Hub(None).guard("off").require()
    assert await Hub(None).guard("full").require() is None
