"""``python -m jupyter_localcoder.hub``."""

from .app import main

main()
