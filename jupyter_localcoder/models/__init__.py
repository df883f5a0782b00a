"""Models: which there are, where they come from, whether they are whole, and whether they fit.

``store.ModelStore`` is the door: the rest of the product asks it. Everything here blocks and is
called in threads; nothing here knows of a worker, an event loop or HTTP handlers.
"""
