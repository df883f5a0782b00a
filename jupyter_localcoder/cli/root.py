"""``jupyter localcoder``: the list of commands."""

from __future__ import annotations

from .command import LocalCoderGroup, lazy


class LocalCoderRoot(LocalCoderGroup):
    """A coding assistant for Jupyter that runs wholly on your own machine."""

    usage = "COMMAND [options]"
    description = "A coding assistant for Jupyter that runs wholly on your own machine."
    subcommands = {
        "setup": (lazy("setup.Setup"), "Set up a first model, step by step."),
        "models": (lazy("models.group.Models"), "List, fetch, import, export, remove and verify models."),
        "config": (lazy("config.group.ConfigGroup"), "Show and change the settings."),
        "status": (lazy("status.Status"), "Show what the assistant is doing."),
        "load": (lazy("load.Load"), "Load a model in the running Jupyter server."),
        "unload": (lazy("load.Unload"), "Free the memory that the loaded model takes."),
        "providers": (lazy("providers.group.Providers"), "Add other servers that answer, and their keys."),
        "queue": (
            lazy("queue.group.Queue"),
            "Queue prompts on the running Jupyter server; list and cancel them.",
        ),
        "history": (
            lazy("history.group.History"),
            "List, search, open, delete and export what was answered.",
        ),
        "titles": (lazy("titles.group.Titles"), "See and change how titles of answers are made."),
        "explain": (lazy("explain.Explain"), "Explain the code in a file."),
        "improve": (lazy("improve.Improve"), "Improve the code in a file, as a diff or in place."),
        "fix": (lazy("improve.Fix"), "Correct the code in a file, as a diff or in place."),
        "document": (lazy("improve.Document"), "Add docstrings and comments to the code in a file."),
        "test": (lazy("ask.Test"), "Write tests for the code in a file."),
        "generate": (lazy("ask.Generate"), "Write code from a description."),
        "ask": (lazy("ask.Ask"), "Ask anything, once."),
        "chat": (lazy("ask.Chat"), "Ask within a conversation that is remembered."),
        "complete": (lazy("complete.Complete"), "Complete the code at a place in a file."),
        "clean": (lazy("clean.Clean"), "Remove from notebooks what answers kept of other cells."),
        "inspect": (lazy("inspect.Inspect"), "Print what the model has read for an answer."),
        "doctor": (lazy("doctor.command.Doctor"), "Check what is found, what is missing, and what to do."),
    }
    examples = """
jupyter localcoder setup
jupyter localcoder models pull qwen2.5-coder-0.5b
jupyter localcoder explain analysis.py
"""
