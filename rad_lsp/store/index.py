"""The SQLite file that all sessions of this user are kept in.

Several processes may use it at once, one of them writes at a time. A file of an older version is
migrated, one that is damaged is put aside and made anew. Where it can't be kept on disk it is kept
in memory, and says so.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp import places
from rad_lsp.store.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Migration = Callable[[sqlite3.Connection], None]


_ENCODING: Final = sys.getfilesystemencoding()
FILE: Final = "index.db" if _ENCODING == "utf-8" else f"index.{_ENCODING}.db"
"""Where the locale has another encoding, one path is another text, so it has its own index."""

MEMORY: Final = ":memory:"

_PATIENCE: Final = 60.0
"""Seconds that a writer waits for another one; a first read of many transcripts takes some."""

_STEP: Final = 0.1
"""Seconds that SQLite waits by itself, in which no signal is handled."""

_FIRST_UNNUMBERED: Final = 1_000_000
"""Before the first release the version was a checksum, which is larger than this."""


_NOTICE: Final = (
    "The index was made by a version before the first release: all transcripts are read anew, once"
)


_DAMAGED: Final = "The index was damaged: all transcripts are read anew"

_WITH_DAMAGE: Final = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_INTERNAL,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}
"""What SQLite raises where a value or the schema makes no sense; our statements do."""

_SCHEMA: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"


class Damaged(sqlite3.DatabaseError):
    """The index holds what was never written to it."""


class Index:
    """A connection to the index at `path`, or to one in memory when that is None.

    `trouble` is a sentence on why it is not kept on disk, else empty; `notice` one on what
    happened to the file that was there. `patience` is how many seconds it waits for another
    process that is writing; once `stopped` is set it waits no longer. `abandoned` is set when a
    thread goes on to use the connection although nobody waits for it.
    """

    def __init__(
        self,
        path: Path | None,
        patience: float = _PATIENCE,
        migrations: tuple[Migration, ...] = MIGRATIONS,
    ) -> None:
        self.path = path
        self.trouble = "" if path else "no folder for it was found"
        self.notice = ""
        self.stopped = threading.Event()
        self.abandoned = False
        self._patience = patience
        self._migrations = migrations
        self._inode: int | None = None
        self.connection = self._open()

    @property
    def in_memory(self) -> bool:
        """Whether nothing of it outlives this process."""
        return bool(self.trouble)

    @contextlib.contextmanager
    def writing(self, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """A transaction; of this user's processes one at a time has one. Raises sqlite3.Error.

        `patience` is how many seconds to wait for another one, by default those of the index.
        """
        try:
            self._begin(self._patience if patience is None else patience)
        finally:
            self._wait(self._patience)
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

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

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which all that is read is of one moment. Raises sqlite3.Error.

        Within another one it is that one.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN")
        try:
            yield self.connection
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def recover(self, error: sqlite3.DatabaseError, *, again: bool = False) -> None:
        """Go on after an error: with a new file where it is damaged, else in memory.

        In memory, too, where a new file did not help and the error came `again`.
        """
        is_bad = is_damage(error) or _code(error) in _WITH_DAMAGE or self._is_misread(error)
        if self.path is None or self.trouble or again or not is_bad:
            self._fall_back(error)
            return
        self.connection.close()
        self.connection = self._open(damaged=True)
        self.notice = _DAMAGED

    def remake(self) -> None:
        """Put the index aside, whatever it holds, and begin a new one."""
        self.connection.close()
        if self.path is not None:
            self.trouble = ""
        self.connection = self._open(anew=True)

    def scrub(self) -> str:
        """Leave nothing of what was deleted on disk, in the index before this one either.

        Returns why that is not possible, else nothing.
        """
        if self.path is None or self.in_memory:
            return ""
        try:
            for suffix in ("-wal", "-shm", ""):
                _beside(put_aside_path(self.path), suffix).unlink(missing_ok=True)
            self._wait(self._patience)
            self.connection.execute("VACUUM")
            (is_busy, *_) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except (sqlite3.Error, OSError) as error:
            return str(error)
        return "another process is reading it" if is_busy else ""

    def put_aside(self) -> sqlite3.Connection | None:
        """The index before this one, which may be damaged. The caller closes it."""
        if self.path is None or self.in_memory or not put_aside_path(self.path).exists():
            return None
        try:
            return _connected(put_aside_path(self.path), 0)
        except sqlite3.Error:
            return None

    def close(self) -> None:
        """Close the connection, unless a thread that nobody waits for still uses it."""
        if not self.abandoned:
            self.connection.close()

    def _is_misread(self, error: sqlite3.DatabaseError) -> bool:
        """Whether SQLite takes for read-only what can be written: its header says so, then."""
        is_read_only = _code(error) == sqlite3.SQLITE_READONLY
        return is_read_only and self.path is not None and os.access(self.path, os.W_OK)

    def _begin(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        self._wait(min(_STEP, patience))
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as error:
                give_up = self.stopped.is_set() or time.monotonic() >= deadline
                if give_up or not is_busy(error):
                    raise
            else:
                return

    def _wait(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")

    def _open(self, *, damaged: bool = False, anew: bool = False) -> sqlite3.Connection:
        if self.path is None:
            return self._migrated(_connected(MEMORY, 0))
        try:
            places.make_folder(self.path.parent)
            places.make_private(self.path.parent)
            with _alone(self.path, self._patience):
                there = self.path.exists()
                # Another process may have made a new one of a damaged one meanwhile.
                is_bad = anew or (damaged and there and self.path.stat().st_ino == self._inode)
                connection = self._usable(self.path) if there and not is_bad else None
                if connection is None:
                    if there and self.path.stat().st_size:
                        _put_aside(self.path)
                    connection = self._migrated(_connected(self.path, self._patience))
            self._inode = self.path.stat().st_ino
        except (sqlite3.Error, OSError) as error:
            return self._in_memory(error)
        return connection

    def _usable(self, path: Path) -> sqlite3.Connection | None:
        """The index at `path`, migrated; None where it can't be used and must be made anew.

        Raises sqlite3.Error where what fails is not the file's fault, or a newer version wrote it.
        """
        connection = _connected(path, self._patience)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] < _FIRST_UNNUMBERED:
                return self._migrated(connection)
            self.notice = _NOTICE
        except UnicodeDecodeError:  # that is how an error reads which quotes what is damaged
            self.notice = _DAMAGED
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                connection.close()
                raise
            self.notice = _DAMAGED
        connection.close()
        return None

    def _migrated(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """The connection, once all migrations that its file lacks have been made."""
        try:
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-8192")
            version, tables = _made(connection)
            self._refuse_newer(version)
            _refuse_unless(version or not tables, "the version is lost")
            if version < len(self._migrations):
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("BEGIN IMMEDIATE")
                for migrate in self._migrations[version:]:
                    migrate(connection)
                connection.execute(f"PRAGMA user_version={len(self._migrations)}")
                connection.execute("COMMIT")
                _, tables = _made(connection)
            is_ours = tables == _tables(self._migrations)
            _refuse_unless(is_ours, "the tables are not as they were made")
            connection.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_newer(self, version: int) -> None:
        if version > len(self._migrations):
            reason = "a newer version of rad-lsp has written it: update this one"
            raise sqlite3.NotSupportedError(reason)

    def _fall_back(self, error: sqlite3.DatabaseError) -> None:
        before = self.connection
        self.connection = self._in_memory(error)
        if not is_damage(error):
            # What is known need not be read again, and part of it can't be.
            copy = _connected(MEMORY, 0)
            try:
                before.backup(copy)
            except sqlite3.Error:
                copy.close()
            else:
                self.connection.close()
                self.connection = copy
        before.close()

    def _in_memory(self, error: Exception) -> sqlite3.Connection:
        reason = getattr(error, "strerror", None) or str(error)
        self.trouble = f"{self.path}: {reason.lower()}"
        return self._migrated(_connected(MEMORY, 0))


def _make_private(path: Path) -> None:
    """Let only the user read an index and what SQLite keeps beside it, whatever the umask.

    SQLite gives the files that it makes the permissions of the index: so that is made here. One
    that is there is not opened: to close it would end the locks of this process's connections.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, places.FILE_MODE))
    for suffix in ("", "-wal", "-shm", "-journal"):
        places.make_private(_beside(path, suffix))


def put_aside_path(path: Path) -> Path:
    """Where an index that can't be used is kept until the next one."""
    return _beside(path, ".old")


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error tells that the file is no index, or no longer a whole one."""
    if isinstance(error, sqlite3.OperationalError) and _code(error) is None:
        return True  # that is how Python reports text that is not UTF-8
    return isinstance(error, Damaged | sqlite3.IntegrityError) or _code(error) in {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Whether an error tells that another process has been writing for too long."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def decoded(blob: bytes, form: Any) -> Any:
    """A value of a type that a column of the index holds. Raises Damaged."""
    try:
        return msgspec.msgpack.decode(blob, type=form)
    except msgspec.DecodeError as error:
        raise Damaged(str(error)) from None


def checksum(*columns: str | bytes | float | None) -> int:
    """A number by which damage to these columns of a row is noticed; in SQL it is `seal`."""
    return zlib.crc32(_to_bytes(columns))


def to_column(path: str) -> str | bytes:
    """A path as it is stored; one that is not Unicode can't be stored as text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def from_column(path: str | bytes) -> str:
    """A stored path. Raises Damaged."""
    if not isinstance(path, str | bytes):
        raise Damaged("a path that is none")
    text = os.fsdecode(path) if isinstance(path, bytes) else path
    if "\0" in text:
        raise Damaged("a path that no file can have")
    return text


def _code(error: sqlite3.DatabaseError) -> int | None:
    """SQLite's primary code of an error; None of one that SQLite has not raised."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code and code & 0xFF


def _connected(place: Path | str, patience: float) -> sqlite3.Connection:
    if place != MEMORY:
        _make_private(Path(place))
    made = sqlite3.connect(place, patience, isolation_level=None, check_same_thread=False)
    made.create_function("seal", -1, checksum, deterministic=True)
    made.execute("PRAGMA cell_size_check=ON")
    return made


def _refuse_unless(holds: object, problem: str) -> None:
    if not holds:
        raise Damaged(problem)


def _made(connection: sqlite3.Connection) -> tuple[int, list[tuple[str, ...]]]:
    """The version of an index, and its tables and their indexes. Raises sqlite3.Error."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return version, connection.execute(_SCHEMA).fetchall()
    except sqlite3.OperationalError as error:
        if _code(error) == sqlite3.SQLITE_ERROR:  # a form of file that SQLite does not know
            raise Damaged(str(error)) from None
        raise


@functools.cache
def _tables(migrations: tuple[Migration, ...]) -> list[tuple[str, ...]]:
    """The tables that the migrations make, and their indexes."""
    with contextlib.closing(_connected(MEMORY, 0)) as db:
        for migrate in migrations:
            migrate(db)
        return _made(db)[1]


@contextlib.contextmanager
def _alone(path: Path, patience: float) -> Iterator[None]:
    """Of this user's processes one at a time opens an index. Raises sqlite3.Error."""
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


_to_bytes = msgspec.msgpack.Encoder().encode


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
