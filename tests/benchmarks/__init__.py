"""How fast and how large the product is, in real processes and on real weights.

Run it from the root of the repository::

    python -m tests.benchmarks [NAMES…] [--model PATH_OR_ID] [--repeat N] [--json FILE]

Machines are noisy, so every figure that is held against something else is measured in turns with it (A B
B A A B …), in one run, and the answer is the median of the pairwise ratios or differences.

::

    __main__      the command line
    bench         what a bench is, what it is told, and the list of them
    figure        what a bench yields: samples, how they are summed up, a target
    report        figures as a table and as JSON
    machine       where it ran
    workspace     temporary folders with the model in them
    texts         prompts of a wanted length
    traces        keystrokes and cells of real notebooks
    server        a Jupyter server as a child process
    footprint     memory of a process
    peers/        what the product is held against
    stack, typing, editing, mixed, cold, cancel, startup, memory,
    estimate, recovery            one bench each

A new bench is one module with one function, `run(Setting) -> Iterator[Figure]`, and one line in `bench`.
"""
