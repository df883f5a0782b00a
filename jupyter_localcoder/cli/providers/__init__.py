"""``providers …``: who writes the text, and their keys, one module per subcommand."""
