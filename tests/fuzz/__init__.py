"""Hostile headers of model files without end, through the bounded reader.

Run it from the root of the repository::

    python -m tests.fuzz [--seconds 60] [--guided | --random] [--first N]

Coverage leads where atheris is installed; elsewhere headers are damaged at random.

::

    __main__      the command line, and mutation at random
    trial         one input: read, or refused, and how long it took
    guided        mutation led by coverage, where atheris is installed
"""
