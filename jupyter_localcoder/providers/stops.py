"""Stop strings, the same with every provider: some take four, some five, some take them and go on. Pure."""

from __future__ import annotations


class StopStrings:
    """Releases text only when it cannot be the beginning of a stop string any more."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.found = False
        """Whether one has come; what is fed after it is dropped."""

    def feed(self, text: str) -> str:
        """Take the next piece, and return the text that is certain now."""
        if self.found:
            return ""
        text = self._held + text
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        keep = max((_partial_stop_length(text, stop) for stop in self._stops), default=0)
        cut = len(text) - keep
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """Return what was held back and turned out to be text."""
        text, self._held = self._held, ""
        return text


def _partial_stop_length(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
