"""Transcripts read within one transaction, and the sessions that this puts together."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import problems, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Request, tally
from rad_lsp.core.transcript import Facts
from rad_lsp.store import snapshot

if TYPE_CHECKING:
    import sqlite3
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

_TAIL: Final = 64
"""Bytes before the place where reading stopped: when they change, the file is another one."""

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


class File(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of the table of files: how far a transcript has been read."""

    id: int
    path: str
    size: int
    mtime: int
    inode: int
    offset: int
    tail: bytes
    state: bytes


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

    def read(self, path: str, known: File | None) -> None:
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
            self._db.execute("UPDATE file SET size = ? WHERE id = ?", (GONE, file))
            self._touch_sessions_of(file)

    def touch_all(self) -> None:
        """Every session of the source is put together anew."""
        self._dirty.update(self._sessions.values())

    def finish(self) -> None:
        """Store what was read, and put the sessions together that it belongs to."""
        self._store()
        self._settle_copies()
        self._put_together()

    def _read(self, path: str, known: File | None, descriptor: int, status: os.stat_result) -> None:
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
        begin = offset = known.offset if known and resumed else 0
        file = self._number(known)
        os.lseek(descriptor, offset, os.SEEK_SET)
        if by_line:
            for lines, end in _pieces(descriptor, offset):
                parser.feed(lines)
                offset = end
                if len(parser.requests) > _MANY_REQUESTS:
                    self._keep_requests(file, parser, whole=False)
        elif status.st_size <= MAX_WHOLE:
            data = _whole(descriptor)
            parser.feed(data)
            offset = len(data)
        self.bytes += offset - begin
        self._keep_requests(file, parser, whole=not resumed)
        for facts in parser.facts.values():
            session = self._session(facts.session_id)
            self._part_rows.append((session, file, _to_bytes(facts)))
            if session in self._new:
                part = _Part(path, status.st_size, parser.skipped, facts)
                self._new[session][0].append(part)
        self._file_rows.append(
            (
                file,
                self._source.name,
                path,
                status.st_size,
                status.st_mtime_ns,
                status.st_ino,
                offset,
                _tail(descriptor, offset) if by_line else b"",
                parser.state() if by_line else b"",
                parser.skipped,
                _to_bytes(parser.first_skipped),
                None,
            )
        )

    def _fail(self, path: str, known: File | None, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        problem = Problem(problems.UNREADABLE, f"The transcript can't be read: {reason}")
        size = mtime = inode = 0
        try:
            status = os.stat(path)  # noqa: PTH116  (as everywhere here, paths are text)
            size, mtime, inode = status.st_size, status.st_mtime_ns, status.st_ino
        except OSError:
            pass
        stamp = (size, mtime, inode)
        row = (self._number(known), self._source.name, path, *stamp, 0, b"", b"", 0, b"\x90")
        self._file_rows.append((*row, _to_bytes(problem)))

    def _number(self, known: File | None) -> int:
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
        rows = []
        others = sorted(self._dirty - self._new.keys())
        for start in range(0, len(others), _FEW):
            some = others[start : start + _FEW]
            stored = self._stored(",".join(map(str, some)))
            for session in some:
                if session in stored:
                    rows.append((*self._packed(*stored[session]), session))
                else:
                    self._db.execute("DELETE FROM session WHERE id = ?", (session,))
        rows += [
            (*self._packed(parts, requests), session)
            for session, (parts, requests) in self._new.items()
            if parts
        ]
        self._db.executemany(
            "UPDATE session SET cwd = ?, path = ?, last_activity = ?, gone = ?, packed = ? "
            "WHERE id = ?",
            rows,
        )

    def _stored(self, sessions: str) -> dict[int, tuple[list[_Part], list[_Counted]]]:
        """What is stored of sessions, whose ids are listed."""
        found: dict[int, tuple[list[_Part], list[_Counted]]] = {}
        for session, path, size, skipped, facts in self._db.execute(
            "SELECT session, path, size, skipped, facts FROM part JOIN file ON id = file "
            f"WHERE session IN ({sessions}) ORDER BY path"
        ):
            parts = found.setdefault(session, ([], []))[0]
            parts.append(_Part(path, size, skipped, _to_facts(facts)))
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
    ) -> tuple[str, str, int, bool, bytes | None]:
        """The columns of a session that its files and requests come to."""
        facts = [part.facts for part in parts]
        gone = all(part.size == GONE for part in parts)
        if gone:
            facts[0].notes.append("The transcript has been deleted; these are its last figures")
        if skipped := sum([part.skipped for part in parts]):
            facts[0].notes.append(f"Lines of the transcript that can't be read: {skipped:,}")
        session_id = facts[0].session_id
        path = next((p.path for p in parts if session_id in _name(p.path)), parts[0].path)
        spending = tally([one.request for one in requests if one.billed], self._price_list)
        if unbilled := [one.request for one in requests if not one.billed]:
            spending += tally(unbilled, _NO_PRICES)
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
        return cwd, path, last, gone, snapshot.pack(session).packed if last else None


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


def _next_id(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]) + 1


def _name(path: str) -> str:
    return path.rpartition(os.sep)[2]


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
