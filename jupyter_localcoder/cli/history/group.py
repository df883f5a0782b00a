"""``history``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class History(LocalCoderGroup):
    """List, search, open, delete and export the answers that were kept."""

    usage = "history COMMAND [options]"
    description = """Manage the saved answers of commands, chats and queued prompts. They are
    stored on this machine as Markdown files. `config set history false` stops saving answers."""
    subcommands = {
        "list": (lazy("history.list.HistoryList"), "List the answers, newest first."),
        "search": (lazy("history.search.HistorySearch"), "Search answers."),
        "show": (lazy("history.show.HistoryShow"), "Print one answer."),
        "title": (lazy("history.title.HistoryTitle"), "Set a title, or generate one."),
        "delete": (lazy("history.delete.HistoryDelete"), "Delete answers."),
        "export": (lazy("history.export.HistoryExport"), "Export answers to a zip file."),
        "chats": (lazy("history.chats.HistoryChats"), "List the conversations."),
        "chat": (lazy("history.chats.HistoryChat"), "Print one conversation."),
    }
    examples = """
jupyter localcoder history search csv header
jupyter localcoder history show last
jupyter localcoder history export --out=answers.zip
"""
