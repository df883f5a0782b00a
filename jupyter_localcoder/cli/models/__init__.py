"""``models …``: the models on this machine and in the catalogue, one module per subcommand."""
