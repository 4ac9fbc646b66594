"""Reads files of a work tree, up to a number of bytes, where git is not to read them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from rad_lsp.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES: Final = 1 << 20

# git takes a file for binary if there is a NUL in so many bytes.
_BINARY_BYTES: Final = 8000

_LFS_POINTER: Final = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


class Stamp(NamedTuple):
    """What tells one content of a file from another, without the content."""

    size: int
    """Bytes."""
    time: int
    """When the file was last changed, in nanoseconds since the epoch."""
    objects: frozenset[bytes] = frozenset()
    """git's names for the content and for Git LFS's pointer to it; none if it was not read."""

    def is_same(self, other: Stamp | None) -> bool:
        """Whether both belong to the same content, as far as they tell."""
        if other is None:
            return False
        if self.objects and other.objects:
            return self.objects == other.objects
        return (self.size, self.time) == (other.size, other.time)


class Contents:
    """Reads files, each once until it changes, and no more than `read_bytes` until `reset`."""

    def __init__(self, hash_name: str, read_bytes: int) -> None:
        self._hash_name = hash_name
        self._read_bytes = read_bytes
        self._left = read_bytes
        self._lines: dict[tuple[str, int, int], int] = {}
        self._objects: dict[tuple[str, int, int], frozenset[bytes]] = {}

    def reset(self) -> None:
        """Allow as many bytes as at first to be read from now on."""
        self._left = self._read_bytes

    def stamp(self, path: str, status: os.stat_result, *, read: bool) -> Stamp:
        """The stamp of a file; with the names of its content if `read`, and if it can be read."""
        stamp = Stamp(status.st_size, status.st_mtime_ns)
        if not read:
            return stamp
        key = (path, *stamp[:2])
        if key not in self._objects and self._may_read(status.st_size):
            try:
                self._objects[key] = self._names(path, status.st_size)
            except OSError:
                return stamp
        return stamp._replace(objects=self._objects.get(key, frozenset()))

    def lines(self, path: str, stamp: Stamp) -> int | None:
        """How many lines git would count, 0 in a binary file; None if it can't be read."""
        key = (path, *stamp[:2])
        if key not in self._lines and self._may_read(stamp.size):
            try:
                self._lines[key] = _count_lines(path)
            except OSError:
                return None
        return self._lines.get(key)

    def _may_read(self, size: int) -> bool:
        self._left -= size
        return self._left >= 0

    def _names(self, path: str, size: int) -> frozenset[bytes]:
        raw = self._header_hash(size)
        digest = hashlib.sha256()
        for block in _blocks(path):
            raw.update(block)
            digest.update(block)
        text = _LFS_POINTER.format(digest.hexdigest(), size).encode("ascii")
        pointer = self._header_hash(len(text))
        pointer.update(text)
        return frozenset(name.hexdigest().encode("ascii") for name in (raw, pointer))

    def _header_hash(self, size: int) -> hashlib._Hash:
        """The beginning of git's name for a content of that size: a hash of its header."""
        return hashlib.new(self._hash_name, b"blob %d\0" % size, usedforsecurity=False)


def file_status(path: str) -> os.stat_result | None:
    """The status of a regular file or symbolic link; None for what git does not keep."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) else None


def is_beyond_link(root: str, name: str) -> bool:
    """Whether a folder between `root` and the file is a symbolic link, which git never follows."""
    folders = PurePosixPath(name).parents[:-1]
    try:
        return any(stat.S_ISLNK(Path(root, folder).lstat().st_mode) for folder in folders)
    except OSError:
        return True


def _count_lines(path: str) -> int:
    lines, last = 0, b"\n"
    for number, block in enumerate(_blocks(path)):
        if number == 0 and b"\0" in block[:_BINARY_BYTES]:
            return 0
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last != b"\n")


def _blocks(path: str) -> Iterator[bytes]:
    with open_regular(path) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
