"""Tool calls of a tracked session by the name of the tool, in slots of fifteen minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.core.transcript import Outcome

LONGEST_NAME: Final = 256
MOST_NAMES: Final = 1_000
MOST_ROWS: Final = 10_000
"""Rows with a name, by slot and name."""


class ToolCalls(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Calls of one tool that began in one slot, by how they ended; the user refused the `denied`.

    `slot` counts slots since the epoch, in UTC. `duration` is what the calls that were not denied
    took together, in nanoseconds. The name is empty where none is known or there are too many.
    """

    slot: int
    name: str = ""
    ok: int = 0
    failed: int = 0
    denied: int = 0
    duration: int = 0


class Counter:
    """Adds up tool calls. What has too long a name, or one too many, counts without a name."""

    def __init__(self, rows: Iterable[ToolCalls] = ()) -> None:
        self._rows: dict[tuple[int, str], ToolCalls] = {}
        self._names: set[str] = set()
        for row in rows:
            self.add(row)

    def add(self, calls: ToolCalls) -> None:
        """Count some calls."""
        name = calls.name if self._has_room(calls) else ""
        if name:
            self._names.add(name)
        key = calls.slot, name
        before = self._rows.get(key, ToolCalls(*key))
        self._rows[key] = ToolCalls(
            *key,
            before.ok + calls.ok,
            before.failed + calls.failed,
            before.denied + calls.denied,
            before.duration + calls.duration,
        )

    def rows(self) -> tuple[ToolCalls, ...]:
        """The calls so far, by slot and name."""
        return tuple(self._rows[key] for key in sorted(self._rows))

    def _has_room(self, calls: ToolCalls) -> bool:
        if (calls.slot, calls.name) in self._rows:
            return True
        is_known = calls.name in self._names or len(self._names) < MOST_NAMES
        return is_known and len(calls.name) <= LONGEST_NAME and len(self._rows) < MOST_ROWS


def outcomes(session: Session) -> dict[Outcome, int]:
    """A session's tool calls by how they ended, as its totals tell it."""
    unknown = min(session.unknown_tool_calls, session.successful_tool_calls)
    return {
        "ok": session.successful_tool_calls - unknown,
        "failed": session.failed_tool_calls,
        "denied": session.approvals_denied,
        "unknown": unknown,
    }


def excess(session: Session) -> str | None:
    """Of which outcome there are more calls by name than the totals have; None of none."""
    totals = outcomes(session)
    named: tuple[Outcome, ...] = ("ok", "failed", "denied")
    for outcome in named:
        if sum([getattr(row, outcome) for row in session.calls_by_tool]) > totals[outcome]:
            return outcome
    return None
