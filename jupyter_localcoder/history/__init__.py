"""The history: answers that were kept, as Markdown files that a database lists and searches.

A file is the truth, its row in the database an index of it: the file is written first and holds all that
the row says, so a row can be made anew from its file, and never the other way round. ``store`` is the door to
this room, and says what holds after a crash. Nothing in here knows who asks or how text is generated.
"""

from .store import HistoryStore as HistoryStore
