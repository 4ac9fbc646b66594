"""What of a file is new: a stamp that changes when it does, its whole lines, all of its bytes."""

from __future__ import annotations

import os
import stat
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core import problems
from rad_lsp.core.problems import Problem
from rad_lsp.regular import OPEN_FLAGS
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

CHUNK: Final = 1 << 20
"""Bytes read at a time."""

MAX_LINE: Final = 32 << 20
"""A longer line is skipped, and counted."""

_BEGINNING: Final = 32
"""Bytes of a line that is too long that are kept."""

_TAIL: Final = 1 << 10
"""Bytes before a place in a file, by which it is recognised."""

_LARGEST: Final = 2**63 - 1


def stamp(path: str) -> int:
    """A number that changes when the file does; 0 when it can't be had."""
    try:
        return stamp_of(os.stat(path))  # noqa: PTH116  (a Path each would slow a scan)
    except OSError:
        return 0


def written(path: str) -> int:
    """When a file was written, in nanoseconds since the epoch; 0 when that can't be had."""
    try:
        return _written(os.stat(path))  # noqa: PTH116  (it raises for a path with NUL, too)
    except (OSError, ValueError):
        return 0


def is_gone(path: str) -> bool:
    """Whether there is no file at a path, rather than one that may not be looked at."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


class File:
    """A file that is open until its context ends, as large as it was when it was opened.

    Raises OSError. A pipe or a device is never waited for.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, OPEN_FLAGS)
        status = os.fstat(self._descriptor)
        self.mode = status.st_mode
        self.size = status.st_size
        self.stamp = stamp_of(status)
        self.written = _written(status)
        self.inode = status.st_ino & _LARGEST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def problem(self, *, whole: bool) -> Problem | None:
        """What keeps it from being read; one that is read as a `whole` has a largest size."""
        from rad_lsp.core.report import MAX_BYTES, too_large  # where nothing is new, none is read

        if not stat.S_ISREG(self.mode):
            return _not_a_file(self.mode)
        return too_large(self.size) if whole and self.size > MAX_BYTES else None

    def tail(self, offset: int) -> bytes:
        """A digest of the bytes before a place, by which the file is recognised. Raises OSError.

        Not the bytes themselves, which are part of a conversation.
        """
        import hashlib  # takes a while to load, and a status line must not wait

        begin = max(0, offset - _TAIL)
        os.lseek(self._descriptor, begin, os.SEEK_SET)
        data = os.read(self._descriptor, offset - begin)
        return hashlib.blake2b(data, digest_size=16).digest()

    def lines(self, offset: int) -> Iterator[tuple[bytes, int]]:
        """Whole lines from a place on, many at a time, and the place where they end.

        What follows after the last line feed is not a line yet. Of a line that is too long only
        the beginning is given, so that it is counted. Raises OSError.
        """
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        rest = b""
        too_long = False
        while chunk := self._read(offset):
            end = chunk.rfind(b"\n") + 1
            if end:
                first = chunk.index(b"\n") if too_long else 0
                yield rest + chunk[first:end], offset + end
                rest, too_long = chunk[end:], False
            elif not too_long:
                rest += chunk
                if len(rest) > MAX_LINE:
                    rest, too_long = rest[:_BEGINNING], True
            offset += len(chunk)

    def ends_line(self, offset: int) -> bool:
        """Whether a line ends at a place. Raises OSError."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, 1) in {b"\r", b"\n"}

    def last_line(self, offset: int) -> bytes:
        """What follows after the last line feed, where it is a whole record of JSON; else "".

        Raises OSError.
        """
        if not 0 < self.size - offset <= MAX_LINE:
            return b""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        line = b""
        while chunk := self._read(offset + len(line)):
            line += chunk
        if not line.rstrip().endswith(b"}"):
            return b""
        try:
            msgspec.json.decode(line, type=msgspec.Raw)
        except (ValueError, RecursionError):
            return b""
        return line

    def whole(self) -> Iterator[tuple[bytes, int]]:
        """All of the file at once, and its length. Raises OSError.

        A file that is being written in place may be shorter or longer than it was a moment ago.
        """
        from rad_lsp.core.report import MAX_BYTES

        data = os.read(self._descriptor, self.size + 1)
        while len(data) != self.size and (chunk := os.read(self._descriptor, CHUNK)):
            data += chunk
            if len(data) > MAX_BYTES:
                break
        yield data, len(data)

    def _read(self, offset: int) -> bytes:
        """The bytes at a place; none at the end that the file had when it was opened."""
        left = self.size - offset
        return os.read(self._descriptor, min(CHUNK, left)) if left > 0 else b""


def read_whole(path: str) -> bytes | Problem | None:
    """All of a file, or what keeps it from being read; None when there is none."""
    try:
        with File(path) as file:
            problem = radium.refusal(path) or file.problem(whole=True)
            return problem or next(file.whole())[0]
    except OSError as error:
        return problem_of(path, error)


def problem_of(path: str, error: OSError) -> Problem | None:
    """What keeps a file from being read; None when it is gone."""
    if isinstance(error, FileNotFoundError) and not os.path.lexists(path):
        return None
    if isinstance(error, PermissionError):
        if os.path.isdir(path):  # noqa: PTH112  (Path.is_dir may raise; Windows opens no folder)
            return _not_a_file(stat.S_IFDIR)
        message = "The file may not be read: permission denied"
        return Problem(problems.NO_PERMISSION, message)
    reason = (error.strerror or type(error).__name__).lower()
    return Problem(problems.UNREADABLE, f"The file can't be read: {reason}")


def _not_a_file(mode: int) -> Problem:
    kind = (
        "a folder" if stat.S_ISDIR(mode) else "a named pipe" if stat.S_ISFIFO(mode) else "a device"
    )
    return Problem(problems.NOT_A_FILE, f"It is {kind}, not a file")


def _written(status: os.stat_result) -> int:
    """The time of the last write; some file systems keep times of any year."""
    return min(max(0, status.st_mtime_ns), _LARGEST)


# The time of the last change of its permissions counts, too: it may be readable now.
_marks = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")


def stamp_of(status: os.stat_result) -> int:
    """The stamp of a file, from its status."""
    return hash(_marks(status))
