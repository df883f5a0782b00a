"""``titles …``: how titles are made, one module per subcommand."""
