"""A file that changed becomes rows: requests, tool calls, and facts of its sessions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.store import files, limits, seals, sessions, snapshot
from rad_lsp.store.files import File
from rad_lsp.store.index import Damaged, checksum, from_column, to_column
from rad_lsp.store.names import Names, as_text
from rad_lsp.store.rows import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from rad_lsp.core.spending import PriceList
    from rad_lsp.sources import Parser, Source

_MANY: Final = 2_000
"""Requests, tool calls and limits of one file that are kept in memory before they are stored."""


class _Known(msgspec.Struct, frozen=True, gc=False):
    """How far a file has been read; what else is known of it are its lines that can't be read."""

    id: int
    source: str
    path: str | bytes
    stamp: int = 0
    gone: int = 0
    size: int = 0
    inode: int = 0
    offset: int = 0
    tail: bytes = b""
    state: bytes = b""
    skipped: int = 0
    first_skipped: bytes | None = None
    problem: bytes | None = None


class Ingest:
    """Reads files of one source within one transaction.

    `changed` are the sessions that must be put together afterwards, and the keys of requests
    that there may be copies of; `bytes` is how much was read. Once it is `stopped`, a file is
    left where it is; the next reader goes on from there.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        source: Source,
        prices: PriceList,
        stopped: Callable[[], bool],
    ) -> None:
        self.bytes = 0
        self.changed = sessions.Changed(db)
        self.db = db
        self._source = source
        self._stopped = stopped
        self.names = Names(db)
        self._rows = Rows(db, source.name, prices, self.names, self.changed)
        self._numbers: dict[tuple[str, int], int] = {}
        self._keys: set[int] = set()
        self._forgotten = {
            session_id for (session_id,) in db.execute(_FORGOTTEN_IDS, (source.name,))
        }
        self._has_requests = db.execute("SELECT max(session) FROM request").fetchone() != (None,)
        self._next_session = _next_id(db, "session")
        self._next_file = _next_id(db, "file")

    def read(self, path: str) -> None:
        """Read what is new in a file."""
        known = self.known(path)
        if known is not None and self._is_forgotten(known.id):
            self._put_file(msgspec.structs.replace(known, stamp=files.stamp(path)))
            return
        by_line = self._source.by_line(path)
        try:
            with File(path) as file:
                # Another process may have read it while this one waited.
                if known and known.stamp == file.stamp:
                    return
                problem = self._source.refuses(path) or file.problem(whole=not by_line)
                if problem is None:
                    self._read(path, known, file, by_line=by_line)
                else:
                    self.explain(path, file.stamp, problem)
        except OSError as error:
            problem = files.problem_of(path, error)
            if problem is not None:
                self.explain(path, files.stamp(path), problem)

    def explain(self, path: str, stamp: int, problem: Problem) -> None:
        """A file can't be read. What a transcript said of its sessions stays."""
        known = self.known(path)
        if known is None:
            known = _Known(self.new_file(), self._source.name, to_column(path))
        elif not self._source.keeps_deleted:
            self._forget(known.id)
        self._touch(known.id)
        self._put_file(
            msgspec.structs.replace(
                known,
                stamp=stamp,
                gone=0,
                skipped=0,
                first_skipped=None,
                problem=_to_bytes(problem),
            )
        )

    def reprice(self) -> None:
        """Price all requests of the source anew: the price list has changed."""
        self._rows.flush()
        query = "SELECT id FROM session WHERE source = ? AND place = 0"
        for (number,) in self.db.execute(query, (self._source.name,)).fetchall():
            self.changed.touch(number)
        self._rows.reprice()

    def settle(self) -> None:
        """Put the sessions together that have changed. Raises Damaged."""
        self._rows.flush()
        sessions.settle(self.db, self._source.name, self.names, self.changed)

    def lose(self, path: str) -> None:
        """A file is gone. What a transcript said of its sessions stays."""
        known = self.known(path)
        if known is None:
            return
        self._rows.flush()
        self._touch(known.id)
        if self._source.keeps_deleted and not self._is_forgotten(known.id):
            self._put_file(msgspec.structs.replace(known, gone=1, stamp=0, problem=None))
            self._rows.flush()
        else:
            self._forget(known.id)
        self.db.execute(
            "DELETE FROM file WHERE id = ? AND NOT EXISTS (SELECT 1 FROM part WHERE file = ?)",
            (known.id, known.id),
        )

    def forget(self, session: int) -> None:
        """Keep nothing of a session, and never read it again.

        A file that tells only of forgotten sessions is known by its path, and no longer read; one
        that is gone is no longer known.
        """
        self._rows.flush()
        self.changed.touch(session)
        rows = self.db.execute(
            f"SELECT {seals.FILE} FROM part JOIN file ON id = file WHERE session = ?", (session,)
        )
        told = [_Known(*row) for row in rows.fetchall()]
        for known in told:
            self._touch_copies(session, known.id, None)
        keys = self.db.execute("SELECT key FROM request WHERE session = ?", (session,))
        self.changed.touch_keys([key for (key,) in keys])
        sessions.forget(self.db, session)
        for known in told:
            if not self._is_forgotten(known.id):
                continue
            limits.forget(self.db, known.id)
            path = from_column(known.path)
            if known.gone or files.is_gone(path):
                self.lose(path)
            else:
                self._put_file(_Known(known.id, known.source, known.path, known.stamp))
        self._rows.flush()

    def forget_again(self, session_id: str, path: str, *, is_report: bool) -> None:
        """Forget what an index before this one had forgotten, whether it has been read or not."""
        self._rows.flush()
        known = self.known(path)
        if known is None:
            known = _Known(self.new_file(), self._source.name, to_column(path))
            self._put_file(known)
            session = self.session(session_id, known.id if is_report else 0)
            self._put_part(session, known.id, 0, None)
            self._rows.flush()
        for session, name in self.db.execute(_SESSIONS_OF, (known.id,)).fetchall():
            if name == session_id:
                self.forget(session)

    def lost_file(self, columns: Iterable[Any]) -> int:
        """Store what another index has of a file that is gone; returns its number here."""
        number = self.new_file()
        known = _Known(*columns)
        # Where it comes back it is read from the beginning.
        lost = _Known(number, known.source, known.path, gone=1, skipped=known.skipped)
        self._put_file(msgspec.structs.replace(lost, first_skipped=known.first_skipped))
        return number

    def known(self, path: str) -> _Known | None:
        """How far a file has been read; None when it is not known. Raises Damaged."""
        place = (self._source.name, to_column(path))
        row = self.db.execute(
            f"SELECT {seals.FILE}, checksum FROM file WHERE source = ? AND path = ?", place
        ).fetchone()
        if row is None:
            return None
        found = _Known(*row[:-1])
        if not seals.is_whole(row) or (found.source, found.path) != place:
            raise Damaged("what is known of a file is not as it was stored")
        return found

    def _read(self, path: str, known: _Known | None, file: File, *, by_line: bool) -> None:
        number = self.new_file() if known is None or not by_line else known.id
        parser = self._resumed(path, known, file) if known and by_line else None
        begin = 0
        if known is not None and parser is not None:
            begin = known.offset
            self._go_on(known.id)
        else:
            parser = self._source.parser(path)
            if known is not None:
                self._forget(known.id)
        if known is not None and number != known.id:
            # By the other number it is told that the file was written anew.
            self.db.execute("DELETE FROM file WHERE id = ?", (known.id,))
        offset = begin
        goes_on = begin > 0
        try:
            for data, end in file.lines(begin) if by_line else file.whole():
                parser.feed(data)
                if len(parser.requests) + len(parser.tools) + len(parser.windows) > _MANY:
                    self._store(number, path, parser, file.written, goes_on=goes_on)
                    goes_on = True
                offset = end
                if by_line and self._stopped():
                    break
        except OSError:
            if known is None:
                self._forget(number)
            raise
        self.bytes += offset - begin
        # A file that is left half read has grown, for the next reader, by what is left of it.
        is_left = by_line and self._stopped() and offset < file.size
        state, seen = parser.state(), offset
        if by_line and not is_left and (line := file.last_line(offset)):
            # It counts, and is read once more when the file has grown: what it tells is replaced.
            parser.feed(line + b"\n")
            seen = file.size
        self._store(number, path, parser, file.written, goes_on=goes_on)
        skipped = parser.progress.skipped
        read = _Known(
            number,
            self._source.name,
            to_column(path),
            stamp=0 if is_left else file.stamp,
            size=offset if is_left else file.size,
            inode=file.inode,
            offset=offset,
            tail=file.tail(seen) if by_line else b"",
            state=state,
            skipped=skipped,
            first_skipped=_to_bytes(parser.progress.first_skipped) if skipped else None,
            problem=_to_bytes(parser.report) if isinstance(parser.report, Problem) else None,
        )
        self._put_file(self._kept(read))

    def _go_on(self, file: int) -> None:
        """The sessions of a file are found by it, whatever has happened to their names' order."""
        for session, name in self.db.execute(_SESSIONS_OF, (file,)).fetchall():
            self.changed.touch(session)
            self._numbers[name, 0] = session

    def _resumed(self, path: str, known: _Known, file: File) -> Parser | None:
        """A parser where reading stopped; None when the file is another one."""
        # A file that changed and has not grown was written anew.
        has_grown = known.size < file.size and 0 < known.offset <= file.size
        if not has_grown or known.inode != file.inode:
            return None
        # Or the last line counted without a line feed, and has one now.
        has_end = known.tail == file.tail(known.size) and file.ends_line(known.size)
        if known.tail != file.tail(known.offset) and not has_end:
            return None
        try:
            return self._source.parser(path, known.state)
        except msgspec.MsgspecError:
            return None

    def _put_file(self, now: _Known) -> None:
        columns = msgspec.structs.astuple(now)
        self._rows.put(PUT_FILE, (*columns, checksum(*columns)))

    def _store(self, file: int, path: str, parser: Parser, written: int, *, goes_on: bool) -> None:
        """Store what a parser has, and let go of its requests and tool calls.

        `written` is when the file was, in nanoseconds since the epoch. `goes_on` tells that
        something of the file is stored already.
        """
        if goes_on:
            self._rows.flush()
        self._leave_out_forgotten(file, parser)
        report = parser.report
        if isinstance(report, Session):
            report = msgspec.structs.replace(report, written=written)
            numbers = {report.id: self.session(report.id, file)}
            self._put_part(
                numbers[report.id], file, snapshot.microseconds(report.generated_at), b""
            )
            # <workspace>/.radium/_internals/sessions/<id>.json
            folder = as_text(path.rsplit(os.sep, 4)[0])
            for statement, rows in sessions.report_rows(
                self.names, numbers[report.id], file, report, folder
            ):
                self._rows.put(statement, *rows)
        else:
            told = {record.session_id for record in parser.requests.values()}
            told |= {tool.session_id for tool in parser.tools.values() if tool}
            numbers = {session_id: self.session(session_id) for session_id in told}
            for session_id in told - parser.facts.keys():
                self._put_part(numbers[session_id], file, 0, None)
            for session_id, facts in parser.facts.items():
                number = numbers[session_id] = self.session(session_id)
                if goes_on:
                    self._touch_copies(number, file, facts.end)
                self._put_part(number, file, facts.end, _to_bytes(facts))
        self._check_path(file, path, set(numbers.values()) - self.changed.added)
        records = parser.requests.values()
        for key in self._rows.put_requests(file, numbers, records, goes_on=goes_on):
            # In an index without requests, only those that come twice have copies.
            if self._has_requests or key in self._keys:
                self.changed.keys.add(key)
            self._keys.add(key)
        self._rows.put_tools(file, numbers, parser.tools)
        self._rows.put(limits.PUT, *(limits.row(file, one) for one in parser.windows.values()))
        parser.requests.clear()
        parser.tools.clear()
        parser.windows.clear()

    def _check_path(self, file: int, path: str, known: set[int]) -> None:
        """Another file that tells of these sessions has another path. Raises Damaged."""
        for session in known:
            place = (session, file, self._source.name, to_column(path))
            if self.db.execute(_TOLD_BEFORE, place).fetchone():
                raise Damaged("a file that was read is not found by its path")

    def _put_part(self, session: int, file: int, last: int, facts: bytes | None) -> None:
        otherwise = "IGNORE" if facts is None else "REPLACE"
        statement = f"INSERT OR {otherwise} INTO part VALUES (?, ?, ?, ?, 1, 0)"
        self._rows.put(statement, (session, file, last, facts))

    def _forget(self, file: int) -> None:
        """What a file said is no longer so."""
        self._rows.flush()
        limits.forget(self.db, file)
        for session in self._touch(file):
            place = (session, file)
            self._touch_copies(*place, None)
            keys = self.db.execute(_KEYS, place)
            self.changed.touch_keys([key for (key,) in keys])
            self.db.execute("DELETE FROM request WHERE session = ? AND file = ?", place)
            self.db.execute("DELETE FROM tool WHERE session = ? AND file = ?", place)
            self.db.execute("DELETE FROM part WHERE session = ? AND file = ?", place)
            self.db.execute("DELETE FROM child WHERE owner = ?", (session,))

    def _leave_out_forgotten(self, file: int, parser: Parser) -> None:
        """Let go of what a parser has of forgotten sessions; only that it told of them is kept."""
        if not self._forgotten:
            return
        requests, tools = parser.requests, parser.tools
        told = parser.facts.keys() | {record.session_id for record in requests.values()}
        told |= {tool.session_id for tool in tools.values() if tool}
        for session_id in self._forgotten & told:
            self._put_part(self.session(session_id), file, 0, None)
            parser.facts.pop(session_id, None)
        gone = self._forgotten
        for key in [key for key, one in requests.items() if one.session_id in gone]:
            del requests[key]
        for number in [number for number, one in tools.items() if one and one.session_id in gone]:
            del tools[number]

    def _kept(self, known: _Known) -> _Known:
        """What is kept of a file: no more than that it was read, where all was forgotten."""
        if self._forgotten:
            self._rows.flush()
            if self._is_forgotten(known.id):
                return _Known(known.id, known.source, known.path, known.stamp)
        return known

    def _is_forgotten(self, file: int) -> bool:
        """Whether a file tells of sessions that were forgotten, and of no others."""
        (all_are,) = self.db.execute(_ALL_FORGOTTEN, (file,)).fetchone()
        return bool(all_are)

    def _touch(self, file: int) -> list[int]:
        """The sessions of a file must be put together."""
        rows = self.db.execute("SELECT session FROM part WHERE file = ?", (file,))
        found = [session for (session,) in rows]
        for session in found:
            self.changed.touch(session)
        return found

    def _touch_copies(self, session: int, file: int, last: int | None) -> None:
        """Which copies count may change: the session ends later, or its file is forgotten."""
        rows = self.db.execute(
            "SELECT key FROM request JOIN part USING (session, file) "
            "WHERE session = ? AND file = ? AND copied AND last IS NOT ?",
            (session, file, last),
        )
        self.changed.keys.update([key for (key,) in rows])

    def session(self, session_id: str, place: int = 0) -> int:
        """The number of a session that changes, which is added where it is not known."""
        name = (session_id, place)
        number = self._numbers.get(name)
        if number is None:
            row = self.db.execute(
                "SELECT id FROM session WHERE source = ? AND session_id = ? AND place = ?",
                (self._source.name, *name),
            ).fetchone()
            if row is None:
                number = self._next_session
                self._next_session += 1
                self._rows.put(_NEW_SESSION, (number, self._source.name, *name))
                self.changed.add(number)
            else:
                (number,) = row
                self.changed.touch(number)
            if not place:
                self._numbers[name] = number
        return number

    def new_file(self) -> int:
        """A number for a file that is not known."""
        self._next_file += 1
        return self._next_file - 1


PUT_FILE: Final = f"INSERT OR REPLACE INTO file VALUES ({'?,' * 13}?)"
_KEYS: Final = "SELECT key FROM request WHERE session = ? AND file = ?"
_SESSIONS_OF: Final = (
    "SELECT id, session_id FROM part JOIN session ON id = session WHERE part.file = ?"
)
_ALL_FORGOTTEN: Final = (
    f"SELECT min({sessions.FORGOTTEN}) FROM part CROSS JOIN session ON id = session "
    "WHERE part.file = ?"
)
_FORGOTTEN_IDS: Final = (
    "SELECT session_id FROM session INDEXED BY session_cwd "
    f"WHERE {sessions.FORGOTTEN} AND source = ? AND place = 0"
)
# Plus keeps SQLite from looking for the path by the order that is in doubt.
_TOLD_BEFORE: Final = (
    "SELECT 1 FROM part CROSS JOIN file ON file.id = part.file "
    "WHERE session = ? AND file.id <> ? AND +file.source = ? AND +file.path = ?"
)
_NEW_SESSION: Final = (
    "INSERT OR IGNORE INTO session(id, source, session_id, place) VALUES (?, ?, ?, ?)"
)


def _next_id(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]) + 1


_to_bytes = msgspec.msgpack.Encoder().encode
