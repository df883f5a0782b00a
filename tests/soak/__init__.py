"""Many people at one Jupyter server, for minutes: does it stay quick, small and right?

Run it from the root of the repository::

    python -m tests.soak [--minutes 10] [--clients 50] [--seed 0]

::

    __main__      the command line: a server, the crowd, the probes, the table
    crowd         the websocket clients, in a process of their own
    people        what one client does: a random mix of operations, some of them given up
    channel       one websocket
    probes        time of a ping and of a contents request, memory, descriptors
    verdict       limits, percentiles, the slope of the memory; pure
"""
