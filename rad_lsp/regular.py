"""Reading files that someone else may have put there: never a pipe or a device, never too much."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO, Final

# Opening a FIFO must not wait for a writer. Windows knows neither flag, but text mode.
OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotRegularFile(OSError):
    """Something lies there that can't simply be read to its end, such as a FIFO."""


class TooLarge(OSError):
    """The file has more bytes than it may have."""


def open_regular(path: str) -> BinaryIO:
    """A regular file, open for reading. Raises OSError; NotRegularFile for a FIFO, for example."""
    descriptor = os.open(path, OPEN_FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularFile(f"{path} is no regular file")
    return open(descriptor, "rb")  # noqa: PTH123  (a descriptor is no path)


def read_small(path: str, most: int) -> bytes:
    """All of a regular file of at most so many bytes.

    Raises OSError; NotRegularFile, TooLarge.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"{path} has more than {most:,} bytes")
    return data
