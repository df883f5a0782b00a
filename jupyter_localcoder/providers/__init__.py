"""Providers: who writes the text, behind one small interface.

``base`` holds the interface and what passes through it. A module that speaks to one kind of server is
imported when a provider of that kind is first used, so that this package costs nothing until then. Nothing
in here knows settings, keyrings, queues or HTTP servers: addresses and keys are handed in.
"""
