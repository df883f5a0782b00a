"""``providers``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Providers(LocalCoderGroup):
    """List, add, test, activate and remove providers, and their keys."""

    usage = "providers COMMAND [options]"
    description = """Manage providers: the embedded model, and servers that you add. A key is read
    from a prompt or from stdin, never from the command line, and is never shown."""
    subcommands = {
        "list": (lazy("providers.list.ProvidersList"), "List the providers and where their keys are stored."),
        "add": (lazy("providers.add.ProvidersAdd"), "Add or change a provider."),
        "test": (lazy("providers.test.ProvidersTest"), "Test the connection to a provider."),
        "activate": (lazy("providers.activate.ProvidersActivate"), "Activate a provider."),
        "rm": (lazy("providers.rm.ProvidersRm"), "Remove a provider and its key."),
        "set-key": (lazy("providers.key.ProvidersSetKey"), "Save the key of a provider."),
        "forget-key": (lazy("providers.key.ProvidersForgetKey"), "Delete the key of a provider."),
    }
    examples = """
jupyter localcoder providers add lab --type=ollama --model=qwen2.5-coder:7b
jupyter localcoder providers test lab
jupyter localcoder providers activate lab
"""
