"""Which models, or engines, were used: one session's rows or those of many added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.session import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session

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
        figures.total_cost(row.cost for row in rows),
        sum(row.unpriced for row in rows),
    )
