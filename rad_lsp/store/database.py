"""The file that the index is kept in: SQLite, safe with several processes, made anew when broken.

Where it can't be kept on disk it is kept in memory, and says so.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import zlib
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from rad_lsp import __version__
from rad_lsp.core.price import Price, Rates
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import Request, Spending
from rad_lsp.core.transcript import Facts, Seen
from rad_lsp.store.snapshot import Entry, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rad_lsp.core.decoders import Lazy

T = TypeVar("T")

FILE: Final = "index.db"
MEMORY: Final = ":memory:"

GONE: Final = -1
"""The size of a file that is no longer there."""

_PATIENCE: Final = 60.0
"""Seconds that a writer waits for another one; a first read of many transcripts takes some."""

_STEP: Final = 0.1
"""Seconds that SQLite waits by itself, in which no signal is seen."""

_SEAL: Final = 4
"""Bytes of a checksum."""

_SCHEMA: Final = """
CREATE TABLE file(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, modified REAL NOT NULL, changed REAL NOT NULL, inode INTEGER NOT NULL,
    offset INTEGER NOT NULL, tail BLOB NOT NULL, state BLOB NOT NULL,
    skipped INTEGER NOT NULL, first_skipped BLOB NOT NULL, problem BLOB);
CREATE INDEX file_stamp ON file(source, path, size, modified, changed);
CREATE INDEX file_problem ON file(path) WHERE problem IS NOT NULL;
CREATE TABLE session(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, session_id TEXT NOT NULL,
    cwd TEXT NOT NULL, path TEXT NOT NULL, last_activity INTEGER NOT NULL,
    packed BLOB, checksum INTEGER NOT NULL,
    UNIQUE(source, session_id));
CREATE INDEX session_cwd ON session(cwd);
CREATE INDEX session_last ON session(source, last_activity);
CREATE TABLE part(
    session INTEGER NOT NULL, file INTEGER NOT NULL, PRIMARY KEY(session, file)) WITHOUT ROWID;
CREATE INDEX part_file ON part(file);
CREATE TABLE piece(id INTEGER PRIMARY KEY, file INTEGER NOT NULL, requests BLOB NOT NULL);
CREATE INDEX piece_file ON piece(file);
CREATE TABLE copy(
    source TEXT NOT NULL, bucket INTEGER NOT NULL, pairs BLOB NOT NULL,
    PRIMARY KEY(source, bucket));
CREATE TABLE superseded(
    key TEXT NOT NULL, variant TEXT NOT NULL, file INTEGER NOT NULL,
    PRIMARY KEY(key, variant, file)) WITHOUT ROWID;
CREATE TABLE report(
    folder TEXT NOT NULL, bucket INTEGER NOT NULL, found BLOB NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY(folder, bucket));
CREATE TABLE price(
    list TEXT NOT NULL, model TEXT NOT NULL, engine TEXT NOT NULL, tier TEXT NOT NULL,
    part INTEGER NOT NULL, span INTEGER NOT NULL, price BLOB NOT NULL,
    PRIMARY KEY(model, engine, tier, part)) WITHOUT ROWID;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_STRUCTS: Final = (
    Session,
    Usage,
    Spending,
    Request,
    Problem,
    Facts,
    Seen,
    Entry,
    Fault,
    Price,
    Rates,
)
VERSION: Final = (
    zlib.crc32(
        repr((__version__, _SCHEMA, [struct.__struct_fields__ for struct in _STRUCTS])).encode()
    )
    & 0x7FFFFFFF
)
"""Of what the index holds: another program version may read transcripts differently."""


class Damaged(sqlite3.DatabaseError):
    """The index holds what was never written to it."""


class Database:
    """A connection to the index at `path`, or to one in memory.

    `trouble` is a sentence on why it is not kept on disk, else empty. `patience` is how many
    seconds it waits for another process that is writing; once it is `stopped`, it does no longer.
    It is `left` when a thread that works with it is no longer waited for.
    """

    def __init__(self, path: Path | None, patience: float = _PATIENCE) -> None:
        self.path = path
        self.trouble = "" if path else "no folder for it was found"
        self.stopped = threading.Event()
        self.left = False
        self._patience = patience
        self._inode: int | None = None
        self._renewed = False
        self.connection = self._open()

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it outlives this process."""
        return bool(self.trouble)

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction; of this user's processes one at a time has one. Raises sqlite3.Error."""
        try:
            self._begin(self._patience if wait else 0)
        finally:
            self._wait(self._patience)
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _begin(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        self._wait(min(_STEP, patience))
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as error:
                given_up = self.stopped.is_set() or time.monotonic() >= deadline
                if given_up or not is_busy(error):
                    raise
            else:
                return

    def version(self) -> int:
        """A number that changes when another connection has changed something."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    @property
    def size(self) -> int:
        """Bytes on disk, those of changes that are not folded in yet included."""
        if self.path is None:
            return 0
        total = 0
        for file in (self.path, _beside(self.path, "-wal")):
            with contextlib.suppress(OSError):
                total += file.stat().st_size
        return total

    def health(self) -> str:
        """`ok`, or what SQLite finds wrong."""
        try:
            return str(self.connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            return str(error)

    def recover(self, error: sqlite3.DatabaseError) -> None:
        """Go on after an error: with a new file where it is damaged, else in memory."""
        if self.path is None or self.trouble or self._renewed or not is_damage(error):
            self._give_up(error)
            return
        self._renewed = True
        self.connection.close()
        self.connection = self._open(damaged=True)

    def earlier(self) -> sqlite3.Connection | None:
        """The index before this one, which may be damaged. The caller closes it."""
        if self.path is None or self.in_memory or not put_aside_path(self.path).exists():
            return None
        try:
            return _connected(put_aside_path(self.path), 0)
        except sqlite3.Error:
            return None

    def close(self) -> None:
        """Close the connection, unless another thread was left at work with it."""
        if not self.left:
            self.connection.close()

    def _open(self, *, damaged: bool = False) -> sqlite3.Connection:
        if self.path is None:
            return _created(MEMORY, 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            found = None if damaged else _usable(self.path, self._patience)
            connection = found or self._replaced(self.path, damaged=damaged)
            self._inode = self.path.stat().st_ino
        except (sqlite3.Error, OSError) as error:
            return self._given_up(error)
        return connection

    def _replaced(self, path: Path, *, damaged: bool) -> sqlite3.Connection:
        """A new index in the place of one that can't be used, unless that has been done."""
        with _alone(path, self._patience):
            there = path.exists()
            ours = damaged and there and path.stat().st_ino == self._inode
            found = None if ours else _usable(path, self._patience)
            if found is not None:
                return found
            if there and path.stat().st_size:
                _put_aside(path)
            return _created(str(path), self._patience)

    def _give_up(self, error: Exception) -> None:
        before = self.connection
        self.connection = self._given_up(error)
        if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
            # What is known need not be read again, and part of it can't.
            copy = sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
            try:
                before.backup(copy)
            except sqlite3.Error:
                copy.close()
            else:
                self.connection.close()
                self.connection = copy
        before.close()

    def _given_up(self, error: Exception) -> sqlite3.Connection:
        reason = getattr(error, "strerror", None) or str(error)
        self.trouble = f"{self.path}: {reason.lower()}"
        return _created(MEMORY, 0)

    def _wait(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def put_aside_path(path: Path) -> Path:
    """Where an index that can't be used is kept until the next one."""
    return _beside(path, ".old")


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error tells that the file is no index, or no longer a whole one."""
    if isinstance(error, sqlite3.OperationalError) and _code(error) is None:
        return True  # Python says so of text that is none
    return isinstance(error, Damaged | sqlite3.IntegrityError) or _code(error) in {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Whether an error tells that another process has been writing for too long."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def decoded(decoder: Lazy[T], blob: bytes) -> T:
    """What a column of the index holds. Raises Damaged."""
    try:
        return decoder.decode(blob)
    except msgspec.DecodeError as error:
        raise Damaged(str(error)) from None


def checksum(packed: bytes, *columns: str | int) -> int:
    """A number by which damage to a session, or to what it is found by, is noticed."""
    return zlib.crc32(packed, zlib.crc32(repr(columns).encode()))


def sealed(data: bytes) -> bytes:
    """Bytes as they are stored, so that damage to them is noticed."""
    return zlib.crc32(data).to_bytes(_SEAL) + data


def unsealed(stored: bytes) -> bytes:
    """The bytes that `sealed` was given. Raises Damaged."""
    data = stored[_SEAL:]
    if stored[:_SEAL] != zlib.crc32(data).to_bytes(_SEAL):
        raise Damaged("what is stored is not what was written")
    return data


def to_column(path: str) -> str | bytes:
    """A path as it is stored; one that is not Unicode can't be stored as text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def from_column(path: str | bytes) -> str:
    """A stored path. Raises Damaged."""
    text = os.fsdecode(path) if isinstance(path, bytes) else path
    if "\0" in text:
        raise Damaged("a path that no file can have")
    return text


def _code(error: sqlite3.DatabaseError) -> int | None:
    """SQLite's primary code of an error; None of one that SQLite has not raised."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code and code & 0xFF


def _connected(place: Path | str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=patience, isolation_level=None, check_same_thread=False)


def _usable(path: Path, patience: float) -> sqlite3.Connection | None:
    """The index at `path`; None where there is none, or none that can be used."""
    if not path.exists():
        return None
    connection = _connected(path, patience)
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == VERSION:
            _set_up(connection)
            return connection
    except UnicodeDecodeError:
        pass  # that is how an error reads which quotes what is damaged
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            connection.close()
            raise
    connection.close()
    return None


def _created(place: str, patience: float) -> sqlite3.Connection:
    connection = _connected(place, patience)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
        _set_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA synchronous=NORMAL")


@contextlib.contextmanager
def _alone(path: Path, patience: float) -> Iterator[None]:
    """Of this user's processes one at a time makes an index. Raises sqlite3.Error."""
    with contextlib.closing(_connected(_beside(path, ".lock"), patience)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _put_aside(path: Path) -> None:
    """Move an index out of the way; what the next one takes over of it is read from there."""
    aside = put_aside_path(path)
    # The index itself comes last: changes that are left alone would be folded into the next one.
    for suffix in ("-wal", "-shm", ""):
        _beside(aside, suffix).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            _beside(path, suffix).replace(_beside(aside, suffix))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
