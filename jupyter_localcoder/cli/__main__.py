"""``python -m jupyter_localcoder.cli``: the same as ``jupyter localcoder``."""

from . import main

main()
