"""Prompts of a wanted length, always the same ones: made-up code that looks like code. Pure."""

from __future__ import annotations

_FUNCTION = '''
def column_{i}(rows, default={i}):
    """Collect field {i} of each row; rows without it count as the default."""
    values = [row.get("field_{i}", default) for row in rows]
    total = sum(value for value in values if value is not None)
    return total / len(values) if values else None
'''
_FUNCTION_TOKENS = 82
"""What one of them takes in the vocabulary of Qwen2.5; others differ by some percent."""


def code(tokens: int) -> str:
    """Python code of about so many tokens."""
    return "".join(_FUNCTION.format(i=i) for i in range(max(1, round(tokens / _FUNCTION_TOKENS))))
