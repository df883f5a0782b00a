"""A signed policy: ``PAYLOAD.SIGNATURE``, both in URL-safe base64; the payload is JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from ..contract.policy import Policy
from ..errors import PackageMissing, PolicyInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_CHARS = 64 * 1024
SKEW_SECONDS = 120
"""How far the clocks of two machines may differ."""
_CONTEXT = b"jupyter_localcoder policy 1\n"
"""Signed with each payload, so that nothing else that the key has signed is a policy."""


def sealed(policy: Policy, sign: Callable[[bytes], bytes]) -> str:
    """Sign a policy."""
    payload = msgspec.json.encode(policy)
    return f"{encoded(payload)}.{encoded(sign(_CONTEXT + payload))}"


def opened(document: str, key: Ed25519PublicKey, *, user: str, now: float, newest: int) -> Policy:
    """Check a signed policy.

    Parameters
    ----------
    user
        The user for whom it must have been made.
    now
        Seconds since 1970.
    newest
        When the newest policy was issued that was seen before; an older one is refused.

    Raises
    ------
    PolicyInvalid
        It is not valid.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        payload, signature = (_bytes(part) for part in document[:MAX_CHARS].split("."))
        key.verify(signature, _CONTEXT + payload)
        policy = msgspec.json.decode(payload, type=Policy)
    except (ValueError, binascii.Error, msgspec.DecodeError, InvalidSignature):
        raise PolicyInvalid("The policy of the hub has no valid signature.") from None
    if policy.user != user:
        raise PolicyInvalid("The policy of the hub is for another user.")
    if policy.issued > now + SKEW_SECONDS:
        raise PolicyInvalid("The policy of the hub is from the future: check the clock of this machine.")
    if policy.expires <= now or policy.issued < newest:
        raise PolicyInvalid("The policy of the hub is out of date.")
    return policy


def public_key(text: str) -> Ed25519PublicKey:
    """Read a public key, 32 bytes in URL-safe base64.

    Raises
    ------
    PackageMissing
        The package `cryptography` is not installed.
    PolicyInvalid
        It is no key.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise PackageMissing.of("hub") from None
    try:
        return Ed25519PublicKey.from_public_bytes(_bytes(text))
    except (ValueError, binascii.Error):
        raise PolicyInvalid(
            "`LOCALCODER_POLICY_KEY` is not a public key.",
            recovery="Use the output of `python -m jupyter_localcoder.hub --show-policy-key`.",
        ) from None


def encoded(value: bytes) -> str:
    """Bytes in URL-safe base64 without padding, as keys and policies are written."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
