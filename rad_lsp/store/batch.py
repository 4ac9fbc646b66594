"""Transcripts read within one transaction, and the sessions that this puts together."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import stat
import zlib
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from rad_lsp.core import problems, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Request, tally
from rad_lsp.core.transcript import Facts
from rad_lsp.store import snapshot
from rad_lsp.store.database import decoded, from_column, to_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.core.spending import PriceList
    from rad_lsp.sources import Parser, Transcripts

CHUNK: Final = 1 << 20
"""Bytes read at a time."""

MAX_LINE: Final = 32 << 20
"""A longer line is skipped, and counted."""

MAX_WHOLE: Final = 64 << 20
"""A transcript that is not made of lines is not read when it has more bytes than this."""

GONE: Final = -1
"""The size of a file that is no longer there."""

_TAIL: Final = 1 << 10
"""Bytes before the place where reading stopped: when they change, the file is another one."""

_BEGINNING: Final = 64
"""Bytes of a line that is too long that are kept."""

_FEW: Final = 500
"""Up to so many, single look-ups are faster than going through a whole table."""

_MANY_REQUESTS: Final = 10_000
"""Requests of one file that are kept in memory before they are stored."""

_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


Stamp: TypeAlias = tuple[int, int, int]
"""Of a file: its size, a number that changes with its times, and its number on disk."""

_NO_STAMP: Final[Stamp] = (0, 0, 0)
_LARGEST: Final = 2**63 - 1


def stamp(path: str) -> Stamp:
    """What changes when a file does; the same for all that can't be looked at."""
    try:
        return _stamp(os.stat(path))  # noqa: PTH116  (a Path each would slow the scan)
    except OSError:
        return _NO_STAMP


def _stamp(status: os.stat_result) -> Stamp:
    # The time of the last change of its permissions counts, too: it may be readable now.
    times = hash((status.st_mtime_ns, status.st_ctime_ns))
    return status.st_size, times, status.st_ino & _LARGEST


class _File(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of the table of files: how far a transcript has been read."""

    id: int
    size: int
    changed: int
    inode: int
    offset: int
    tail: bytes
    state: bytes

    @property
    def stamp(self) -> Stamp:
        """The file's when it was read."""
        return self.size, self.changed, self.inode


class _Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one file says of a session."""

    path: str
    size: int
    skipped: int
    facts: Facts


class _Counted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A request of a session that counts."""

    request: Request
    final: bool
    billed: bool


class Batch:
    """Files of one agent that are read within one transaction."""

    def __init__(self, db: sqlite3.Connection, price_list: PriceList, source: Transcripts) -> None:
        self.bytes = 0
        self._db = db
        self._price_list = price_list
        self._source = source
        select = "SELECT session_id, id FROM session WHERE source = ?"
        self._sessions: dict[str, int] = dict(db.execute(select, (source.name,)).fetchall())
        self._next_session = _next_id(db, "session")
        self._next_file = _next_id(db, "file")
        self._rules: dict[tuple[str, str, str], int] = {}
        self._keys: set[int] = set()
        self._dirty: set[int] = set()
        # Sessions of which nothing was known before: what they are put together from is at hand.
        self._new: dict[int, tuple[list[_Part], list[_Counted]]] = {}
        self._session_rows: list[tuple[int, str, str]] = []
        self._file_rows: list[tuple[Any, ...]] = []
        self._part_rows: list[tuple[int, int, bytes]] = []
        self._request_rows: list[tuple[Any, ...]] = []

    def read(self, path: str) -> None:
        """Read what is new in a transcript."""
        known = self._known(path)
        file = self._number(known)
        try:
            descriptor = os.open(path, _OPEN_FLAGS)
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail(path, file, known, error)
            return
        try:
            status = os.fstat(descriptor)
            # Another process may have read it while this one waited.
            if stat.S_ISREG(status.st_mode) and not (known and known.stamp == _stamp(status)):
                self._read(path, file, known, descriptor, status)
        except OSError as error:
            self._fail(path, file, known, error)
        finally:
            os.close(descriptor)

    def lose(self, paths: Iterable[str]) -> None:
        """These files are gone; what they said of their sessions stays."""
        for path in paths:
            known = self._known(path)
            if known is None:
                continue
            try:
                os.stat(path)  # noqa: PTH116  (as everywhere here, paths are text)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                self._fail(path, known.id, known, error)
                continue
            update = "UPDATE file SET size = ?, problem = NULL WHERE id = ?"
            self._db.execute(update, (GONE, known.id))
            delete = "DELETE FROM file WHERE id = ? AND id NOT IN (SELECT file FROM part)"
            self._db.execute(delete, (known.id,))
            self._touch_sessions_of(known.id)

    def take_over(self, earlier: sqlite3.Connection) -> None:
        """Keep what another index tells of files that this one does not know: they are gone."""
        name = self._source.name
        for number, column in _rows(earlier, _EARLIER_FILES, name):
            path = from_column(column)
            if self._known(path) is not None:
                continue
            try:
                parts = [(one, _to_facts(facts)) for one, facts in _rows(earlier, _PARTS, number)]
            except (TypeError, msgspec.DecodeError):
                continue
            if not parts:
                continue
            file = self._number(None)
            self._file_rows.append((file, name, column, GONE, 0, 0, 0, b"", b"", 0, b"\x90", None))
            for session_id, facts in parts:
                self._part_rows.append((self._session(session_id), file, _to_bytes(facts)))
            for row in _rows(earlier, _REQUESTS, number):
                key, variant, session_id, time, model, engine, tier, *figures = row
                session = self._session(session_id)
                rule = self._rule(model, engine, tier)
                self._request_rows.append((key, variant, file, session, time, rule, *figures))
                self._keys.add(key)
        self._new.clear()

    def touch_all(self) -> None:
        """Every session of the source is put together anew."""
        self._dirty.update(self._sessions.values())

    def finish(self) -> None:
        """Store what was read, and put the sessions together that it belongs to."""
        self._store()
        self._settle_copies()
        self._put_together()

    def _read(
        self, path: str, file: int, known: _File | None, descriptor: int, status: os.stat_result
    ) -> None:
        by_line = self._source.by_line(path)
        size = status.st_size
        if not by_line and size > MAX_WHOLE:
            self._explain(path, file, _stamp(status), f"it is too large: {size:,} bytes")
            return
        parser = self._resumed(path, known, descriptor, size) if known and by_line else None
        resumed = parser is not None
        offset = known.offset if known and resumed else 0
        if parser is None:
            parser = self._source.parser(path)
            if known is not None:
                self._forget(file)
        os.lseek(descriptor, offset, os.SEEK_SET)
        begin = offset
        if by_line:
            for lines, end in _pieces(descriptor, offset, size):
                parser.feed(lines)
                offset = end
                if len(parser.requests) > _MANY_REQUESTS:
                    self._keep_requests(file, parser, whole=False)
        else:
            data = b"".join(_chunks(descriptor, size))
            parser.feed(data)
            offset = len(data)
        self.bytes += offset - begin
        self._keep_requests(file, parser, whole=not resumed)
        for facts in parser.facts.values():
            session = self._session(facts.session_id)
            self._part_rows.append((session, file, _to_bytes(facts)))
            if session in self._new:
                self._new[session][0].append(_Part(path, size, parser.skipped, facts))
        self._file_rows.append(
            (
                file,
                self._source.name,
                to_column(path),
                *_stamp(status),
                offset,
                _tail(descriptor, offset) if by_line else b"",
                parser.state() if by_line else b"",
                parser.skipped,
                _to_bytes(parser.first_skipped),
                None,
            )
        )

    def _resumed(self, path: str, known: _File, descriptor: int, size: int) -> Parser | None:
        """A parser that goes on where reading stopped; None when the file is another one."""
        # A file that changed and has not grown was written anew.
        grown = size > known.size and 0 < known.offset <= size
        if grown and _tail(descriptor, known.offset) == known.tail:
            with contextlib.suppress(msgspec.DecodeError):
                return self._source.parser(path, known.state)
        return None

    def _fail(self, path: str, file: int, known: _File | None, error: OSError) -> None:
        found = stamp(path)
        if known is None or known.stamp != found:
            reason = (error.strerror or type(error).__name__).lower()
            self._explain(path, file, found, reason)

    def _explain(self, path: str, file: int, found: Stamp, reason: str) -> None:
        """A file can't be read; what it said of its sessions stays."""
        problem = Problem(problems.UNREADABLE, f"The transcript can't be read: {reason}")
        row = (file, self._source.name, to_column(path), *found, 0, b"", b"", 0, b"\x90")
        self._file_rows.append((*row, _to_bytes(problem)))
        self._touch_sessions_of(file)

    def _known(self, path: str) -> _File | None:
        row = self._db.execute(
            "SELECT id, size, changed, inode, offset, tail, state FROM file WHERE path = ?",
            (to_column(path),),
        ).fetchone()
        return row and _File(*row)

    def _number(self, known: _File | None) -> int:
        if known is not None:
            return known.id
        self._next_file += 1
        return self._next_file - 1

    def _session(self, session_id: str) -> int:
        found = self._sessions.get(session_id)
        if found is None:
            found = self._sessions[session_id] = self._next_session
            self._next_session += 1
            self._session_rows.append((found, self._source.name, session_id))
            self._new[found] = ([], [])
        self._dirty.add(found)
        return found

    def _rule(self, model: str, engine: str, tier: str) -> int:
        rule = (model, engine, tier)
        found = self._rules.get(rule)
        if found is None:
            self._db.execute("INSERT OR IGNORE INTO rule(model, engine, tier) VALUES (?,?,?)", rule)
            select = "SELECT id FROM rule WHERE model = ? AND engine = ? AND tier = ?"
            found = self._rules[rule] = int(self._db.execute(select, rule).fetchone()[0])
        return found

    def _keep_requests(self, file: int, parser: Parser, *, whole: bool) -> None:
        """Take the requests that a parser has; `whole` when those are all of the file."""
        add = self._request_rows.append
        for seen in parser.requests.values():
            request = seen.request
            session = self._session(seen.session_id)
            key = _hash(seen.key)
            self._keys.add(key)
            add(
                (
                    key,
                    # Few requests share a key, so that a short number tells them apart.
                    zlib.crc32(seen.variant.encode()) if seen.variant else 0,
                    file,
                    session,
                    request.time,
                    self._rule(request.model, request.engine, request.tier),
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
            if session in self._new:
                self._new[session][1].append(_Counted(request, seen.final, seen.billed))
        if not whole:
            for seen in parser.requests.values():
                self._new.pop(self._session(seen.session_id), None)
            self._store()
        parser.requests.clear()

    def _store(self) -> None:
        for statement, rows in (
            ("INSERT INTO session(id, source, session_id) VALUES (?,?,?)", self._session_rows),
            (f"INSERT OR REPLACE INTO file VALUES ({'?,' * 11}?)", self._file_rows),
            ("INSERT OR REPLACE INTO part VALUES (?,?,?)", self._part_rows),
            (_UPSERT, self._request_rows),
        ):
            self._db.executemany(statement, rows)
            rows.clear()

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
                slot = -1 if side else variant
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
                    self._new.pop(row[3], None)

    def _keys_with_copies(self) -> str:
        """An expression for the keys, among those read, that more than one row has or had."""
        if len(self._keys) > _FEW:
            return "SELECT key FROM request GROUP BY key HAVING count(*) > 1 OR min(counted) = 0"
        return ",".join(map(str, self._keys)) or "NULL"

    def _end(self, session: int, file: int, ends: dict[tuple[int, int], int]) -> int:
        """The last moment that a file tells of a session."""
        part = (session, file)
        if part not in ends:
            row = self._db.execute(
                "SELECT facts FROM part WHERE session = ? AND file = ?", part
            ).fetchone()
            ends[part] = decoded(_to_facts, row[0]).end if row else 0
        return ends[part]

    def _put_together(self) -> None:
        rows = []
        # A file may have had requests of a session, but no facts.
        for session in [session for session, (parts, _) in self._new.items() if not parts]:
            del self._new[session]
        others = sorted(self._dirty - self._new.keys())
        for start in range(0, len(others), _FEW):
            some = others[start : start + _FEW]
            stored = self._stored(",".join(map(str, some)))
            for session in some:
                if session in stored:
                    rows.append((*self._packed(*stored[session]), session))
                else:
                    self._db.execute("DELETE FROM session WHERE id = ?", (session,))
                    self._db.execute("DELETE FROM request WHERE session = ?", (session,))
        rows += [
            (*self._packed(parts, requests), session)
            for session, (parts, requests) in self._new.items()
        ]
        self._db.executemany(
            "UPDATE session SET cwd = ?, path = ?, last_activity = ?, gone = ?, packed = ?, "
            "checksum = ? WHERE id = ?",
            rows,
        )

    def _stored(self, sessions: str) -> dict[int, tuple[list[_Part], list[_Counted]]]:
        """What is stored of sessions, whose ids are listed."""
        found: dict[int, tuple[list[_Part], list[_Counted]]] = {}
        for session, path, size, skipped, facts in self._db.execute(
            "SELECT session, path, size, skipped, facts FROM part JOIN file ON id = file "
            f"WHERE session IN ({sessions})"
        ):
            parts = found.setdefault(session, ([], []))[0]
            parts.append(_Part(from_column(path), size, skipped, decoded(_to_facts, facts)))
        for session, *values, final, billed in self._db.execute(
            "SELECT session, time, model, engine, tier, input, cache_read, cache_write_5m, "
            "cache_write_1h, output, cost, requests, final, billed FROM request "
            f"JOIN rule ON rule.id = rule WHERE session IN ({sessions}) AND counted"
        ):
            if session in found:
                request = Request(**dict(zip(Request.__struct_fields__, values, strict=True)))
                found[session][1].append(_Counted(request, bool(final), bool(billed)))
        return found

    def _packed(
        self, parts: list[_Part], requests: list[_Counted]
    ) -> tuple[str, str | bytes, int, bool, bytes | None, int]:
        """The columns of a session that its files and requests come to."""
        parts = _telling(parts)
        facts = [part.facts for part in parts]
        gone = all(part.size == GONE for part in parts)
        if gone:
            facts[0].notes.append("The transcript has been deleted; these are its last figures")
        if skipped := sum([part.skipped for part in parts]):
            facts[0].notes.append(f"Lines of the transcript that can't be read: {skipped:,}")
        path = parts[0].path
        spending = tally([one.request for one in requests if one.billed], self._price_list)
        if unbilled := [one.request for one in requests if not one.billed]:
            rows = tally(unbilled, _NO_PRICES)
            spending += tuple(msgspec.structs.replace(row, reported=True) for row in rows)
        session = transcript.session(
            self._source.name,
            path,
            facts,
            spending,
            unfinished=sum([one.request.requests for one in requests if not one.final]),
        )
        cwd = next((part.cwd for part in facts if part.cwd), "")
        last = max([part.end for part in facts])
        # A session of which nothing is known but its name is none.
        packed = snapshot.pack(session).packed if last else None
        return cwd, to_column(path), last, gone, packed, zlib.crc32(packed or b"")


class _NoPrices:
    """Prices of requests of which too little was recorded to tell what they cost."""

    def price(self, *_: object) -> None:
        """None, always."""


_NO_PRICES: Final = _NoPrices()


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


_EARLIER_FILES: Final = "SELECT id, path FROM file WHERE source = ?"
_PARTS: Final = (
    "SELECT session_id, facts FROM part JOIN session ON session.id = session WHERE file = ?"
)
_REQUESTS: Final = (
    "SELECT key, variant, session_id, time, model, engine, tier, requests, input, cache_read, "
    "cache_write_5m, cache_write_1h, output, cost, side, final, billed FROM part "
    "JOIN request ON request.session = part.session AND request.file = part.file "
    "JOIN session ON session.id = request.session JOIN rule ON rule.id = rule "
    "WHERE part.file = ?"
)


def _next_id(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]) + 1


def _telling(parts: list[_Part]) -> list[_Part]:
    """The parts of a session that count, that of its own file first.

    Of files with one name, as when one was moved or copied, one counts: one that is there rather
    than one that is gone, and that which tells most.
    """
    if len(parts) == 1:
        return parts
    found: dict[str, _Part] = {}
    for part in sorted(parts, key=lambda part: (part.size != GONE, part.facts.end, part.path)):
        found[_stem(part.path)] = part
    return sorted(
        found.values(),
        key=lambda part: (part.facts.session_id not in _stem(part.path), part.path),
    )


def _stem(path: str) -> str:
    return path.rpartition(os.sep)[2].partition(".")[0]


def _chunks(descriptor: int, size: int) -> Iterator[bytes]:
    """So many bytes, or as many as there are: the file may grow while it is read."""
    while size > 0 and (chunk := os.read(descriptor, min(size, CHUNK))):
        yield chunk
        size -= len(chunk)


def _pieces(descriptor: int, offset: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines, many at a time, and the place in the file where they end.

    What follows after the last line feed is not a line yet. Of a line that is too long only the
    beginning comes, so that it is counted.
    """
    rest = bytearray()
    too_long = False
    for chunk in _chunks(descriptor, size - offset):
        end = chunk.rfind(b"\n") + 1
        if not end:
            offset += len(chunk)
            if not too_long:
                rest += chunk
            if len(rest) > MAX_LINE:
                too_long = True
                del rest[_BEGINNING:]
            continue
        lines = bytes(rest) + chunk[:end]
        if too_long:
            lines = bytes(rest) + chunk[chunk.index(b"\n") : end]
            too_long = False
        yield lines, offset + end
        offset += len(chunk)
        rest = bytearray(chunk[end:])


def _tail(descriptor: int, offset: int) -> bytes:
    begin = max(0, offset - _TAIL)
    os.lseek(descriptor, begin, os.SEEK_SET)
    # Not the bytes themselves, which are part of a conversation.
    return hashlib.blake2b(os.read(descriptor, offset - begin), digest_size=16).digest()


def _rows(db: sqlite3.Connection, query: str, value: str | int) -> list[tuple[Any, ...]]:
    """What an index that may be damaged has, as far as it can be read."""
    found: list[tuple[Any, ...]] = []
    with contextlib.suppress(sqlite3.DatabaseError):
        found.extend(db.execute(query, (value,)))
    return found


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


_to_bytes = msgspec.msgpack.Encoder().encode
_to_facts = msgspec.msgpack.Decoder(Facts).decode
