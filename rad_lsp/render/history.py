"""A page of sessions as a table: the manual's, or one that tells sessions of agents apart."""

from __future__ import annotations

import re
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from rad_lsp.core import figures, listing, period, wording
from rad_lsp.core.session import RADIUM
from rad_lsp.core.wording import NOT_AVAILABLE, printable
from rad_lsp.render import layout, notes
from rad_lsp.render.table import Column, cut, laid_out
from rad_lsp.render.text import below, joined, plain, title

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.session import Session
    from rad_lsp.render.text import Paint
    from rad_lsp.service import Page

_MANUAL: Final = {
    "session_id": 26,
    "wall_time": 18,
    "tool_calls": 12,
    "success_rate": 14,
    "cost": 0,
}
"""The columns of the manual's table, and their least widths."""

_RULE: Final = 85
_HEADERS: Final = {
    "session_id": "Session ID",
    "wall_time": "Duration",
    "last_activity": "Last Active",
    "start_time": "Start",
    "end_time": "End",
    "models": "Model",
    "total_tokens": "Tokens",
}
"""Where the header is not the label of a figure or the name itself."""

_GIVE_WAY: Final = (
    "title", "project", "wall_time", "total_tokens", "models", "tool_calls", "source",
    "success_rate", "branch",
)  # fmt: skip
"""The columns that are left out where there is no room, the most important first."""

_ALIGNED_LEFT: Final = frozenset({*_MANUAL})
_WIDEST: Final = {"title": 40, "project": 20, "branch": 20, "models": 30}
"""Cells of a text from a file: a longer one is cut."""

_BESIDE_TITLE: Final = 60
"""Cells of the columns that never give way to a title."""

_SEPARATOR: Final = re.compile(r"[/\\]+")


def text(
    page: Page,
    paint: Paint = plain,
    *,
    columns: Sequence[str] = (),
    titles: Mapping[str, str] | None = None,
    zone: tzinfo | None = None,
    width: int | None = None,
) -> str:
    """A page of sessions, with these columns.

    Without any: those of the manual, where there are only reports, else those that tell sessions
    apart. `titles` are those of sessions, by id. Times are in `zone`, local when that is None;
    `width` is the number of cells of a line, None is without limit.
    """
    names = tuple(columns) or _columns(page, has_titles=titles is not None)
    is_manual = names == tuple(_MANUAL)
    widest = _WIDEST["title"]
    if width is not None:
        widest = min(widest, max(width - _BESIDE_TITLE, 8))
    texts = {
        "project": short_names({session.project for session in page.sessions}),
        "title": {one: cut(printable(title), widest) for one, title in (titles or {}).items()},
    }
    rows = [[_cell(name, session, texts, zone) for name in names] for session in page.sessions]
    shown = [_column(name, least=_MANUAL[name] if is_manual else 0) for name in names]
    table = laid_out(shown, rows, _RULE if is_manual else 0, width)
    heading = paint("title", "Recent Session Summaries")
    return joined([heading, "", *table.lines, *below(table.note, notes.of_sessions(page.sessions))])


def short_names(paths: Collection[str]) -> dict[str, str]:
    """The shortest end of each path that no other one has: `api`, or `shop/api` and `blog/api`."""
    parts = {path: _SEPARATOR.split(path.rstrip("/\\")) for path in paths}
    ends = Counter(end for own in parts.values() for end in _ends(own))
    return {
        path: "/".join(next((end for end in _ends(own) if ends[end] == 1), own))
        for path, own in parts.items()
    }


def _ends(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The ends of a path, the shortest first."""
    return (tuple(parts[-length:]) for length in range(1, len(parts) + 1))


def _columns(page: Page, *, has_titles: bool) -> tuple[str, ...]:
    if page.sources <= {RADIUM} and not has_titles:
        return tuple(_MANUAL)
    several = {
        "title": has_titles,
        "source": len(page.sources) > 1,
        "project": len({session.project for session in page.sessions}) > 1,
        "branch": len({session.branch for session in page.sessions}) > 1,
    }
    return (
        "last_activity",
        "session_id",
        *(name for name, is_shown in several.items() if is_shown),
        *("wall_time", "models", "total_tokens", "tool_calls", "success_rate", "cost"),
    )


def _column(name: str, least: int) -> Column:
    gives_way = _GIVE_WAY.index(name) + 1 if name in _GIVE_WAY else 0
    labels = {figure.name: figure.label for figure in figures.FIGURES}
    header = _HEADERS.get(name) or title(labels.get(name, name))
    align_right = name in labels and name not in _ALIGNED_LEFT
    return Column(header, ">" if align_right else "<", least, gives_way)


def _cell(
    name: str, session: Session, texts: Mapping[str, Mapping[str, str]], zone: tzinfo | None
) -> str:
    if name in _CELLS:
        return _CELLS[name](session)
    if name == "title":
        return texts["title"].get(session.id) or NOT_AVAILABLE
    if name == "project":
        return _text(name, texts["project"][session.project])
    if name in {"start_time", "end_time", "last_activity"}:
        return _moment(listing.value(name)(session), zone)
    return wording.reading(figures.named(name), session)


def _models(session: Session) -> str:
    """The model that used most tokens, and how many others there are."""
    first, *others = figures.model_names(session) or ("",)
    return _text("models", first) + f" +{len(others)}" * bool(others)


def _moment(moment: datetime | None, zone: tzinfo | None) -> str:
    return NOT_AVAILABLE if moment is None else wording.moment(period.local(moment, zone))


def _text(name: str, said: str) -> str:
    return cut(printable(said), _WIDEST[name]) or NOT_AVAILABLE


_CELLS: Final[Mapping[str, Callable[[Session], str]]] = {
    "session_id": lambda session: wording.short_id(session.id),
    "source": attrgetter("source"),
    "branch": lambda session: _text("branch", session.branch),
    "models": _models,
    "wall_time": layout.duration,
    "tool_calls": lambda session: str(session.tool_calls),
}
"""What a cell holds where that is not how its figure reads."""
