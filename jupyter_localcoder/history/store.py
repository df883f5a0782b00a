"""The door to the history: keep, list, find, read, change and delete answers.

What holds, whenever a process or the machine is stopped: after the next `sweep` an answer is there as file
and row, or it is gone as both.

- *keep*: the file is written beside its place, to the disk; then, inside one transaction, it gets its name
  and its row. Stopped in between, the file has no row and is adopted. A power cut may take answers of the
  last seconds, whole: their names do not wait for the disk, which would take as long as all the rest.
- *delete*: inside one transaction the file is put out of sight and the row removed; then the file is removed.
  Stopped in between, the deletion is ended. Refused by the database, the file comes back.

Several processes may use one folder at the same time. Everything blocks, and may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from jupyter_core.paths import jupyter_data_dir
from traitlets import Float, Integer, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from ..contract import history
from ..contract.history import Response, ResponseInfo
from ..errors import (
    ConversationNotFound,
    DatabaseError,
    DiskFull,
    FileReadError,
    FileWriteError,
    InvalidArgument,
    PromptNotFound,
    ResponseNotFound,
    SourceFileNotFound,
)
from ..events import Listeners
from . import conversations, document, exporting, names, retention, rows, search, sweep
from .database import Database
from .folder import HistoryFolder
from .rows import Place

HISTORY_DIR_VARIABLE = "LOCALCODER_HISTORY_DIR"
_DELETE_CHUNK = 500


class Thread(NamedTuple):
    """The last turns of a conversation."""

    last: str
    """Id of the last one, also where its file is gone."""
    turns: tuple[Response, ...]
    """Oldest first."""
    omitted: int
    """How many there are before them."""


class HistoryStore(LoggingConfigurable):
    """Storage and retention of saved answers."""

    history_dir = Unicode(
        config=True,
        help="Folder of the history. Default: the environment variable LOCALCODER_HISTORY_DIR, or "
        "`localcoder/history` in Jupyter's data folder.",
    )
    keep_days = Float(
        0.0,
        min=0.0,
        config=True,
        help="Number of days after which answers are deleted. 0 keeps them forever.",
    )
    keep_count = Integer(
        0, min=0, config=True, help="Maximum number of answers; the oldest are deleted. 0 means no limit."
    )
    keep_megabytes = Float(
        0.0,
        min=0.0,
        config=True,
        help="Maximum total size of answers in megabytes; the oldest are deleted. 0 means no limit.",
    )
    busy_seconds = Float(
        30.0,
        min=0.0,
        config=True,
        help="Time in seconds to wait for another process that is writing the history.",
    )

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._clock = clock
        self.on_damage: Listeners[[str]] = Listeners()
        """Told the name under which a damaged database was set aside, in the thread that found it."""
        self._making = threading.Lock()
        self._made: tuple[HistoryFolder, Database] | None = None

    @validate("history_dir")
    def _history_dir_is_absolute(self, proposal: Any) -> str:
        value = str(Path(proposal["value"]).expanduser()) if proposal["value"] else ""
        if value and not Path(value).is_absolute():
            raise TraitError("history_dir must be an absolute path")
        return value

    @property
    def root(self) -> Path:
        """The folder."""
        named = self.history_dir or os.environ.get(HISTORY_DIR_VARIABLE, "").strip()
        return (
            Path(named).expanduser().absolute()
            if named
            else Path(jupyter_data_dir()) / "localcoder" / "history"
        )

    def now(self) -> str:
        """The time, as it stands in the history."""
        return retention.iso(self._clock())

    # Keeping

    def keep(self, response: Response) -> Response:
        """Keep an answer; gives it back as it was kept.

        Raises
        ------
        DiskFull, FileWriteError, DatabaseError
            Nothing was kept.
        """
        return self.keep_all([response])[0]

    def keep_all(self, responses: Sequence[Response]) -> list[Response]:
        """Keep several answers at once, or none of them: many together cost little more than one.

        Raises
        ------
        DiskFull, FileWriteError, DatabaseError
            Nothing was kept.
        """
        files, database = self._parts()
        batch = [_prepared(response) for response in responses]
        parts = files.prepare_all([(r.prompt_id, r.id, data) for r, data in batch])
        try:
            with database.writing() as db:
                for part, (response, data) in zip(parts, batch, strict=True):
                    files.publish(part, response.prompt_id, response.id)
                    rows.add(db, response, len(data))
                    conversations.take_turn(db, response)
        except BaseException:
            for part, (response, _) in zip(parts, batch, strict=True):
                files.discard(part)
                files.discard(files.file(response.prompt_id, response.id))
                files.remove_if_empty(files.prompt(response.prompt_id))
            raise
        return [response for response, _ in batch]

    def set_title(self, id_: str, title: str, source: history.TitleSource) -> ResponseInfo:
        """Give an answer another title, in its file and in its row.

        Raises
        ------
        ResponseNotFound, SourceFileNotFound, FileReadError, DiskFull, FileWriteError, DatabaseError
        """
        files, database = self._parts()
        response = msgspec.structs.replace(self.get(id_), title=document.clean(title), title_source=source)
        data = document.render(response)
        part = files.prepare(response.prompt_id, id_, data)
        try:
            with database.writing() as db:
                if not rows.set_title(db, id_, response.title, source):
                    raise ResponseNotFound
                files.publish(part, response.prompt_id, id_)
        except BaseException:
            files.discard(part)
            raise
        return _info(response)

    # Looking

    def page(self, prompt_id: str | None = None, limit: int = 100, offset: int = 0) -> history.ResponseList:
        """A page of answers, newest first, without those whose file is gone.

        Raises
        ------
        PromptNotFound
            Nothing was ever kept for this prompt, or all of it was deleted.
        DatabaseError
        """
        files, database = self._parts()
        while True:
            with database.reading() as db:
                total = rows.count(db, prompt_id)
                found = rows.page(db, prompt_id, limit, offset)
            gone = [each.id for each in found if files.is_gone(each.prompt_id, each.id)]
            # Somebody has deleted files: their rows would count, and the page would have holes.
            with contextlib.suppress(DatabaseError, DiskFull):
                if gone and sweep.forget(database, files, gone):
                    continue
            break
        if prompt_id is not None and not total:
            raise PromptNotFound
        here = tuple(each for each in found if files.is_there(each.prompt_id, each.id))
        unseen = len(found) - len(here)
        return history.ResponseList(responses=here, total=total - unseen, offset=offset)

    def get(self, id_: str) -> Response:
        """An answer, whole.

        Raises
        ------
        ResponseNotFound, SourceFileNotFound, FileReadError, DatabaseError
        """
        files, database = self._parts()
        with database.reading() as db:
            found = rows.find(db, id_)
        if found is None:
            raise ResponseNotFound(f"The history contains no answer {id_[:40]!r}.")
        response = self._read(files, found)
        if (response.title, response.title_source) != (found.title, found.title_source):
            # A change of the title was stopped between file and row, or somebody has edited the file.
            with contextlib.suppress(DatabaseError, DiskFull, FileWriteError), database.writing() as db:
                rows.set_title(db, id_, response.title, response.title_source)
        return response

    def search(self, words: str, limit: int = 50, offset: int = 0) -> history.ResponsesFound:
        """A page of the answers in which all the words occur, newest first, without those whose file is gone.

        Raises
        ------
        DatabaseError
        """
        files, database = self._parts()
        with database.reading() as db:
            found = search.find(db, words, limit + 1, offset)
        here = tuple(
            history.Found(response=each.response, excerpt=each.excerpt)
            for each in found[:limit]
            if files.is_there(each.response.prompt_id, each.response.id)
        )
        return history.ResponsesFound(found=here, more=len(found) > limit, offset=offset)

    def export(self, request: history.ResponseExportRequest) -> history.ResponsesExported:
        """Write a zip file.

        Raises
        ------
        ResponseNotFound, PromptNotFound, InvalidArgument, DiskFull, FileWriteError, DatabaseError
        """
        files, database = self._parts()
        if request.id is not None and request.prompt_id is not None:
            raise InvalidArgument("Give a response or a prompt, not both.", field="prompt_id")
        with database.reading() as db:
            if request.id is not None:
                found = rows.find(db, request.id)
                if found is None:
                    raise ResponseNotFound
                places = [Place(found.id, found.prompt_id)]
            else:
                places = rows.places(db, request.prompt_id)
        if request.prompt_id is not None and not places:
            raise PromptNotFound
        if request.path:
            target = Path(request.path).expanduser() if "\0" not in request.path else Path(request.path)
            path, count, size_bytes = exporting.write(files, places, target, self._clock())
            return history.ResponsesExported(count=count, size_bytes=size_bytes, path=str(path))
        content, count = exporting.carried(files, places)
        return history.ResponsesExported(count=count, size_bytes=len(content), path="", content=content)

    # Deleting

    def delete(self, id_: str) -> None:
        """Delete an answer.

        Raises
        ------
        ResponseNotFound, FileDeleteError, DatabaseError, DiskFull
            Nothing was deleted.
        """
        _, database = self._parts()
        with database.reading() as db:
            found = rows.find(db, id_)
        if found is None or not self._delete([Place(id_, found.prompt_id)]):
            raise ResponseNotFound(f"The history contains no answer {id_[:40]!r}.")

    def delete_all(self, prompt_id: str | None = None) -> int:
        """Delete the answers to one prompt, or all; how many there were.

        Raises
        ------
        PromptNotFound, FileDeleteError, DatabaseError, DiskFull
            What was deleted before it stays deleted.
        """
        _, database = self._parts()
        with database.reading() as db:
            places = rows.places(db, prompt_id)
        if prompt_id is not None and not places:
            raise PromptNotFound
        count = self._delete(places)
        if prompt_id is None and not self._count(database):
            database.tidy()
        return count

    def retain(self) -> int:
        """Delete what is too old or too much; how many answers that were.

        Raises
        ------
        FileDeleteError, DatabaseError, DiskFull
        """
        limits = retention.Retention(self.keep_days, self.keep_count, round(self.keep_megabytes * 1e6))
        if limits.keeps_all:
            return 0
        _, database = self._parts()
        with database.reading() as db:
            places = retention.too_many(db, limits, self._clock())
        return self._delete(places)

    def sweep(self, stopped: Callable[[], bool] = lambda: False) -> sweep.SweepResult:
        """Make files and rows agree; see `sweep`.

        Parameters
        ----------
        stopped
            Whether to give up, with what is done until then.

        Raises
        ------
        DatabaseError, DiskFull, FileReadError, FileWriteError
        """
        files, database = self._parts()
        files.make()
        return sweep.sweep(database, files, self.log, stopped)

    # Conversations

    def conversations(
        self, notebook: str | None = None, limit: int = 100, offset: int = 0
    ) -> history.ConversationList:
        """A page of conversations, the one that was last spoken in first.

        Raises
        ------
        DatabaseError
        """
        _, database = self._parts()
        with database.reading() as db:
            return history.ConversationList(
                conversations=tuple(conversations.page(db, notebook, limit, offset)),
                total=conversations.count(db, notebook),
                offset=offset,
            )

    def conversation(self, id_: str, turn: str | None = None) -> history.Conversation:
        """A conversation with its turns; those whose file is gone are left out.

        Parameters
        ----------
        turn
            Show the path through this one, to the newest turn after it.

        Raises
        ------
        ConversationNotFound, ResponseNotFound, FileReadError, DatabaseError
        """
        files, database = self._parts()
        with database.reading() as db:
            row, path = _path(db, id_, turn and conversations.through(db, turn))
            infos = [rows.find(db, place.id) for place in path]
            alternatives = conversations.alternatives(db, id_, path)
        return history.Conversation(
            info=conversations.info(row), turns=tuple(self._all(files, infos)), alternatives=alternatives
        )

    def thread(self, id_: str, turn: str | None = None, most: int = 1000) -> Thread:
        """The last turns of a conversation up to one of them, for who goes on from there.

        Parameters
        ----------
        turn
            The last of them. Default: the one that was answered last.
        most
            Read so many, and count the others.

        Raises
        ------
        ConversationNotFound, ResponseNotFound, FileReadError, DatabaseError
        """
        files, database = self._parts()
        with database.reading() as db:
            _, path = _path(db, id_, turn)
            infos = [rows.find(db, place.id) for place in path[max(0, len(path) - most) :]]
        return Thread(path[-1].id if path else "", tuple(self._all(files, infos)), len(path) - len(infos))

    def rename_conversation(self, id_: str, title: str) -> history.ConversationInfo:
        """Give a conversation another title.

        Raises
        ------
        ConversationNotFound, DatabaseError, DiskFull
        """
        _, database = self._parts()
        with database.writing() as db:
            _found(conversations.find(db, id_))
            conversations.rename(db, id_, document.clean(title))
            return conversations.info(_found(conversations.find(db, id_)))

    def branch(self, id_: str, response_id: str) -> history.ConversationInfo:
        """Begin a conversation that shares the turns up to this one.

        Raises
        ------
        ConversationNotFound, ResponseNotFound, DatabaseError, DiskFull
        """
        _, database = self._parts()
        new_id = names.new_id()
        with database.writing() as db:
            origin = _found(conversations.find(db, id_))
            turns = conversations.path(db, response_id)
            if not conversations.belongs(db, origin, turns):
                raise ResponseNotFound("The conversation does not contain this turn.")
            conversations.branch(db, new_id, origin, turns, self.now())
            return conversations.info(_found(conversations.find(db, new_id)))

    def move_notebooks(self, old: str, new: str) -> None:
        """Let the conversations of a notebook, or of those in a folder, follow it to its new path.

        Raises
        ------
        DatabaseError, DiskFull
        """
        _, database = self._parts()
        with database.writing() as db:
            conversations.move(db, old, new)

    def delete_conversation(self, id_: str) -> int:
        """Delete a conversation, with the turns that no other one shares; how many turns those were.

        Raises
        ------
        ConversationNotFound, FileDeleteError, DatabaseError, DiskFull
        """
        _, database = self._parts()
        with database.reading() as db:
            own = conversations.own_turns(db, _found(conversations.find(db, id_)))
        count = self._delete(own)
        with database.writing() as db:
            conversations.remove(db, id_)
        return count

    def close(self) -> None:
        """Let go of the database."""
        with self._making:
            if self._made is not None:
                self._made[1].close()

    # Parts

    def _parts(self) -> tuple[HistoryFolder, Database]:
        with self._making:
            if self._made is None or self._made[0].root != self.root:
                files = HistoryFolder(self.root)
                database = Database(files.database, busy_seconds=self.busy_seconds, on_damage=self._damaged)
                self._made = files, database
            return self._made

    def _damaged(self, aside: str) -> None:
        self.log.warning("The history database was damaged; it is kept as %s.", aside)
        self.on_damage.notify(aside)

    def _read(self, files: HistoryFolder, found: ResponseInfo) -> Response:
        data = files.read(found.prompt_id, found.id)
        try:
            response = document.parse(data)
        except document.NotAResponse as failure:
            raise FileReadError(f"The file of this answer cannot be parsed: {failure}.") from None
        # What the row says of the file's place counts, whatever the file says after somebody has edited it.
        return msgspec.structs.replace(
            response, id=found.id, prompt_id=found.prompt_id, parent_id=found.parent_id,
            conversation_id=found.conversation_id,
        )  # fmt: skip

    def _all(self, files: HistoryFolder, infos: Sequence[ResponseInfo | None]) -> Iterator[Response]:
        """Those whose files are there."""
        for info in infos:
            with contextlib.suppress(SourceFileNotFound):
                if info is not None:
                    yield self._read(files, info)

    def _count(self, database: Database) -> int:
        with database.reading() as db:
            return rows.count(db)

    def _delete(self, places: list[Place]) -> int:
        count = 0
        for start in range(0, len(places), _DELETE_CHUNK):
            count += self._delete_chunk(places[start : start + _DELETE_CHUNK])
        return count

    def _delete_chunk(self, places: list[Place]) -> int:
        files, database = self._parts()
        hidden: list[Place] = []
        count = 0
        try:
            with database.writing() as db:
                for place in places:
                    if files.hide(place.prompt_id, place.id):
                        hidden.append(place)
                    conversations.forget_turn(db, place.id)
                    count += rows.remove(db, [place.id])
        except BaseException:
            for place in hidden:
                files.unhide(place.prompt_id, place.id)
            raise
        for place in hidden:
            files.remove_hidden(place.prompt_id, place.id)
        return count


def _prepared(response: Response) -> tuple[Response, bytes]:
    """A response as its file gives it back, and that file."""
    response = rows.stored(msgspec.structs.replace(response, preview=rows.preview(response.prompt)))
    return response, document.render(response)


def _path(db: Any, id_: str, turn: str | None) -> tuple[Any, list[Place]]:
    """The row of a conversation, and the turns up to one of them, or to the last one."""
    row = _found(conversations.find(db, id_))
    if turn is None:
        return row, conversations.path(db, row["head"])
    path = conversations.path(db, turn)
    if not conversations.belongs(db, row, path):
        raise ResponseNotFound("The conversation does not contain this turn.")
    return row, path


def _found(row: Any) -> Any:
    if row is None:
        raise ConversationNotFound
    return row


def _info(response: Response) -> ResponseInfo:
    return ResponseInfo(**{name: getattr(response, name) for name in ResponseInfo.__struct_fields__})
