"""Converts bytes of a document to LSP positions and back, in the encoding of the client."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias

from lsprotocol import types

if TYPE_CHECKING:
    from rad_lsp.core.document import Span

Encoding: TypeAlias = types.PositionEncodingKind

_UNIT_BYTES = {
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    types.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}

_STEP = 4096
"""Bytes of a line from one place whose units are remembered to the next."""

_MANY = 2**63


class Positions:
    """The lines of a document. Every byte offset and every position is converted, valid or not."""

    def __init__(self, data: bytes, encoding: Encoding) -> None:
        self._data = data
        self._encoding = encoding
        self._starts = [0, *(found.end() for found in re.finditer(rb"\r\n|\n|\r", data))]
        self._is_bytes = encoding == types.PositionEncodingKind.Utf8 or data.isascii()
        self._marks_of: dict[int, list[tuple[int, int]]] = {}

    def position(self, offset: int) -> types.Position:
        """The position of a byte; for an offset beyond the end, the end's."""
        offset = max(0, min(offset, len(self._data)))
        line = bisect_right(self._starts, offset) - 1
        if self._is_bytes:
            return types.Position(line, offset - self._starts[line])
        # From the mark before it, so that a long line is not counted from its start each time.
        marks = self._marks(line, offset)
        place, units = marks[bisect_right(marks, (offset, _MANY)) - 1]
        return types.Position(line, units + self._units(place, offset))

    def _marks(self, line: int, offset: int) -> list[tuple[int, int]]:
        """Places in a line, in its order, each with the number of units before it."""
        marks = self._marks_of.setdefault(line, [(self._starts[line], 0)])
        while marks[-1][0] + _STEP < offset:
            place, units = marks[-1]
            end = place + _STEP
            for _ in range(3):  # where it is within a character, its beginning
                end -= self._data[end] & 0xC0 == 0x80  # noqa: PLR2004
            marks.append((end, units + self._units(place, end)))
        return marks

    def _units(self, start: int, end: int) -> int:
        part = self._data[start:end]
        if part.isascii():
            return len(part)
        codec, unit = _UNIT_BYTES[self._encoding]
        return len(_decoded(part).encode(codec, "surrogatepass")) // unit

    def offset(self, position: types.Position) -> int:
        """The byte at a position; beyond the end of a line, the line's end."""
        if position.line >= len(self._starts):
            return len(self._data)
        start = self._starts[position.line]
        if self._is_bytes:
            return min(start + position.character, self._end(position.line))
        end = self._starts[position.line + 1] if position.line + 1 < len(self._starts) else None
        line = self._data[start:end].rstrip(b"\r\n")
        if line.isascii():
            return start + min(position.character, len(line))
        codec, unit = _UNIT_BYTES[self._encoding]
        units = _decoded(line).encode(codec, "surrogatepass")[: position.character * unit]
        before = units.decode(codec, "surrogatepass") if _is_whole(units, codec) else None
        if before is None:  # the position is within a character: take its beginning
            before = units[:-unit].decode(codec, "surrogatepass")
        return min(start + len(before.encode("utf-8", "surrogatepass")), start + len(line))

    def _end(self, line: int) -> int:
        """Where the text of a line ends."""
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._data)
        while end > self._starts[line] and self._data[end - 1] in b"\r\n":
            end -= 1
        return end

    def range(self, span: Span) -> types.Range:
        """The range of a span of bytes."""
        return types.Range(self.position(span[0]), self.position(span[1]))


def _decoded(data: bytes) -> str:
    """The text of bytes that need not be valid UTF-8."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _is_whole(units: bytes, codec: str) -> bool:
    """Whether the last unit is anything but the first half of a surrogate pair."""
    last = units[-2:]
    return codec != "utf-16-le" or len(last) < 2 or not 0xD8 <= last[1] <= 0xDB  # noqa: PLR2004
