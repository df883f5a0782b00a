"""The contract: every operation and event, declared once as frozen typed structs.

``common``, ``backend``, ``models``, ``settings`` and ``generation`` hold the types, ``registry`` the
list of operations and events, ``wire`` the frames between the service and its worker process, and
``codec`` the decoding of untrusted bytes into requests. Nothing here does any I/O.
"""

__all__ = [
    "backend",
    "common",
    "generation",
    "history",
    "models",
    "notebook",
    "provenance",
    "providers",
    "queue",
    "registry",
    "settings",
]
