"""What the transcripts of all agents hold, kept on disk: each byte is read once.

Facts only: counts, times, names of models. A transcript that has grown is read from where it was
left; one that was replaced is read anew; one that is gone leaves its sessions, marked as such.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import sys
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import problems, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Request, tally
from rad_lsp.core.transcript import Facts
from rad_lsp.sources import Skipped
from rad_lsp.store import snapshot
from rad_lsp.store.snapshot import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from rad_lsp.core.session import Child, Session
    from rad_lsp.core.spending import PriceList
    from rad_lsp.sources import Parser, Transcripts
    from rad_lsp.store.database import Database

CHUNK: Final = 1 << 20
"""Bytes read at a time."""

MAX_LINE: Final = 32 << 20
"""A longer line is skipped, and counted."""

MAX_WHOLE: Final = 64 << 20
"""A transcript that is not made of lines is not read when it has more bytes than this."""

_BATCH_BYTES: Final = 64 << 20
"""After so many bytes what was read is stored for good."""

_TAIL: Final = 64
"""Bytes before the place where reading stopped: when they change, the file is another one."""

_FEW: Final = 500
"""Up to so many, single look-ups are faster than going through a whole table."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class _File(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of the table of files: how far a transcript has been read."""

    id: int
    path: str
    size: int
    mtime: int
    inode: int
    offset: int
    tail: bytes
    state: bytes


_GONE: Final = -1
"""The size of a file that is no longer there."""


class Index:
    """The sessions of all agents' transcripts, priced by `price_list`.

    `price_key` changes when the prices may have: then all sessions are priced anew.
    """

    def __init__(self, database: Database, price_list: PriceList, price_key: str) -> None:
        self.database = database
        self._price_list = price_list
        self._price_key = price_key
        self._updates = 0

    def update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Read what is new in all transcripts, or only in `paths`.

        `progress` is told the number of files read so far. Only one process of this user does
        this at a time; others wait. Where the index can't be written it goes on in memory.
        """
        try:
            self._update(sources, paths, progress)
        except sqlite3.DatabaseError as error:
            self.database.recover(error)
            self._update(sources, None, progress)

    def entries(self, sources: Collection[str], folders: Sequence[str] | None) -> list[Entry]:
        """The sessions of the named sources that worked in one of the folders or below it.

        None stands for every folder of this machine.
        """
        if folders is None:
            found = self._entries("", ())
        else:
            within = " AND (cwd = ? OR (cwd >= ? AND cwd < ?))"
            found = (e for folder in folders for e in self._entries(within, _range(folder)))
        # The folders may be spellings of one, or lie within each other.
        return [*{(e.source, e.id): e for e in found if e.source in sources}.values()]

    def session(self, child: Child) -> Session | None:
        """One session, by its source and id; None when it is not known."""
        for entry in self._entries(
            " AND source = ? AND session_id = ?", (*msgspec.structs.astuple(child),)
        ):
            return entry.session
        return None

    def version(self) -> tuple[int, int]:
        """What changes when a session may have, here or by another process."""
        return self._updates, self.database.version()

    def problems(self, sources: Collection[str]) -> list[tuple[str, Problem]]:
        """The transcripts that could not be read, and why."""
        rows = self.database.connection.execute(
            "SELECT source, path, problem FROM file WHERE problem IS NOT NULL ORDER BY path"
        )
        return [(path, _to_problem(problem)) for source, path, problem in rows if source in sources]

    def skipped_lines(self) -> list[tuple[str, int, list[Skipped]]]:
        """Path, number of lines that could not be read, and the first few of them."""
        rows = self.database.connection.execute(
            "SELECT path, skipped, first_skipped FROM file WHERE skipped > 0 ORDER BY path"
        )
        return [(path, count, _to_skipped(first)) for path, count, first in rows]

    def rebuild(self) -> None:
        """Forget how far transcripts were read, so that the next update reads all of them.

        Sessions whose transcript is gone stay.
        """
        with self.database.writing() as db:
            db.execute("UPDATE file SET mtime = 0, offset = 0 WHERE size >= 0")
            db.execute("DELETE FROM report")

    def _entries(self, condition: str, values: tuple[str, ...]) -> Iterator[Entry]:
        query = (
            "SELECT source, session_id, path, last_activity, packed FROM session "
            "WHERE packed IS NOT NULL"
        )
        rows = self.database.connection.execute(query + condition, values)
        for source, session_id, path, last, packed in rows:
            folder, _, name = path.rpartition(os.sep)
            yield Entry(
                session_id,
                _EPOCH + timedelta(milliseconds=last),
                sys.intern(folder),
                name,
                packed,
                source=sys.intern(source),
            )

    def _update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        priced_by = self._priced_by()
        read = 0
        for source in sources:
            changed, gone = self._changes(source, paths)
            if not (changed or gone):
                continue
            self._updates += 1
            while changed:
                with self.database.writing() as db:
                    batch = _Batch(db, self._price_list, source)
                    # Another process may have been here while this one waited.
                    known = _files(db, source.name)
                    while changed and batch.bytes < _BATCH_BYTES:
                        path = changed.pop()
                        batch.read(path, known.get(path))
                        read += 1
                        if progress:
                            progress(read)
                    batch.finish()
            if gone:
                with self.database.writing() as db:
                    batch = _Batch(db, self._price_list, source)
                    batch.lose(gone)
                    batch.finish()
        if priced_by != self._price_key:
            if priced_by is not None:
                self._price_anew(sources)
            with self.database.writing() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('prices', ?)", (self._price_key,))

    def _changes(
        self, source: Transcripts, paths: Collection[str] | None
    ) -> tuple[list[str], list[int]]:
        """The files of a source that must be read, newest last, and the ids of those gone."""
        known = _files(self.database.connection, source.name)
        if paths is not None:
            mine = _below(source, paths)
            if all(path in known for path in mine):
                return [path for path in mine if _differs(path, known[path])], []
        changed: list[str] = []
        missing = dict(known)
        for path in source.paths():
            file = missing.pop(path, None)
            if file is None or _differs(path, file):
                changed.append(path)
        # What is new is read in the order of names, which is that of time for some agents.
        changed.sort(reverse=True)
        return changed, [file.id for file in missing.values() if file.size != _GONE]

    def _priced_by(self) -> str | None:
        """The key of the prices that the sessions have; None while there are no sessions."""
        select = "SELECT value FROM meta WHERE key = 'prices'"
        row = self.database.connection.execute(select).fetchone()
        return row and str(row[0])

    def _price_anew(self, sources: Sequence[Transcripts]) -> None:
        self._updates += 1
        for source in sources:
            with self.database.writing() as db:
                batch = _Batch(db, self._price_list, source)
                batch.touch_all()
                batch.finish()


class _Batch:
    """Files read within one transaction, and the sessions that this concerns."""

    def __init__(self, db: sqlite3.Connection, price_list: PriceList, source: Transcripts) -> None:
        self.bytes = 0
        self._db = db
        self._price_list = price_list
        self._source = source
        self._sessions: dict[str, int] = {}
        self._rules: dict[tuple[str, str, str], int] = {}
        self._keys: set[int] = set()
        self._dirty: set[int] = set()

    def read(self, path: str, known: _File | None) -> None:
        """Read what is new in a transcript."""
        try:
            descriptor = os.open(path, _OPEN_FLAGS)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._fail(path, known, error)
            return
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                self._read(path, known, descriptor, status)
        except OSError as error:
            self._fail(path, known, error)
        finally:
            os.close(descriptor)

    def lose(self, files: Iterable[int]) -> None:
        """These files are gone; what they said of their sessions stays."""
        for file in files:
            self._db.execute("UPDATE file SET size = ? WHERE id = ?", (_GONE, file))
            self._touch_sessions_of(file)

    def touch_all(self) -> None:
        """Every session of the source is put together anew."""
        rows = self._db.execute("SELECT id FROM session WHERE source = ?", (self._source.name,))
        self._dirty.update(row[0] for row in rows)

    def finish(self) -> None:
        """Put the sessions together that what was read belongs to."""
        self._settle_copies()
        self._put_together()

    def _read(
        self, path: str, known: _File | None, descriptor: int, status: os.stat_result
    ) -> None:
        by_line = self._source.by_line(path)
        resumed = (
            known is not None
            and by_line
            and 0 < known.offset <= status.st_size
            and known.inode == status.st_ino
            and _tail(descriptor, known.offset) == known.tail
        )
        if known is not None and not resumed:
            self._forget(known.id)
        parser = self._source.parser(path, known.state if known and resumed else None)
        offset = known.offset if known and resumed else 0
        file = self._file(path, known)
        os.lseek(descriptor, offset, os.SEEK_SET)
        if by_line:
            for lines, end in _pieces(descriptor, offset):
                parser.feed(lines)
                offset = end
                if len(parser.requests) > 20 * _FEW:
                    self._store_requests(file, parser)
        elif status.st_size <= MAX_WHOLE:
            data = _whole(descriptor)
            parser.feed(data)
            offset = len(data)
        self.bytes += offset
        self._store_requests(file, parser)
        for facts in parser.facts.values():
            session = self._session(facts.session_id)
            self._dirty.add(session)
            self._db.execute(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?)", (session, file, _to_bytes(facts))
            )
        self._db.execute(
            "UPDATE file SET size = ?, mtime = ?, inode = ?, offset = ?, tail = ?, state = ?, "
            "skipped = ?, first_skipped = ?, problem = NULL WHERE id = ?",
            (
                status.st_size,
                status.st_mtime_ns,
                status.st_ino,
                offset,
                _tail(descriptor, offset) if by_line else b"",
                parser.state() if by_line else b"",
                parser.skipped,
                _to_bytes(parser.first_skipped),
                file,
            ),
        )

    def _fail(self, path: str, known: _File | None, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        problem = Problem(problems.UNREADABLE, f"The transcript can't be read: {reason}")
        self._db.execute(
            "UPDATE file SET problem = ? WHERE id = ?",
            (_to_bytes(problem), self._file(path, known)),
        )

    def _file(self, path: str, known: _File | None) -> int:
        if known is not None:
            return known.id
        row = self._db.execute(
            "INSERT INTO file(source, path, size, mtime, inode, offset, tail, state, skipped, "
            "first_skipped) VALUES (?, ?, 0, 0, 0, 0, x'', x'', 0, x'90') RETURNING id",
            (self._source.name, path),
        ).fetchone()
        return int(row[0])

    def _session(self, session_id: str) -> int:
        found = self._sessions.get(session_id)
        if found is None:
            name = (self._source.name, session_id)
            select = "SELECT id FROM session WHERE source = ? AND session_id = ?"
            row = self._db.execute(select, name).fetchone()
            if row is None:
                insert = "INSERT INTO session(source, session_id) VALUES (?, ?) RETURNING id"
                row = self._db.execute(insert, name).fetchone()
            found = self._sessions[session_id] = int(row[0])
        return found

    def _rule(self, request: Request) -> int:
        rule = (request.model, request.engine, request.tier)
        found = self._rules.get(rule)
        if found is None:
            self._db.execute("INSERT OR IGNORE INTO rule(model, engine, tier) VALUES (?,?,?)", rule)
            select = "SELECT id FROM rule WHERE model = ? AND engine = ? AND tier = ?"
            found = self._rules[rule] = int(self._db.execute(select, rule).fetchone()[0])
        return found

    def _store_requests(self, file: int, parser: Parser) -> None:
        rows = []
        for seen in parser.requests.values():
            request = seen.request
            key = _hash(seen.key)
            self._keys.add(key)
            rows.append(
                (
                    key,
                    _hash(seen.variant) if seen.variant else 0,
                    file,
                    self._session(seen.session_id),
                    request.time,
                    self._rule(request),
                    request.requests,
                    request.input_tokens,
                    request.cache_read_tokens,
                    request.cache_write_5m_tokens,
                    request.cache_write_1h_tokens,
                    request.output_tokens,
                    request.cost,
                    seen.side,
                    seen.final,
                    seen.billed,
                )
            )
        parser.requests.clear()
        self._db.executemany(_UPSERT, rows)

    def _forget(self, file: int) -> None:
        """What a file said is no longer so."""
        self._touch_sessions_of(file)
        rows = self._db.execute(
            "DELETE FROM request WHERE file = ? AND session IN "
            "(SELECT session FROM part WHERE file = ?) RETURNING key",
            (file, file),
        )
        self._keys.update(row[0] for row in rows)
        self._db.execute("DELETE FROM part WHERE file = ?", (file,))

    def _touch_sessions_of(self, file: int) -> None:
        rows = self._db.execute("SELECT session FROM part WHERE file = ?", (file,))
        self._dirty.update(row[0] for row in rows)

    def _settle_copies(self) -> None:
        """Of the copies of a request let that one count which was made first.

        A copy that a sub-agent replays gives way to any other. Of copies with one time, the
        session counts that was left first: the other one went on from there.
        """
        copies = self._db.execute(
            "SELECT key, variant, file, session, time, side, counted FROM request WHERE key IN "
            f"({self._keys_with_copies()}) ORDER BY key"
        ).fetchall()
        ends: dict[tuple[int, int], int] = {}
        for _, group in groupby(copies, itemgetter(0)):
            rows = list(group)
            best: dict[int, tuple[Any, ...]] = {}
            has_own = any(not row[5] for row in rows)
            for row in rows:
                _, variant, file, session, time, side, _ = row
                if side and has_own:
                    continue
                rank = (time, self._end(session, file, ends), file)
                slot = 0 if side else variant
                if slot not in best or rank < best[slot][0]:
                    best[slot] = (rank, row)
            winners = {id(row) for _, row in best.values()}
            for row in rows:
                counts = id(row) in winners
                if counts != row[6]:
                    self._db.execute(
                        "UPDATE request SET counted = ? WHERE key = ? AND variant = ? AND file = ?",
                        (counts, *row[:3]),
                    )
                    self._dirty.add(row[3])

    def _keys_with_copies(self) -> str:
        """An expression for the keys, among those read, that more than one row has."""
        if len(self._keys) > _FEW:
            return "SELECT key FROM request GROUP BY key HAVING count(*) > 1"
        return ",".join(map(str, self._keys)) or "NULL"

    def _end(self, session: int, file: int, ends: dict[tuple[int, int], int]) -> int:
        """The last moment that a file tells of a session."""
        part = (session, file)
        if part not in ends:
            row = self._db.execute(
                "SELECT facts FROM part WHERE session = ? AND file = ?", part
            ).fetchone()
            ends[part] = _to_facts(row[0]).end if row else 0
        return ends[part]

    def _put_together(self) -> None:
        dirty = sorted(self._dirty)
        for start in range(0, len(dirty), _FEW):
            some = ",".join(map(str, dirty[start : start + _FEW]))
            parts: dict[int, list[tuple[str, int, int, bytes]]] = {}
            for session, *part in self._db.execute(
                "SELECT session, path, size, skipped, facts FROM part JOIN file ON id = file "
                f"WHERE session IN ({some}) ORDER BY session, path"
            ):
                parts.setdefault(session, []).append((*part,))
            requests = {
                session: list(rows)
                for session, rows in groupby(
                    self._db.execute(
                        "SELECT session, time, model, engine, tier, input, cache_read, "
                        "cache_write_5m, cache_write_1h, output, cost, requests, final, billed "
                        f"FROM request JOIN rule ON rule.id = rule WHERE session IN ({some}) "
                        "AND counted ORDER BY session"
                    ),
                    itemgetter(0),
                )
            }
            rows = []
            for session in dirty[start : start + _FEW]:
                if session in parts:
                    rows.append((*self._packed(parts[session], requests.get(session, [])), session))
                else:
                    self._db.execute("DELETE FROM session WHERE id = ?", (session,))
            self._db.executemany(
                "UPDATE session SET cwd = ?, path = ?, last_activity = ?, gone = ?, packed = ? "
                "WHERE id = ?",
                rows,
            )

    def _packed(
        self, parts: list[tuple[str, int, int, bytes]], rows: list[tuple[Any, ...]]
    ) -> tuple[str, str, int, bool, bytes | None]:
        """The columns of a session that its files and requests come to."""
        facts = [_to_facts(part[3]) for part in parts]
        gone = all(part[1] == _GONE for part in parts)
        if gone:
            facts[0].notes.append("The transcript has been deleted; these are its last figures")
        if skipped := sum(part[2] for part in parts):
            facts[0].notes.append(f"Lines of the transcript that can't be read: {skipped:,}")
        session_id = facts[0].session_id
        path = next((p[0] for p in parts if session_id in p[0].rpartition(os.sep)[2]), parts[0][0])
        billed = tally((_request(row) for row in rows if row[13]), self._price_list)
        unbilled = tally((_request(row) for row in rows if not row[13]), _NO_PRICES)
        spending = (*billed, *unbilled)
        session = transcript.session(
            self._source.name,
            path,
            facts,
            spending,
            unfinished=sum(row[11] for row in rows if not row[12]),
        )
        cwd = next((part.cwd for part in facts if part.cwd), "")
        last = max(part.end for part in facts)
        # A session of which nothing is known but its name is none.
        packed = snapshot.pack(session).packed if last else None
        return cwd, path, last, gone, packed


class _NoPrices:
    """Prices of requests of which too little was recorded to tell what they cost."""

    def price(self, *_: object) -> None:
        """None, always."""


_NO_PRICES: Final = _NoPrices()


def _request(row: tuple[Any, ...]) -> Request:
    return Request(
        time=row[1],
        model=row[2],
        engine=row[3],
        tier=row[4],
        input_tokens=row[5],
        cache_read_tokens=row[6],
        cache_write_5m_tokens=row[7],
        cache_write_1h_tokens=row[8],
        output_tokens=row[9],
        cost=row[10],
        requests=row[11],
    )


_UPSERT: Final = (
    "INSERT INTO request(key, variant, file, session, time, rule, requests, input, cache_read, "
    "cache_write_5m, cache_write_1h, output, cost, side, final, billed) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
    "time = min(time, excluded.time), "
    + ", ".join(
        f"{name} = iif(excluded.output >= output, excluded.{name}, {name})"
        for name in (
            "rule",
            "requests",
            "input",
            "cache_read",
            "cache_write_5m",
            "cache_write_1h",
            "output",
            "cost",
            "billed",
        )
    )
    + ", final = max(final, excluded.final)"
)


def _files(db: sqlite3.Connection, source: str) -> dict[str, _File]:
    return {
        row[1]: _File(*row)
        for row in db.execute(
            "SELECT id, path, size, mtime, inode, offset, tail, state FROM file WHERE source = ?",
            (source,),
        )
    }


def _differs(path: str, known: _File) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116  (a Path each would slow the scan)
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns, status.st_ino) != (
        known.size,
        known.mtime,
        known.inode,
    )


def _below(source: Transcripts, paths: Collection[str]) -> list[str]:
    folders = tuple(str(folder) + os.sep for folder in source.folders)
    return [path for path in paths if path.startswith(folders)]


def _range(folder: str) -> tuple[str, str, str]:
    """The values between which the folder itself and all folders below it are."""
    return folder, folder + os.sep, folder + chr(ord(os.sep) + 1)


def _pieces(descriptor: int, offset: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines, many at a time, and the place in the file where they end.

    What follows after the last line feed is not a line yet. Of a line that is too long only the
    beginning comes, so that it is counted.
    """
    rest = bytearray()
    too_long = False
    while chunk := os.read(descriptor, CHUNK):
        end = chunk.rfind(b"\n") + 1
        if not end:
            offset += len(chunk)
            if not too_long:
                rest += chunk
            if len(rest) > MAX_LINE:
                too_long = True
                del rest[_TAIL:]
            continue
        lines = bytes(rest) + chunk[:end]
        if too_long:
            lines = bytes(rest) + chunk[chunk.index(b"\n") : end]
            too_long = False
        yield lines, offset + end
        offset += len(chunk)
        rest = bytearray(chunk[end:])


def _whole(descriptor: int) -> bytes:
    data = bytearray()
    while chunk := os.read(descriptor, CHUNK):
        data += chunk
    return bytes(data)


def _tail(descriptor: int, offset: int) -> bytes:
    begin = max(0, offset - _TAIL)
    os.lseek(descriptor, begin, os.SEEK_SET)
    return os.read(descriptor, offset - begin)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


_to_bytes = msgspec.msgpack.Encoder().encode
_to_facts = msgspec.msgpack.Decoder(Facts).decode
_to_problem = msgspec.msgpack.Decoder(Problem).decode
_to_skipped = msgspec.msgpack.Decoder(list[Skipped]).decode
