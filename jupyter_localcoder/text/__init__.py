"""Text that models, files and people write, read and made safe to show. Pure."""
