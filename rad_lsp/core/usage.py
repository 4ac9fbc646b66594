"""Which models, or engines, were used: one session's rows or those of many added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rad_lsp.core import money
from rad_lsp.core.session import Usage
from rad_lsp.core.tokens import NO_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import Spending

Kind = Literal["model", "engine"]


class UsageTable(msgspec.Struct, frozen=True):
    """Usage per model or engine of `sessions` sessions, and of all rows together."""

    kind: Kind
    sessions: int
    rows: tuple[Usage, ...]
    total: Usage


def table(sessions: Iterable[Session], kind: Kind) -> UsageTable:
    """Usage of all `sessions` added up, rows by total tokens descending, then by name."""
    count = 0
    groups: dict[str, list[Usage]] = {}
    for session in sessions:
        count += 1
        for usage in session.models if kind == "model" else session.engines:
            group = groups.setdefault(usage.name, [])
            group.append(usage)
            if len(group) == _FOLD:
                group[:] = [_sum(usage.name, group)]
    rows = [_sum(name, group) for name, group in groups.items()]
    rows.sort(key=lambda row: (-row.tokens, row.name))
    return UsageTable(kind, count, tuple(rows), _sum("TOTAL", rows))


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
