"""Numbers for people, as all front ends in Python write them."""

from ..text.units import duration, size

__all__ = ["duration", "size"]
