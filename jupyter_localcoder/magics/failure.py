"""How a magic fails: visibly, so that a notebook run from top to bottom stops, and in one line.

The rule is the same for every magic: a `LocalCoderError` is raised as `MagicFailure`, an interrupt as
`Interrupted`, and IPython shows neither with a traceback, because the person did nothing wrong in Python.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import LocalCoderError
from ..text.plain_text import plain


class MagicFailure(Exception):
    """An operation failed; the sentence says why, and what can be done."""

    def __init__(self, error: LocalCoderError) -> None:
        self.code = error.code
        super().__init__(" ".join(plain(f"{error.message} {error.recovery} [{error.code}]").split()))

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Interrupted(KeyboardInterrupt):
    """The user interrupted the kernel; the request was cancelled, and the partial answer is kept."""

    def __init__(self) -> None:
        super().__init__("Cancelled. The partial answer is kept.")

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def shortly(action: Callable[[], None]) -> None:
    """Do something, and raise errors of the contract and interrupts as the short ones."""
    failure: BaseException
    try:
        action()
        return
    except LocalCoderError as error:
        failure = MagicFailure(error)
    except KeyboardInterrupt:
        failure = Interrupted()
    # Outside of the `except`: IPython keeps the last exception, and with it all that its context holds.
    raise failure
