"""``queue``: what waits and runs, and how to end it."""
