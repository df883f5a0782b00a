"""``doctor``: what is found, what is missing, and what it means; one module per area."""
