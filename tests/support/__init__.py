"""What the tests share: models to run, workers that misbehave, servers that lie."""
