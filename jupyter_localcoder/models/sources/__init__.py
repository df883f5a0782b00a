"""Where a model's bytes come from: one module for each kind of source.

A source writes a part file and knows nothing of digests, catalogues or folders: what it delivers is
trusted only after the whole file has the digest of the catalogue.
"""
