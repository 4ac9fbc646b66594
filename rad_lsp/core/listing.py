"""What a list of sessions can show of each, and be sorted by."""

from __future__ import annotations

import difflib
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.core.session import Session

_TEXTS: Final = ("session_id", "title", "source", "project", "branch", "models")
_TIMES: Final = ("last_activity", "start_time", "end_time")

COLUMNS: Final = (*_TEXTS, *_TIMES, *(figure.name for figure in FIGURES))
"""The names of all columns: those of an export as CSV, and the title."""

SORTABLE: Final = tuple(name for name in COLUMNS if name != "title")
"""A title is read from a transcript, and only of sessions that are shown."""


class Order(msgspec.Struct, frozen=True):
    """By what sessions are sorted."""

    column: str
    descending: bool


def columns(text: str) -> tuple[str, ...]:
    """The columns that a user names: `session_id,cost`. Raises ValueError with a sentence."""
    return tuple(_known(name, COLUMNS) for name in text.split(","))


def order(text: str) -> Order:
    """The order that a user names: `cost`, `cost:asc`. Raises ValueError with a sentence.

    Without a direction, times and figures begin with the largest, texts are in alphabetical order.
    """
    name, _, direction = text.partition(":")
    column = _known(name, SORTABLE)
    if direction not in {"", "asc", "desc"}:
        raise ValueError(f"{direction!r} is no direction: asc or desc.")
    return Order(column, direction == "desc" if direction else column not in _TEXTS)


def value(column: str) -> Callable[[Session], Any]:
    """What sessions are sorted by: a text, a time or a number; None where it is not known."""
    if column in _VALUES:
        return _VALUES[column]
    return figures.named(column).value


_VALUES: Final[dict[str, Callable[[Session], Any]]] = {
    "session_id": attrgetter("id"),
    "source": attrgetter("source"),
    "project": lambda session: session.project or None,
    "branch": lambda session: session.branch or None,
    "models": lambda session: figures.model_names(session) or None,
    "last_activity": figures.last_activity,
    "start_time": attrgetter("start_time"),
    "end_time": attrgetter("end_time"),
}


def _known(name: str, names: Sequence[str]) -> str:
    name = name.strip()
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"{name!r} is no column. {hint}There are {', '.join(names)}.")
