"""How a server proves that it made a token, before a client sends the token to it.

Any user of the machine can listen on the port of a server that has stopped, and would receive its requests.
Therefore a client first sends only a random number. The server answers with a
code that only a holder of the token can compute. Then, over the same connection, the client says who it is
and what it wants.

The code is valid for one number and for the address of the connection: a program on that port gains nothing
from asking the real server, which listens elsewhere. Pure, and shared by both sides.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from typing import Any

import msgspec

PATH = "localcoder/proof"
MOST_BYTES = 1024
"""Of an answer."""
PURPOSE = b"jupyter_localcoder: this server made the token (1)"
_CHALLENGE = re.compile(r"[0-9a-f]{64}\Z")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    proof: str


def challenge() -> str:
    """A random number: 32 bytes as hexadecimal digits."""
    return secrets.token_hex(32)


def is_challenge(text: str) -> bool:
    """Whether it has the form of a challenge; nothing else is answered."""
    return _CHALLENGE.match(text) is not None


def prove(token: str, challenge: str, address: str) -> Proof:
    """Compute the answer.

    Parameters
    ----------
    address
        Where the connection arrives, see `address`.

    Raises
    ------
    ValueError
        There is no token: everybody can compute a code with an empty one.

    """
    if not token:
        raise ValueError("without a token there is nothing to prove")
    message = b"\0".join((PURPOSE, challenge.encode(), address.encode()))
    return Proof(proof=hmac.new(token.encode("utf-8", "surrogatepass"), message, hashlib.sha256).hexdigest())


def read(answer: bytes) -> Proof | None:
    """The answer, if it is one."""
    try:
        return msgspec.json.decode(answer, type=Proof)
    except (ValueError, RecursionError):  # of msgspec and of UTF-8 too
        return None


def proves(given: Proof, token: str, challenge: str, address: str) -> bool:
    """Whether a response proves knowledge of the token; parameters as for `prove`."""
    if not token:
        return False
    wanted = prove(token, challenge, address)
    return hmac.compare_digest(given.proof.encode("utf-8", "surrogatepass"), wanted.proof.encode())


def address(name: Any, sock: str) -> str:
    """An end of a connection in the words that both sides use.

    Parameters
    ----------
    name
        What the socket says of the server's end.
    sock
        Path of the Unix socket, where it is one.

    """
    if not isinstance(name, tuple):
        return f"unix {sock}"
    host = ipaddress.ip_address(str(name[0]).partition("%")[0])
    return f"{getattr(host, 'ipv4_mapped', None) or host} {name[1]}"
