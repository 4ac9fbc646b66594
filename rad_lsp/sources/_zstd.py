"""Text that is compressed with zstd, read as a stream: little of it is in memory at a time."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

SUFFIX: Final = ".zst"

PIECE: Final = 1 << 20
"""Bytes of text at a time."""

LARGEST: Final = 4 << 30
"""Bytes of text. Few bytes can stand for any number of them, so there must be an end."""

_BLOCK: Final = 1 << 14
"""Compressed bytes at a time."""


class UnreadableError(Exception):
    """The rest can't be read; the message is a sentence that says why."""


def blocks(data: bytes) -> Iterator[bytes]:
    """Compressed bytes in the amounts in which they are decompressed."""
    for start in range(0, len(data), _BLOCK):
        yield data[start : start + _BLOCK]


def text(compressed: Iterable[bytes]) -> Iterator[bytes]:
    """The text in pieces that end anywhere. Raises UnreadableError behind what can be read."""
    zstd = _library()
    frame: Any = None
    is_whole = False
    size = 0
    try:
        for block in compressed:
            data = block
            while data or (frame is not None and not frame.needs_input):
                frame = frame or zstd.ZstdDecompressor()
                piece = frame.decompress(data, PIECE)
                data = b""
                size += len(piece)
                if size > LARGEST:
                    message = f"The text is larger than {LARGEST >> 30} GiB"
                    raise UnreadableError(message)
                yield piece
                if frame.eof:  # another frame may follow
                    data, frame, is_whole = frame.unused_data, None, True
    except zstd.ZstdError as error:
        message = f"The compressed data are damaged: {error}"
        raise UnreadableError(message) from None
    if frame is not None or not is_whole:
        message = "The compressed data end too early"
        raise UnreadableError(message)


@functools.cache
def _library() -> ModuleType:
    # Few files are compressed, and a status line must not wait.
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:  # Python can be built without it
        message = "This Python can't decompress zstd"
        raise UnreadableError(message) from None
    return zstd  # type: ignore[no-any-return, unused-ignore]  # what is known of it varies
