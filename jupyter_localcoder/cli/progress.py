"""Progress of a download: a bar on a terminal, a line for each tenth in a pipe, nothing when quiet."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, Protocol

from ..text.plain_text import plain_line
from ..text.units import duration, size
from .console import Console

if TYPE_CHECKING:
    from tqdm import tqdm

    from ..models.store import TransferProgress
    from .command import LocalCoderCommand


class Show(Protocol):
    """Takes each report of a download."""

    def __call__(self, progress: TransferProgress) -> None:
        """Show it."""


@contextmanager
def shown(command: LocalCoderCommand, title: str) -> Generator[Show, None, None]:
    """The fitting way to show progress, cleaned up at the end of the ``with`` block."""
    console, title = command.console, plain_line(title)
    if command.quiet:
        yield lambda progress: None
    elif console.stderr.isatty():
        with _Bar(console, title) as bar, bar.above(logging.getLogger(command.log.name)):
            yield bar
    else:
        yield Lines(console, title)


class Lines:
    """One line for each tenth of the whole, and one for each change of state."""

    def __init__(self, console: Console, title: str) -> None:
        self.console = console
        self.title = title
        self._said: tuple[str, int] | None = None

    def __call__(self, progress: TransferProgress) -> None:
        """Print a line when there is news."""
        total = max(progress.total_bytes, 1)
        tenth = 10 * progress.received_bytes // total
        if (progress.state, tenth) == self._said:
            return
        fresh_state = self._said is None or self._said[0] != progress.state
        self._said = (progress.state, tenth)
        if progress.state != "downloading":
            if fresh_state:
                self.console.note(f"{self.title}: {progress.state}")
            return
        self.console.note(f"{self.title}: {10 * tenth} %, {_amount(progress)}{_slow_model_hint(progress)}")


class _Bar:
    """A bar with bytes, rate and the time that is left."""

    def __init__(self, console: Console, title: str) -> None:
        self.console = console
        self.title = title
        self._bar: tqdm[NoReturn] | None = None
        self._state = ""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *ended: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress: TransferProgress) -> None:
        """Draw it."""
        if self._bar is None or progress.state != self._state:
            # Fetching and verifying count the same bytes, each from the beginning.
            self.__exit__()
            self._state, self._bar = progress.state, self._begin(progress)
        bar = self._bar
        bar.total = progress.total_bytes or None
        bar.update(progress.received_bytes - bar.n)

    @contextmanager
    def above(self, log: logging.Logger) -> Generator[None, None, None]:
        """Give warnings a line of their own: the bar makes room, and is drawn again below."""

        def make_room(record: logging.LogRecord) -> bool:
            if self._bar is not None:
                self._bar.clear()
            return True

        handlers = list(log.handlers)
        for handler in handlers:
            handler.addFilter(make_room)
        try:
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(make_room)

    def _begin(self, progress: TransferProgress) -> tqdm[NoReturn]:
        from tqdm import tqdm

        return tqdm(
            desc=f"{self.title}: {progress.state}",
            # What an earlier pull left must not count as speed.
            initial=progress.received_bytes,
            total=progress.total_bytes or None,
            unit="B",
            unit_scale=True,
            dynamic_ncols=True,
            file=self.console.stderr,
            leave=True,
        )


def _amount(progress: TransferProgress) -> str:
    return f"{size(progress.received_bytes)} of {size(progress.total_bytes)}"


def _slow_model_hint(progress: TransferProgress) -> str:
    rate = progress.rate_bytes_per_second
    if rate <= 0:
        return ""
    left = max(progress.total_bytes - progress.received_bytes, 0) / rate
    return f", {size(rate)}/s, {duration(left)} left"
