"""Which models, or engines, were used: one session's rows or those of many added up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rad_lsp.core import figures, money, naming
from rad_lsp.core.session import Usage
from rad_lsp.core.spending import SLOT_SECONDS
from rad_lsp.core.tokens import NO_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.naming import Naming
    from rad_lsp.core.period import Period
    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import Spending

Kind = Literal["model", "engine"]


class UsageTable(msgspec.Struct, frozen=True):
    """Usage per model or engine of `sessions` sessions, and of all rows together.

    `spellings` are those of rows that have several, by the row's name. `without_engine` are the
    ids of sessions that don't name the engine of all of their requests; the row of these requests
    has no name.
    """

    kind: Kind
    sessions: int
    rows: tuple[Usage, ...]
    total: Usage
    spellings: dict[str, tuple[str, ...]] = {}
    without_engine: tuple[str, ...] = ()


def table(sessions: Iterable[Session], kind: Kind, name: Naming = naming.as_recorded) -> UsageTable:
    """Usage of all `sessions` added up, rows by total tokens descending, then by name.

    Models that `name` gives one name are one row.
    """
    count = 0
    groups: dict[str, list[Usage]] = {}
    without_engine: list[str] = []
    for session in sessions:
        count += 1
        usages = session.models if kind == "model" else _engines(session)
        for usage in usages:
            group = groups.setdefault(usage.name, [])
            group.append(usage)
            if len(group) == _FOLD:
                group[:] = [_sum(usage.name, group)]
        if kind == "engine" and not all(usage.name for usage in usages):
            without_engine.append(session.id)
    sums = [_sum(spelling, group) for spelling, group in groups.items()]
    rows, spellings = _merged(sums, name if kind == "model" else naming.as_recorded)
    rows.sort(key=lambda row: (-row.tokens, row.name))
    total = _sum("TOTAL", rows)
    return UsageTable(kind, count, tuple(rows), total, spellings, tuple(without_engine))


def with_one_row_per_model(session: Session, name: Naming) -> Session:
    """The session with one row per model, however its requests spelled it."""
    rows, spellings = _merged(session.models, name)
    return msgspec.structs.replace(session, models=tuple(rows)) if spellings else session


def within(session: Session, period: Period) -> Session | None:
    """The session with what it spent in a period; None when it did not touch it.

    A slot counts when it begins, or when the session does where that is later. A session touches
    a period in which it made requests or was last active. One whose requests are not recorded
    counts whole at its last activity (session format, "Day and period").
    """
    ends_within = figures.last_activity(session) in period
    if not session.spending:
        return session if ends_within else None
    since = -math.inf if period.since is None else period.since.timestamp()
    until = math.inf if period.until is None else period.until.timestamp()
    start = session.start_time.timestamp()
    first = start // SLOT_SECONDS
    rows = [
        row
        for row in session.spending
        if since <= (start if row.slot == first else row.slot * SLOT_SECONDS) < until
    ]
    if len(rows) == len(session.spending):
        return session
    if not (rows or ends_within):
        return None
    return msgspec.structs.replace(session, **of_spending(tuple(rows)))


def _engines(session: Session) -> tuple[Usage, ...]:
    """Usage by engine; of a report that names none, that of its models, without a name."""
    if session.engines:
        return session.engines
    return tuple(msgspec.structs.replace(usage, name="") for usage in session.models)


def _merged(rows: Sequence[Usage], name: Naming) -> tuple[list[Usage], dict[str, tuple[str, ...]]]:
    """Rows by spelling as one per name, and the spellings of those that have several."""
    if len(rows) == 1:  # no price list is loaded for nothing
        return list(rows), {}
    groups: dict[str, list[Usage]] = {}
    for row in rows:
        groups.setdefault(name(row.name), []).append(row)
    spellings = {
        named: tuple(sorted(row.name for row in group))
        for named, group in groups.items()
        if len(group) > 1
    }
    merged = [
        _sum(named, group) if named in spellings else group[0] for named, group in groups.items()
    ]
    return merged, spellings


_FOLD = 1000
"""Rows kept before they are added up, so that memory does not grow with the sessions."""


def _sum(name: str, rows: list[Usage]) -> Usage:
    return Usage(
        name,
        sum(row.requests for row in rows),
        sum(row.input_tokens for row in rows),
        sum(row.output_tokens for row in rows),
        sum(row.cached_tokens for row in rows),
        money.total(row.money for row in rows),
    )


def of_rows(rows: Iterable[Spending], kind: Kind) -> tuple[Usage, ...]:
    """Usage per model or engine of requests, in the order of names."""
    groups: dict[str, list[Spending]] = {}
    for row in rows:
        groups.setdefault(getattr(row, kind), []).append(row)
    return tuple(_usage(name, group) for name, group in sorted(groups.items()))


def of_spending(rows: tuple[Spending, ...]) -> dict[str, Any]:
    """What a session holds of its requests, by the names of its fields."""
    tokens = sum([row.tokens for row in rows], NO_TOKENS)
    return {
        "models": of_rows(rows, "model"),
        "engines": of_rows(rows, "engine"),
        "cached_tokens": tokens.cache_read,
        "cache_creation_tokens": tokens.cache_write,
        "cache_read_tokens": tokens.cache_read,
        "money": money.total([row.money for row in rows]),
        "spending": rows,
    }


def _usage(name: str, rows: list[Spending]) -> Usage:
    tokens = sum([row.tokens for row in rows], NO_TOKENS)
    return Usage(
        name,
        sum([row.requests for row in rows]),
        tokens.input,
        tokens.output,
        tokens.cache_read,
        money.total([row.money for row in rows]),
    )
