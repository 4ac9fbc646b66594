"""Bars beside the numbers of a table, on a terminal."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 8
"""Cells of the longest bar."""

_EIGHTHS: Final = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(size: float, peak: float) -> str:
    """A bar of up to `LONGEST` cells, which a size of `peak` has; any size above 0 can be seen."""
    if size <= 0 or peak <= 0:
        return ""
    whole, rest = divmod(max(round(8 * LONGEST * size / peak), 1), 8)
    return "█" * whole + _EIGHTHS[rest]
