"""Tables as text, laid out in one way: as wide as the manual has them, or as wide as fits."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP: Final = "  "
_LEAST: Final = 4
"""To how many cells the text of a column may be cut."""


class Column(msgspec.Struct, frozen=True):
    """A column with its header.

    `least` is its least width where there is room. Where there is none, the column with the
    highest `gives_way` is left out first; one with 0 always stays.
    """

    header: str
    align: Literal["<", ">"] = "<"
    least: int = 0
    gives_way: int = 0


class Table(msgspec.Struct, frozen=True):
    """The lines of a table: header, rule and rows; `omitted` are headers of columns left out."""

    head: str
    rule: str
    rows: tuple[str, ...]
    omitted: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """All lines."""
        return [self.head, self.rule, *self.rows]

    @property
    def note(self) -> str:
        """A sentence that names the columns left out; empty where none is."""
        if not self.omitted:
            return ""
        return f"Left out, for lack of width: {', '.join(self.omitted)}."


def cells(text: str) -> int:
    """The number of terminal cells that a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    import wcwidth

    return max(wcwidth.wcswidth(text), 0)


def cut(text: str, width: int) -> str:
    """A text in at most `width` cells, with `…` where it is cut."""
    if cells(text) <= width:
        return text
    kept = bisect_right(range(len(text)), width - 1, key=lambda end: cells(text[:end])) - 1
    return text[: max(kept, 0)] + "…"


def folded(text: str, width: int | None, indent: str = "") -> list[str]:
    """A text in lines of at most `width` cells, broken between words, each behind an indent.

    A word that is longer has a line of its own.
    """
    lines = [indent]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] != indent else indent + word
        if width is None or cells(longer) <= width or lines[-1] == indent:
            lines[-1] = longer
        else:
            lines.append(indent + word)
    return lines


def laid_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    rule: int = 0,
    width: int | None = None,
) -> Table:
    """Rows below the headers of their columns.

    The rule is as long as the longest line, and at least `rule` cells. `width` is the number of
    cells that a line may take; None is without limit. Where the table is wider, columns lose the
    width that they don't need, then give way, and at last the widest text is cut.
    """
    kept = list(range(len(columns)))
    needed = [
        max(cells(column.header), *(cells(row[place]) for row in rows), 0)
        for place, column in enumerate(columns)
    ]
    widths = [max(column.least, need) for column, need in zip(columns, needed, strict=True)]
    if width is not None and _total(kept, widths) > width:
        widths = needed
        while _total(kept, widths) > width:
            place = max(kept, key=lambda one: columns[one].gives_way)
            if not columns[place].gives_way:
                break
            kept.remove(place)
        while (excess := _total(kept, widths) - width) > 0:
            widest = max(kept, key=widths.__getitem__)
            if widths[widest] <= _LEAST:
                break
            second = max((widths[one] for one in kept if one != widest), default=0)
            widths[widest] = max(widths[widest] - excess, min(second, widths[widest] - 1), _LEAST)
    lines = []
    for row in ([column.header for column in columns], *rows):
        padded = []
        for place in kept:
            text = cut(row[place], widths[place])
            space = " " * (widths[place] - cells(text))
            padded.append(text + space if columns[place].align == "<" else space + text)
        lines.append(_GAP.join(padded).rstrip())
    longest = max(rule, *map(cells, lines))
    return Table(
        lines[0],
        "─" * (longest if width is None else min(longest, width)),
        tuple(lines[1:]),
        tuple(column.header for place, column in enumerate(columns) if place not in kept),
    )


def _total(kept: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[place] for place in kept) + len(_GAP) * (len(kept) - 1)
