"""The facts of a report page: sessions, what they used by hour and model, and their tool calls.

Nothing is added up over sessions here: the page does that, for those that its reader looks at.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp import service
from rad_lsp.core import cost, figures, money
from rad_lsp.core.budget import Outlook
from rad_lsp.core.limits import Limit
from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period, local
from rad_lsp.core.session import Child, Nanoseconds, Session
from rad_lsp.core.spending import SLOT_SECONDS, Spending
from rad_lsp.core.tokens import NO_TOKENS, Tokens
from rad_lsp.core.trend import Calls
from rad_lsp.service import budget, limits, trend
from rad_lsp.store.snapshot import Snapshot
from rad_lsp.store.totals import ToolTotal, When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from rad_lsp.service import Store
    from rad_lsp.service.trend import Prices
    from rad_lsp.settings import Settings
    from rad_lsp.store.totals import Dimension

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_LEAST: Final = 12
"""Characters of an id that tell a session, as a rule also from those to come."""


class Used(msgspec.Struct, frozen=True, gc=False):
    """What one session used of one model in one hour on the user's clock, counted since 1970.

    `session` is its place among the sessions. `savings` are USD by the cache, None where they are
    not known. What a session cost beside its models is of a model without a name.
    """

    session: int
    hour: int
    model: str
    requests: int
    tokens: Tokens
    money: Money
    savings: float | None


class Called(msgspec.Struct, frozen=True, gc=False):
    """The calls of one tool by one session on one day of the user.

    `time` is what they took together, in nanoseconds, None where that is not known.
    """

    session: int
    day: date
    tool: str
    calls: Calls
    time: Nanoseconds | None


class Report(msgspec.Struct, frozen=True):
    """What a report page is made of. Sessions are newest first, with what they spent in a period.

    `ids` are beginnings of the sessions' ids that no others have, `times` when each began and was
    last active: nothing on the page has happened before 1970 or in the future, whatever a file
    says. `skipped` counts files that can't be read.
    """

    now: datetime
    within: Period
    sessions: tuple[Session, ...]
    ids: tuple[str, ...]
    times: tuple[tuple[datetime, datetime], ...]
    usage: tuple[Used, ...]
    calls: tuple[Called, ...]
    budgets: tuple[Outlook, ...]
    limits: tuple[Limit, ...]
    skipped: int


class Read(msgspec.Struct, frozen=True):
    """What a report needs of a store, which may go on with other work then."""

    now: datetime
    within: Period
    snapshot: Snapshot
    tools: tuple[ToolTotal, ...]
    budgets: tuple[Outlook, ...]
    limits: tuple[Limit, ...]


def read(
    store: Store, root: Path, settings: Settings, now: datetime, within: Period = ALWAYS
) -> Read:
    """What a store has read of all its sessions; `root` is its workspace.

    Raises sqlite3.DatabaseError.
    """
    by: tuple[Dimension, ...] = ("source", "session", "day", "tool")
    return Read(
        now,
        within,
        store.snapshot,
        tuple(store.sums.tools(by, When(within, settings.zone))),
        budget.overview(store, store.snapshot, root, settings, now).rows,
        limits.status(store.machine, now),
    )


def of(found: Read, zone: tzinfo | None, prices: Prices) -> Report:
    """The facts; no store is needed any more."""
    sessions = tuple(service.cut(found.snapshot, found.within))
    latest = found.now + figures.CLOCK_SKEW
    times = tuple(_times(session, latest) for session in sessions)
    return Report(
        now=found.now,
        within=found.within,
        sessions=sessions,
        ids=_beginnings(found.snapshot, sessions),
        times=times,
        usage=tuple(_usage(sessions, times, prices, zone)),
        calls=_calls(sessions, times, found.tools, zone),
        budgets=found.budgets,
        limits=found.limits,
        skipped=len(found.snapshot.skipped),
    )


def _times(session: Session, latest: datetime) -> tuple[datetime, datetime]:
    """When a session began and was last active, as far as that can be."""
    last = figures.last_activity(session)
    if last > latest:
        last = figures.last_before(session, latest) or latest
    return max(min(session.start_time, latest), _EPOCH), max(last, _EPOCH)


def _usage(
    sessions: Sequence[Session],
    times: Sequence[tuple[datetime, datetime]],
    prices: Prices,
    zone: tzinfo | None,
) -> Iterator[Used]:
    hour_of = _hours(zone)
    rows = [_rows(session) for session in sessions]
    names = trend.model_names((row.model for of_one in rows for row in of_one), prices)
    for number, (of_one, (_, last)) in enumerate(zip(rows, times, strict=True)):
        latest = int(last.timestamp()) // SLOT_SECONDS
        groups: dict[tuple[int, str], list[Spending]] = {}
        for row in of_one:
            slot = max(min(row.slot, latest), 0)
            groups.setdefault((hour_of(slot), names[row.model]), []).append(row)
        for (hour, model), group in groups.items():
            yield Used(
                number,
                hour,
                model,
                sum([row.requests for row in group]),
                sum([row.tokens for row in group], NO_TOKENS),
                money.total([row.money for row in group]),
                _saved(group, prices),
            )


def _rows(session: Session) -> Sequence[Spending]:
    """All that a session spent; at least one row, so that it is known whether that is known."""
    rows = cost.rows_of(session)
    rest = Money(cost.rest_of(session, rows)) if rows else session.money
    if rows and not rest.usd:
        return rows
    slot = int(figures.last_activity(session).timestamp()) // SLOT_SECONDS
    return [*rows, Spending(slot, "", "", "", 0, True, 0, NO_TOKENS, rest)]  # noqa: FBT003


def _saved(rows: Sequence[Spending], prices: Prices) -> float | None:
    """USD that the cache saved: nothing without a cache, None where no price is known."""
    if any(row.tokens.cache_read or row.tokens.cache_write for row in rows):
        return cost.savings_of(rows, prices).usd
    return 0.0


def _beginnings(snapshot: Snapshot, sessions: Iterable[Session]) -> tuple[str, ...]:
    """For each session the shortest beginning of its id, from some length on, that is its alone."""
    ordered = sorted(snapshot.by_id)
    shared = [0, *(_alike(*pair) for pair in pairwise(ordered)), 0]
    length = {one: max(_LEAST, 1 + max(shared[at : at + 2])) for at, one in enumerate(ordered)}
    return tuple(session.id[: length[session.id]] for session in sessions)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _calls(
    sessions: Sequence[Session],
    times: Sequence[tuple[datetime, datetime]],
    totals: Iterable[ToolTotal],
    zone: tzinfo | None,
) -> tuple[Called, ...]:
    """The tool calls, by session.

    Those of an agent's session that is part of a tracked one are the tracked one's.
    """
    places = {
        (one.source, one.session_id): number
        for number, session in enumerate(sessions)
        for one in (*session.children, Child(session.source, session.id))
    }
    days = [local(last, zone).date() for _, last in times]
    found = []
    for total in totals:
        source, session_id, day, tool = total.key
        place = places.get((source, session_id))
        if place is not None:  # of several reports with one id only one counts
            calls = Calls(total.ok, total.failed, total.denied, total.unknown)
            time = None if total.duration is None else total.duration * _NANOSECONDS
            possible = max(min(day, days[place]), _EPOCH.date())
            found.append(Called(place, possible, tool, calls, time))
    found.sort(key=attrgetter("session"))
    return tuple(found)


def _hours(zone: tzinfo | None) -> Callable[[int], int]:
    """Tells the hour on the user's clock, counted since 1970, in which a slot begins."""

    @cache
    def hour(slot: int) -> int:
        moment = _EPOCH + timedelta(seconds=slot * SLOT_SECONDS)
        return int((local(moment, zone).replace(tzinfo=UTC) - _EPOCH) // _HOUR)

    return hour
