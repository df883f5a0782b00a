"""Requests that wait for their turn: order, limits, time-outs, one end each. Knows no provider, no prompt."""
