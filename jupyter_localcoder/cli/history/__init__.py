"""``history …``: the answers that were kept, one module per subcommand."""
