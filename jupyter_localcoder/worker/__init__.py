"""The inference worker: a process of its own, run with ``python -m jupyter_localcoder.worker``.

Nobody imports it. It speaks the frames of `contract.wire` and ends when its input does.

::

    __main__     private descriptors, signals, one `Loop`
    loop         one thread reads frames, one thread does the work
    scheduler    continuous batching: which requests share the next batch
    task         one request: what is to be read, what was written, how it ends
    cache        which sequence holds which tokens
    splice       the code after the cursor is moved, not computed again
    lookup       guesses from the prompt, verified in one batch
    prompting    a request's prompt as token ids; `chat` and `fill` know the two kinds
    templating   a process of its own, which renders chat templates and may die of them
    text         tokens' bytes into whole characters, stop strings held back
    costs        what a batch costs; `calibration` measures it
    keeping      what was computed outlives an unload
    model        the words that the engine and its callers share
    engine       llama.cpp, and nothing but llama.cpp: the only importer of ``llama_cpp``
"""
