"""The file that the index is kept in: SQLite, safe with several processes, made anew when broken.

Where it can't be kept on disk it is kept in memory, and says so.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from typing import TYPE_CHECKING, Final

from rad_lsp import __version__
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import Request, Spending
from rad_lsp.core.transcript import Facts, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE: Final = "index.db"
MEMORY: Final = ":memory:"

_BUSY_MILLISECONDS: Final = 60_000
"""How long a writer waits for another one; a first read of many transcripts takes seconds."""

_SCHEMA: Final = """
CREATE TABLE file(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL, inode INTEGER NOT NULL,
    offset INTEGER NOT NULL, tail BLOB NOT NULL, state BLOB NOT NULL,
    skipped INTEGER NOT NULL, first_skipped BLOB NOT NULL, problem BLOB);
CREATE TABLE session(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, session_id TEXT NOT NULL,
    cwd TEXT NOT NULL DEFAULT '', path TEXT NOT NULL DEFAULT '',
    last_activity INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0, packed BLOB,
    UNIQUE(source, session_id));
CREATE INDEX session_cwd ON session(cwd);
CREATE TABLE part(
    session INTEGER NOT NULL, file INTEGER NOT NULL, PRIMARY KEY(session, file)) WITHOUT ROWID;
CREATE INDEX part_file ON part(file);
CREATE TABLE piece(id INTEGER PRIMARY KEY, file INTEGER NOT NULL, requests BLOB NOT NULL);
CREATE INDEX piece_file ON piece(file);
CREATE TABLE copy(
    key INTEGER NOT NULL, file INTEGER NOT NULL, PRIMARY KEY(key, file)) WITHOUT ROWID;
CREATE TABLE superseded(
    key TEXT NOT NULL, variant TEXT NOT NULL, file INTEGER NOT NULL,
    PRIMARY KEY(key, variant, file)) WITHOUT ROWID;
CREATE TABLE report(
    folder TEXT NOT NULL, bucket INTEGER NOT NULL, found BLOB NOT NULL,
    PRIMARY KEY(folder, bucket));
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_STRUCTS: Final = (Session, Usage, Spending, Request, Problem, Facts, Seen)
VERSION: Final = (
    zlib.crc32(
        repr((__version__, _SCHEMA, [struct.__struct_fields__ for struct in _STRUCTS])).encode()
    )
    & 0x7FFFFFFF
)
"""Of what the index holds: another program version may read transcripts differently."""


class Database:
    """A connection to the index at `path`, or to one in memory.

    `trouble` is a sentence on why it is not kept on disk, else empty.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.trouble = "" if path else "no folder for it was found"
        self.connection = self._open()

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it outlives this process."""
        return bool(self.trouble)

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction; of this user's processes one at a time has one. Raises sqlite3.Error."""
        self.connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS if wait else 0}")
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def version(self) -> int:
        """A number that changes when another connection has changed something."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    @property
    def size(self) -> int:
        """Bytes on disk, those of changes that are not folded in yet included."""
        if self.path is None:
            return 0
        names = (self.path.name, self.path.name + "-wal")
        files = (self.path.with_name(name) for name in names)
        return sum(file.stat().st_size for file in files if file.exists())

    def health(self) -> str:
        """`ok`, or what SQLite finds wrong."""
        return str(self.connection.execute("PRAGMA quick_check(1)").fetchone()[0])

    def recover(self, error: sqlite3.Error) -> None:
        """Go on after an error: with a new file where it is damaged, else in memory."""
        self.connection.close()
        if self.path is not None and not self.trouble and _is_damage(error):
            _put_aside(self.path)
            self.connection = self._open()
        else:
            self._give_up(error)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _open(self) -> sqlite3.Connection:
        if self.path is None or self.trouble:
            return _connected(MEMORY)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return _connected(str(self.path))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                return self._give_up(error)
        except OSError as error:
            return self._give_up(error)
        try:
            _put_aside(self.path)
            return _connected(str(self.path))
        except (sqlite3.Error, OSError) as error:
            return self._give_up(error)

    def _give_up(self, error: Exception) -> sqlite3.Connection:
        reason = getattr(error, "strerror", None) or str(error)
        self.trouble = f"{self.path}: {reason.lower()}"
        self.connection = _connected(MEMORY)
        return self.connection


class OldIndex(sqlite3.DatabaseError):
    """The file was written by another version of this program."""


def put_aside_path(path: Path) -> Path:
    """Where an index that can't be used is kept until the next one."""
    return path.with_name(path.name + ".old")


def _connected(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, timeout=_BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA temp_store=MEMORY")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            connection.execute("PRAGMA journal_mode=WAL")
            _create(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    if found not in {0, VERSION}:
        connection.close()
        raise OldIndex(f"version {found} of the index, not {VERSION}")
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been faster.
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _is_damage(error: sqlite3.Error) -> bool:
    return isinstance(error, OldIndex) or (
        isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    )


def _put_aside(path: Path) -> None:
    """Move an index out of the way; what the next one takes over of it is read from there."""
    path.replace(put_aside_path(path))
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).replace(
                put_aside_path(path).with_name(put_aside_path(path).name + suffix)
            )
