"""What the product is held against, each with the same few verbs.

::

    base            `Peer`, `Speeds`
    bindings        the class `Llama` of llama-cpp-python, in a process of its own
    bindings_child  that process
    llama_server    a running `llama-server`
"""
