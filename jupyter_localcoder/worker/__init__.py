"""The inference worker: a process of its own, run with ``python -m jupyter_localcoder.worker``.

Nobody imports it. It speaks the frames of `contract.wire` and ends when its input does.

::

    __main__   private descriptors, signals, one `Loop`
    loop       one thread reads frames, one thread does the work
    session    from a request to its text: prompt, common prefix, prefill, decode, stop
    prompting  a request's prompt as token ids; ``chat`` and ``fill`` know the two kinds
    text       tokens' bytes into whole characters, stop strings held back
    engine     llama.cpp, and nothing but llama.cpp: the only importer of ``llama_cpp``
"""
