"""The policy of a hub: how it is signed, fetched and enforced. It knows no prompt and no provider.

The hub service signs a `Policy` for one user with an Ed25519 key. A user's server has the public key, from
its environment, and can check a policy, but not make one. With a shared secret (HMAC) each server that
checks a policy could also make one.
"""
