"""One inference worker for each loaded model: what it loads, when it starts, what follows a failure."""
