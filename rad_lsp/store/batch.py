"""Transcripts read within one transaction, and the sessions that this puts together."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from rad_lsp.core import problems, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Tally
from rad_lsp.core.transcript import Facts
from rad_lsp.store import growing, pieces, snapshot
from rad_lsp.store.copies import Copies
from rad_lsp.store.database import GONE, Damaged, checksum, from_column, sealed, to_column, unsealed
from rad_lsp.store.growing import Growing, Stamp, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.transcript import Seen
    from rad_lsp.sources import Parser, Transcripts

_FEW: Final = 500
"""Up to so many, single look-ups are faster than going through a whole table."""

_PIECES: Final = 16
"""Small pieces of a file's requests, at most; each update of a file adds one."""

_MANY_REQUESTS: Final = 2_000
"""Requests of one file that are kept in memory before they are stored."""

_LARGE: Final = 50 * _MANY_REQUESTS
"""Bytes of a piece that is not joined with others."""


class _File(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of the table of files: how far a transcript has been read."""

    id: int
    size: int
    modified: float
    changed: float
    inode: int
    offset: int
    tail: bytes
    state: bytes

    @property
    def stamp(self) -> Stamp:
        """The file's when it was read."""
        return self.size, self.modified, self.changed


class _Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one file says of a session."""

    path: str
    size: int
    skipped: int
    facts: Facts


class _Gathered:
    """What a session is put together from: what its files say, and its requests."""

    __slots__ = ("parts", "tally", "unfinished")

    def __init__(self, price_list: PriceList) -> None:
        self.parts: list[_Part] = []
        self.tally = Tally(price_list)
        self.unfinished = 0

    def add(self, requests: list[Seen]) -> None:
        """These requests count with the session."""
        billed = [seen.request for seen in requests if seen.billed]
        self.tally.add(billed)
        if len(billed) < len(requests):
            self.tally.add_unbilled([seen.request for seen in requests if not seen.billed])
        self.unfinished += sum([seen.request.requests for seen in requests if not seen.final])


class Batch:
    """Files of one agent that are read within one transaction.

    Once it is `stopped`, a file is left where it is; the next reader goes on from there.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        price_list: PriceList,
        source: Transcripts,
        stopped: Callable[[], bool],
    ) -> None:
        self.bytes = 0
        self._stopped = stopped
        self._db = db
        self._price_list = price_list
        self._source = source
        select = "SELECT session_id, id FROM session WHERE source = ?"
        self._sessions: dict[str, int] = dict(db.execute(select, (source.name,)).fetchall())
        self._looked_up = 0
        self._paths: set[str | bytes] | None = None
        self._next_session = _next_id(db, "session")
        self._next_file = _next_id(db, "file")
        self._copies = Copies(db, source.name)
        # Sessions that must be put together: their ids by number.
        self._dirty: dict[int, str] = {}
        self._grown: set[int] = set()
        self._forgotten = False
        # Sessions of which nothing was known before: what they are put together from is at hand.
        self._new: dict[int, _Gathered] = {}
        self._file_rows: list[tuple[Any, ...]] = []
        self._part_rows: list[tuple[int, int]] = []
        self._piece_rows: list[tuple[int, bytes]] = []

    def read(self, path: str) -> None:
        """Read what is new in a transcript."""
        known = self._known(path)
        number = self._number(known)
        try:
            with Growing(path) as file:
                # Another process may have read it while this one waited.
                if file.is_regular and not (known and known.stamp == file.stamp):
                    self._read(path, number, known, file)
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail(path, number, known, error)

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
        for number, column, state, skipped, first in _rows(earlier, _EARLIER_FILES, name):
            try:
                path = from_column(column)
            except Damaged:
                continue
            if self._known(path) is not None:
                continue
            parser = self._parser(path, state)
            sessions = [row[0] for row in _rows(earlier, _EARLIER_SESSIONS, number)]
            if parser is None or not sessions:
                continue
            file = self._number(None)
            row = (file, name, column, GONE, 0.0, 0.0, 0, 0, b"", state, skipped, first, None)
            self._file_rows.append(row)
            self._part_rows += [(self._session(session_id), file) for session_id in sessions]
            for (requests,) in _rows(earlier, _EARLIER_PIECES, number):
                with suppress(Damaged):
                    self._keep(file, _unpacked(requests))
        self._new.clear()

    def touch_all(self) -> None:
        """Every session of the source is put together anew."""
        self._dirty.update({number: session_id for session_id, number in self._sessions.items()})

    def finish(self) -> None:
        """Store what was read, and put the sessions together that it belongs to."""
        self._store()
        self._copies.store()
        self._join_pieces()
        self._settle_copies()
        self._put_together()

    def _read(self, path: str, number: int, known: _File | None, file: Growing) -> None:
        by_line = self._source.by_line(path)
        size = file.size
        if not by_line and size > growing.MAX_WHOLE:
            reason = f"it is too large: {size:,} bytes"
            self._explain(path, number, known, file.stamp, reason)
            return
        parser = self._resumed(path, known, file) if known and by_line else None
        begin = offset = 0
        if known is not None and parser is not None:
            begin = offset = known.offset
            self._grown.add(number)
        else:
            parser = self._source.parser(path)
            if known is not None:
                self._forget(number)
        for data, end in file.lines(offset) if by_line else file.whole():
            parser.feed(data)
            offset = end
            if len(parser.requests) > _MANY_REQUESTS:
                self._store_so_far(number, parser)
                begin = offset
            if self._stopped():
                break
        self.bytes += offset - begin
        for facts in parser.facts.values():
            session = self._session(facts.session_id)
            self._part_rows.append((session, number))
            if begin:
                self._new.pop(session, None)
            elif session in self._new:
                part = _Part(path, size, parser.skipped, facts)
                self._new[session].parts.append(part)
        # A file that was left grows, as it were, by what is still to be read.
        was = (offset, 0.0, 0.0) if self._stopped() and offset < size else file.stamp
        place = (file.inode, offset, file.tail(offset))
        row = (number, self._source.name, to_column(path), *was, *place)
        skipped = (parser.skipped, _to_bytes(parser.first_skipped))
        self._file_rows.append((*row, sealed(parser.state()), *skipped, None))
        self._keep_requests(number, parser)

    def _resumed(self, path: str, known: _File, file: Growing) -> Parser | None:
        """A parser where reading stopped; None when the file is another one."""
        # A file that changed and has not grown was written anew.
        grown = known.size < file.size and 0 < known.offset <= file.size
        if grown and known.inode == file.inode:
            return (
                self._parser(path, known.state) if file.tail(known.offset) == known.tail else None
            )
        return None

    def _fail(self, path: str, number: int, known: _File | None, error: OSError) -> None:
        found = stamp(path)
        if known is None or known.stamp != found:
            reason = (error.strerror or type(error).__name__).lower()
            self._explain(path, number, known, found, reason)

    def _explain(
        self, path: str, number: int, known: _File | None, found: Stamp, reason: str
    ) -> None:
        """A file can't be read; what it said of its sessions stays."""
        problem = Problem(problems.UNREADABLE, f"The transcript can't be read: {reason}")
        if known is None:
            row = (number, self._source.name, to_column(path), *found, 0, 0, b"", b"", 0, b"\x90")
            self._file_rows.append((*row, _to_bytes(problem)))
        else:
            self._db.execute(
                "UPDATE file SET size = ?, modified = ?, changed = ?, problem = ? WHERE id = ?",
                (*found, _to_bytes(problem), known.id),
            )
            self._touch_sessions_of(known.id)

    def _known(self, path: str) -> _File | None:
        column = to_column(path)
        self._looked_up += 1
        if self._looked_up == _FEW:
            self._paths = {path for (path,) in self._db.execute("SELECT path FROM file")}
        if self._paths is not None and column not in self._paths:
            return None
        row = self._db.execute(
            "SELECT id, size, modified, changed, inode, offset, tail, state FROM file "
            "WHERE path = ?",
            (column,),
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
            self._new[found] = _Gathered(self._price_list)
        self._dirty[found] = session_id
        return found

    def _store_so_far(self, file: int, parser: Parser) -> None:
        """Let go of what has been read of a large file: it is no longer at hand, but stored."""
        session_ids = {seen.session_id for seen in parser.requests.values()}
        self._keep_requests(file, parser)
        for session_id in session_ids | parser.facts.keys():
            self._new.pop(self._session(session_id), None)
        self._store()

    def _keep_requests(self, file: int, parser: Parser) -> None:
        """Take the requests that a parser has, and let go of them there."""
        requests = [*parser.requests.values()]
        if requests:
            parser.requests.clear()
            self._keep(file, requests)

    def _keep(self, file: int, requests: list[Seen]) -> None:
        self._piece_rows.append((file, sealed(pieces.pack(requests))))
        self._copies.add(file, [seen.key for seen in requests])
        for session_id, some in _by_session(requests).items():
            new = self._new.get(self._session(session_id))
            if new is not None:
                new.add(some)

    def _store(self) -> None:
        for statement, rows in (
            (f"INSERT OR REPLACE INTO file VALUES ({'?,' * 12}?)", self._file_rows),
            ("INSERT OR IGNORE INTO part VALUES (?,?)", self._part_rows),
            ("INSERT INTO piece(file, requests) VALUES (?,?)", self._piece_rows),
        ):
            self._db.executemany(statement, rows)
            rows.clear()

    def _forget(self, file: int) -> None:
        """What a file said is no longer so."""
        self._forgotten = True
        self._touch_sessions_of(file)
        for requests in self._requests_of(file):
            self._copies.remove(file, [seen.key for seen in requests])
        for table in ("piece", "part", "superseded"):
            self._db.execute(f"DELETE FROM {table} WHERE file = ?", (file,))

    def _touch_sessions_of(self, file: int) -> None:
        select = "SELECT id, session_id FROM part JOIN session ON id = session WHERE file = ?"
        self._dirty.update(self._db.execute(select, (file,)).fetchall())

    def _settle_copies(self) -> None:
        """Of the copies of a request let that one count which was made first.

        A copy that a sub-agent replays gives way to any other. Of copies with one time, the
        session counts that was left first: the other one went on from there.
        """
        source = (self._source.name,)
        files = self._copies.files
        known: dict[str, set[tuple[str, int]]] = {}
        for key, variant, file in self._db.execute(_SUPERSEDED, source):
            known.setdefault(key, set()).add((variant, file))
            if self._forgotten:
                files.add(file)
        copies: dict[str, list[tuple[int, Seen]]] = {}
        for file in files:
            for requests in self._requests_of(file):
                for seen in requests:
                    if crc32(seen.key.encode()) in self._copies.keys:
                        copies.setdefault(seen.key, []).append((file, seen))
        ends = _Ends(self._parsers_of(files))
        for key, found in copies.items():
            winners = _winners(found, ends)
            lost = {(seen.variant, file) for file, seen in found} - winners
            before = known.get(key, set())
            for file, seen in found:
                copy = (seen.variant, file)
                if (copy in lost) != (copy in before):
                    self._new.pop(self._session(seen.session_id), None)
            self._db.executemany(
                "DELETE FROM superseded WHERE key = ? AND variant = ? AND file = ?",
                ((key, *copy) for copy in before - lost),
            )
            self._db.executemany(
                "INSERT INTO superseded VALUES (?, ?, ?)", ((key, *copy) for copy in lost - before)
            )

    def _put_together(self) -> None:
        # A file may have requests of a session, but no facts.
        for session in [number for number, new in self._new.items() if not new.parts]:
            del self._new[session]
        others = sorted(self._dirty.keys() - self._new.keys())
        for start in range(0, len(others), _FEW):
            some = others[start : start + _FEW]
            stored = self._stored(some)
            self._store_sessions(stored)
            for session in set(some) - stored.keys():
                self._db.execute("DELETE FROM session WHERE id = ?", (session,))
                self._db.execute("DELETE FROM part WHERE session = ?", (session,))
        self._store_sessions(self._new)

    def _store_sessions(self, sessions: dict[int, _Gathered]) -> None:
        rows = [
            (number, self._source.name, self._dirty[number], *self._packed(gathered))
            for number, gathered in sessions.items()
        ]
        self._db.executemany("INSERT OR REPLACE INTO session VALUES (?,?,?,?,?,?,?,?)", rows)

    def _stored(self, sessions: list[int]) -> dict[int, _Gathered]:
        """What is stored of sessions: what their files say, and the requests that count."""
        found: dict[int, _Gathered] = {}
        rows = self._db.execute(
            "SELECT session, file, path, size, skipped FROM part JOIN file ON id = file "
            f"WHERE session IN ({_listed(sessions)})"
        ).fetchall()
        of_file: dict[int, dict[str, _Gathered]] = {}
        parsers = self._parsers_of({row[1] for row in rows})
        for session, file, path, size, skipped in rows:
            session_id = self._dirty[session]
            facts = parsers[file].facts.get(session_id)
            if facts is not None:
                if session not in found:
                    found[session] = _Gathered(self._price_list)
                found[session].parts.append(_Part(from_column(path), size, skipped, facts))
                of_file.setdefault(file, {})[session_id] = found[session]
        superseded = set(
            self._db.execute(
                f"SELECT key, variant, file FROM superseded WHERE file IN ({_listed(of_file)})"
            )
        )
        for file, told in of_file.items():
            for requests in self._requests_of(file):
                counted = [
                    seen for seen in requests if (seen.key, seen.variant, file) not in superseded
                ]
                for session_id, some in _by_session(counted).items():
                    if session_id in told:
                        told[session_id].add(some)
        return found

    def _parsers_of(self, files: Iterable[int]) -> dict[int, Parser]:
        """A parser for each file, where it was left. Raises Damaged."""
        found = {}
        for file, path, state in self._db.execute(
            f"SELECT id, path, state FROM file WHERE id IN ({_listed(files)})"
        ):
            parser = self._parser(from_column(path), state)
            if parser is None:
                raise Damaged("what a reader left can't be read")
            found[file] = parser
        return found

    def _parser(self, path: str, state: bytes) -> Parser | None:
        """A parser where an earlier one stopped; None when what it left can't be read."""
        try:
            return self._source.parser(path, unsealed(state))
        except (Damaged, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _requests_of(self, file: int) -> Iterator[list[Seen]]:
        """The requests of a file, some at a time, of each its last record. Raises Damaged."""
        numbers = [number for number, _ in self._pieces_of(file)]
        repeated = self._repeated(numbers)
        last: dict[tuple[str, str], Seen] = {}
        for number in numbers:
            once = []
            for seen in _unpacked(self._piece(number)):
                if hash((seen.key, seen.variant)) in repeated:
                    _put(last, seen)
                else:
                    once.append(seen)
            yield once
        yield [*last.values()]

    def _pieces_of(self, file: int) -> list[tuple[int, int]]:
        """Number and bytes of each of a file's pieces, as they were read."""
        select = "SELECT id, length(requests) FROM piece WHERE file = ? ORDER BY id"
        return self._db.execute(select, (file,)).fetchall()

    def _piece(self, number: int) -> bytes:
        select = "SELECT requests FROM piece WHERE id = ?"
        stored: bytes = self._db.execute(select, (number,)).fetchone()[0]
        return stored

    def _repeated(self, numbers: list[int]) -> set[int]:
        """Hashes of the names of which several pieces have a record."""
        known: set[int] = set()
        repeated: set[int] = set()
        if len(numbers) > 1:
            for number in numbers:
                names = {hash(name) for name in _names(self._piece(number))}
                repeated |= names & known
                known |= names
        return repeated

    def _join_pieces(self) -> None:
        """Let no file's requests be scattered over many pieces, as they are while it grows."""
        for file in self._grown:
            small: list[int] = []
            for number, size in self._pieces_of(file):
                small = [] if size > _LARGE else [*small, number]
            if len(small) > _PIECES:
                requests: dict[tuple[str, str], Seen] = {}
                for number in small:
                    for seen in _unpacked(self._piece(number)):
                        _put(requests, seen)
                joined = sealed(pieces.pack([*requests.values()]))
                first, *others = small
                self._db.execute("UPDATE piece SET requests = ? WHERE id = ?", (joined, first))
                self._db.execute(f"DELETE FROM piece WHERE id IN ({_listed(others)})")

    def _packed(self, gathered: _Gathered) -> tuple[str, str | bytes, int, bytes | None, int]:
        """The columns of a session that its files and requests come to."""
        parts = _telling(gathered.parts)
        facts = [part.facts for part in parts]
        if all(part.size == GONE for part in parts):
            facts[0].notes.append("The transcript has been deleted; these are its last figures")
        if skipped := sum([part.skipped for part in parts]):
            facts[0].notes.append(f"Lines of the transcript that can't be read: {skipped:,}")
        path = parts[0].path
        session = transcript.session(
            self._source.name,
            path,
            facts,
            gathered.tally.rows(),
            unfinished=gathered.unfinished,
        )
        cwd = next((part.cwd for part in facts if part.cwd), "")
        last = max([part.end for part in facts])
        # A session of which nothing is known but its name is none.
        packed = snapshot.pack(session).packed if last else None
        check = checksum(packed or b"", session.source, session.id, cwd, last)
        return cwd, to_column(path), last, packed, check


class _Ends:
    """The last moment that each file tells of a session."""

    def __init__(self, parsers: dict[int, Parser]) -> None:
        self._parsers = parsers

    def end(self, file: int, session_id: str) -> int:
        """Milliseconds since the epoch; 0 when it tells nothing."""
        parser = self._parsers.get(file)
        facts = parser.facts.get(session_id) if parser else None
        return facts.end if facts else 0


def _winners(copies: list[tuple[int, Seen]], ends: _Ends) -> set[tuple[str, int]]:
    """Of the copies of requests with one key those that count, by variant and file."""
    has_own = any(not seen.side for _, seen in copies)
    best: dict[str | None, tuple[tuple[int, int, int], tuple[str, int]]] = {}
    for file, seen in copies:
        if seen.side and has_own:
            continue
        rank = (seen.request.time, ends.end(file, seen.session_id), file)
        slot = None if seen.side else seen.variant
        if slot not in best or rank < best[slot][0]:
            best[slot] = (rank, (seen.variant, file))
    return {copy for _, copy in best.values()}


def _put(requests: dict[tuple[str, str], Seen], seen: Seen) -> None:
    """Let a later record of a request count with the earlier ones."""
    name = (seen.key, seen.variant)
    before = requests.get(name)
    requests[name] = seen if before is None else _last(before, seen)


def _last(before: Seen, now: Seen) -> Seen:
    """Of two records of a request the one that counts, with the time of the first.

    It is the one with the most output tokens, of equal ones the later.
    """
    one, other = before.request, now.request
    time = one.time
    counts, request = (now, other) if other.output_tokens >= one.output_tokens else (before, one)
    final = before.final or now.final
    if request.time == time and counts.final == final:
        return counts
    request = msgspec.structs.replace(request, time=time)
    return msgspec.structs.replace(counts, request=request, final=final)


_SUPERSEDED: Final = (
    "SELECT key, variant, file FROM superseded JOIN file ON file.id = file WHERE source = ?"
)
_EARLIER_FILES: Final = "SELECT id, path, state, skipped, first_skipped FROM file WHERE source = ?"
_EARLIER_SESSIONS: Final = (
    "SELECT session_id FROM part JOIN session ON session.id = session WHERE file = ?"
)
_EARLIER_PIECES: Final = "SELECT requests FROM piece WHERE file = ? ORDER BY id"


def _by_session(requests: Iterable[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for seen in requests:
        if seen.session_id in found:
            found[seen.session_id].append(seen)
        else:
            found[seen.session_id] = [seen]
    return found


def _listed(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


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


def _unpacked(stored: bytes) -> list[Seen]:
    """The requests of a piece. Raises Damaged."""
    try:
        return pieces.unpack(unsealed(stored))
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise Damaged(str(error)) from None


def _names(stored: bytes) -> list[tuple[str, str]]:
    """The keys and variants of a piece. Raises Damaged."""
    try:
        return pieces.names(unsealed(stored))
    except (msgspec.MsgspecError, ValueError) as error:
        raise Damaged(str(error)) from None


def _rows(db: sqlite3.Connection, query: str, value: str | int) -> list[tuple[Any, ...]]:
    """What an index that may be damaged has, as far as it can be read."""
    found: list[tuple[Any, ...]] = []
    # Some errors quote what is damaged, so that their text is none.
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
        found.extend(db.execute(query, (value,)))
    return found


_to_bytes = msgspec.msgpack.Encoder().encode
