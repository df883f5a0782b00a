"""``config …``: the settings, one module per subcommand."""
