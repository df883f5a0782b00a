"""Trust in exactly one certificate: the one that the server itself holds.

A Jupyter server that speaks https mostly has a certificate that it signed itself, or one for another name
than `localhost`. Its file is on this machine, so the client believes that very certificate and no
authority, and needs no host name.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from ..storage.regular import read_regular

_MAX_BYTES = 1024 * 1024
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def pinned(certfile: Path) -> ssl.SSLContext:
    """A context that accepts the first certificate of a PEM file and no other.

    Raises
    ------
    OSError
        The file cannot be read (`ssl.SSLError` is one too: it holds no certificate).

    """
    found = _PEM.search(read_regular(certfile, _MAX_BYTES).decode("ascii", "replace"))
    if not found:
        raise OSError(f"{certfile.name} holds no certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # The rest of a chain in the file is not trusted: an authority in it could vouch for others. The flag
    # lets a certificate that somebody else has signed be the end of the chain.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=found[0])
    return context
