"""``jupyter localcoder``: the list of commands."""

from __future__ import annotations

from .command import LocalCoderGroup, lazy


class LocalCoderRoot(LocalCoderGroup):
    """A coding assistant for Jupyter that runs wholly on your own machine."""

    usage = "COMMAND [options]"
    description = "A coding assistant for Jupyter that runs entirely on your own machine."
    subcommands = {
        "setup": (lazy("setup.Setup"), "Set up a first model step by step."),
        "models": (lazy("models.group.Models"), "List, download, import, export, delete and verify models."),
        "config": (lazy("config.group.ConfigGroup"), "Show and change settings."),
        "status": (lazy("status.Status"), "Show the status of the assistant."),
        "stats": (lazy("stats.Stats"), "Show or erase the counts of suggestions."),
        "load": (lazy("load.Load"), "Load a model in the running Jupyter server."),
        "unload": (lazy("load.Unload"), "Unload the model and free its memory."),
        "providers": (lazy("providers.group.Providers"), "Manage providers (other servers) and their keys."),
        "queue": (
            lazy("queue.group.Queue"),
            "Queue, list and cancel prompts on the running Jupyter server.",
        ),
        "history": (
            lazy("history.group.History"),
            "List, search, show, delete and export saved answers.",
        ),
        "titles": (lazy("titles.group.Titles"), "Show and change how titles are generated."),
        "explain": (lazy("explain.Explain"), "Explain the code in a file."),
        "improve": (lazy("improve.Improve"), "Improve the code in a file, as a diff or in place."),
        "fix": (lazy("improve.Fix"), "Fix the code in a file, as a diff or in place."),
        "document": (lazy("improve.Document"), "Add docstrings and comments to the code in a file."),
        "test": (lazy("ask.Test"), "Write tests for the code in a file."),
        "generate": (lazy("ask.Generate"), "Write code from a description."),
        "ask": (lazy("ask.Ask"), "Ask a single question."),
        "chat": (lazy("ask.Chat"), "Ask a question in a saved conversation."),
        "complete": (lazy("complete.Complete"), "Complete the code at a position in a file."),
        "clean": (
            lazy("clean.Clean"),
            "Remove code of other cells from the answer metadata.",
        ),
        "inspect": (lazy("inspect.Inspect"), "Print the prompt that the model read."),
        "doctor": (lazy("doctor.command.Doctor"), "Diagnose the installation and suggest fixes."),
    }
    examples = """
jupyter localcoder setup
jupyter localcoder models pull qwen2.5-coder-0.5b
jupyter localcoder explain analysis.py
"""
