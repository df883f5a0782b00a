"""One model for many users: a service of a JupyterHub.

``python -m jupyter_localcoder.hub`` answers requests in OpenAI's format, which the provider
``openai_compatible`` sends. The hub says whose a request is (`identity`). `ledger` holds the limits,
`fair_queue` decides whose turn it is, `upstream` generates, `usage` and `metrics` count. Text passes through
and is never written anywhere: not to a log, a metric or a file.
"""
