"""How a kernel is asked what it knows, in each language that has a way.

`python` is source that is sent to a kernel, and not run here. Another language is a module here, and its
line in `of`.
"""

from __future__ import annotations

import inspect
from functools import cache

from ...contract.notebook import Probe
from . import python

_NO_PROBE = Probe(code="", expression="")


@cache
def of(language: str) -> Probe:
    """The probe of a language; an empty one where it has none."""
    return _python() if language.lower() == "python" else _NO_PROBE


def _python() -> Probe:
    # What is sent keeps its names in a dictionary of its own, and the user's stay as they are; nor does it
    # matter what the user has given the name of a built-in function.
    run = "(lambda b, names: (lambda own: (b.exec({source!r}, own), own['answer'](names))[1])({{}}))"
    with_names = "(__import__('builtins'), __import__('builtins').globals())"
    return Probe(code="pass", expression=run.format(source=inspect.getsource(python)) + with_names)
