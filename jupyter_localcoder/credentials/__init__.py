"""Keys of providers: where they are kept, and how they get out of there to one place, the request.

::

    secret         a key that no repr, log or traceback shows
    vault          what the places to keep keys have in common
    keyring_vault  the operating system's keyring
    file_vault     an encrypted file, whose own key lies beside it with mode 0600
    store          which place is used, and what the environment says

A key belongs to an origin (scheme, host and port): it is kept together with it, and given out for no other,
so that who can change an address cannot have the key sent there. Nothing in here knows HTTP or settings.
"""
