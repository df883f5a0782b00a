"""One request for text from its start to its end: prompts, engine requests, runs."""
