"""A person who types notebooks, and what a completion saves that person.

::

    person      types a cell key by key in real time, looks at the ghost text, accepts what is right
    sides       who completes: the product, and `llama-server` as an editor plug-in asks it
    walk        a notebook from top to bottom, each cell run before the next one
    kernel      the real kernel that runs them
    tally       what was seen and saved, as counts

Each side has the same person, the same cells, the same kernel and the same weights. Everything happens in
real time: an answer that comes late is an answer that nobody sees.
"""
