"""Files that may grow while they are read: whole lines of them, and how to tell them again."""

from __future__ import annotations

import os
import stat
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from rad_lsp.sources.radium import OPEN_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

CHUNK: Final = 1 << 20
"""Bytes read at a time."""

MAX_LINE: Final = 32 << 20
"""A longer line is skipped, and counted."""

MAX_WHOLE: Final = 64 << 20
"""A file that is not made of lines is not read when it has more bytes than this."""

_BEGINNING: Final = 32
"""Bytes of a line that is too long that are kept."""

_TAIL: Final = 1 << 10
"""Bytes before a place in a file, by which it is known again."""

Stamp: TypeAlias = tuple[int, float, float]
"""Of a file: its size, and when its content and anything of it was changed, in seconds."""

_NO_STAMP: Final[Stamp] = (0, 0.0, 0.0)
_LARGEST: Final = 2**63 - 1


def stamp(path: str) -> Stamp:
    """What changes when a file does; the same for all that can't be looked at."""
    try:
        return _stamp_of(os.stat(path))  # noqa: PTH116  (a Path each would slow the scan)
    except OSError:
        return _NO_STAMP


class Growing:
    """A file that is open until its context ends, as large as it was when it was opened.

    What is no regular file is never waited for. Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, OPEN_FLAGS)
        status = os.fstat(self._descriptor)
        self.is_regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size
        self.stamp: Stamp = _stamp_of(status)
        self.inode = status.st_ino & _LARGEST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def tail(self, offset: int) -> bytes:
        """What the file is known by again: a digest of the bytes before a place. Raises OSError.

        Not the bytes themselves, which are part of a conversation.
        """
        import hashlib  # takes a while to load, and a status line is in a hurry

        begin = max(0, offset - _TAIL)
        os.lseek(self._descriptor, begin, os.SEEK_SET)
        data = os.read(self._descriptor, offset - begin)
        return hashlib.blake2b(data, digest_size=16).digest()

    def lines(self, offset: int) -> Iterator[tuple[bytes, int]]:
        """Whole lines from a place on, many at a time, and the place where they end.

        What follows after the last line feed is not a line yet. Of a line that is too long only
        the beginning comes, so that it is counted. Raises OSError.
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

    def whole(self) -> Iterator[tuple[bytes, int]]:
        """All of the file at once, and its length. Raises OSError."""
        data = b""
        while chunk := self._read(len(data)):
            data += chunk
        yield data, len(data)

    def _read(self, offset: int) -> bytes:
        """The bytes at a place, where the file stands; none at its end."""
        left = self.size - offset
        return os.read(self._descriptor, min(CHUNK, left)) if left > 0 else b""


# The time of the last change of its permissions counts, too: it may be readable now.
_stamp_of = attrgetter("st_size", "st_mtime", "st_ctime")
