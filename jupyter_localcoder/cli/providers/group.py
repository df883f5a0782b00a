"""``providers``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Providers(LocalCoderGroup):
    """List, add, test, activate and remove providers, and their keys."""

    usage = "providers COMMAND [options]"
    description = """Who answers: the embedded model, or a server that you add. A key is
    read from a prompt or from stdin, never from the command line, and is never shown."""
    subcommands = {
        "list": (lazy("providers.list.ProvidersList"), "List the providers, and where their keys are."),
        "add": (lazy("providers.add.ProvidersAdd"), "Add a provider, or change one."),
        "test": (lazy("providers.test.ProvidersTest"), "See whether a provider answers."),
        "activate": (lazy("providers.activate.ProvidersActivate"), "Let a provider answer from now on."),
        "rm": (lazy("providers.rm.ProvidersRm"), "Remove a provider, and its key."),
        "set-key": (lazy("providers.key.ProvidersSetKey"), "Keep the key of a provider."),
        "forget-key": (lazy("providers.key.ProvidersForgetKey"), "Forget the key of a provider."),
    }
    examples = """
jupyter localcoder providers add lab --type=ollama --model=qwen2.5-coder:7b
jupyter localcoder providers test lab
jupyter localcoder providers activate lab
"""
