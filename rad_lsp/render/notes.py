"""Why figures are minima, are not known or leave something out, in one line below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import problems, wording
from rad_lsp.core.wording import AT_LEAST, NOT_AVAILABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.money import Money
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable


TOLD: Final = frozenset(
    {problems.UNPRICED, problems.LOWER_BOUND, problems.UNKNOWN_OUTCOME, problems.DELETED}
)
"""The codes of problems that the line tells."""


class Notes:
    """What keeps figures from being exact, gathered from all that is shown above the line."""

    def __init__(self) -> None:
        self._marks: set[str] = set()
        self._lower_bound = 0
        self._unpriced = 0
        self._models = ""
        self._unknown_tool_calls = 0
        self._deleted = False

    def session(self, session: Session) -> None:
        """Take note of a session."""
        self.counted(session.money)
        self.shown([session.money])
        self._unknown_tool_calls += session.unknown_tool_calls
        self._deleted |= session.deleted

    def counted(self, money: Money) -> None:
        """Take note of how many requests an amount is not sure."""
        self._lower_bound += money.lower_bound
        self._unpriced += money.unpriced

    def shown(self, amounts: Iterable[Money]) -> None:
        """Take note of how amounts read."""
        for money in amounts:
            if money.usd is None:
                self._marks.add(NOT_AVAILABLE)
            elif money.is_lower_bound:
                self._marks.add(AT_LEAST)

    def tool_calls(self, unknown: int) -> None:
        """Take note of tool calls of which it is not known how they ended."""
        self._unknown_tool_calls += unknown

    def models(self, usages: Iterable[Usage]) -> None:
        """Name the models of requests without a price."""
        names = [wording.printable(usage.name) for usage in usages if usage.money.unpriced]
        self._models = f" to {', '.join(names)}" if names else ""

    @property
    def line(self) -> str:
        """`≥: 3 requests have no final usage recorded`; empty where all figures are exact."""
        said = []
        if self._marks:
            reasons = []
            if self._lower_bound:
                reasons.append(f"{_have(self._lower_bound)} no final usage recorded")
            if self._unpriced:
                reasons.append(f"{_have(self._unpriced, self._models)} no known price")
            why = ", ".join(reasons) or "what was used is not recorded"
            said.append(f"{' and '.join(sorted(self._marks, reverse=True))}: {why}")
        if self._unknown_tool_calls:
            calls = wording.counted(self._unknown_tool_calls, "tool call")
            said.append(f"success rate: the outcome of {calls} is not recorded")
        if self._deleted:
            said.append("deleted: the transcript is gone, its last figures are shown")
        return "; ".join(said)


def of_sessions(sessions: Iterable[Session]) -> str:
    """The line below figures of some sessions; empty where there is nothing to say."""
    notes = Notes()
    for session in sessions:
        notes.session(session)
    return notes.line


def of_session(session: Session) -> str:
    """The line below one session; empty where there is nothing to say."""
    notes = Notes()
    notes.session(session)
    notes.models(session.models)
    return notes.line


def of_usage(table: UsageTable) -> str:
    """The line below a table of models or engines; empty where there is nothing to say."""
    notes = Notes()
    notes.counted(table.total.money)
    notes.shown(row.money for row in (*table.rows, table.total))
    notes.models(table.rows)
    engineless = wording.engineless(table.without_engine)
    return "; ".join(filter(None, [notes.line, engineless]))


def of_amounts(requests: Money, shown: Iterable[Money]) -> str:
    """The line below amounts of money.

    `requests` has the numbers of requests that are lower bounds, and of those without a price.
    """
    notes = Notes()
    notes.counted(requests)
    notes.shown(shown)
    return notes.line


def _have(requests: int, whose: str = "") -> str:
    return f"{wording.counted(requests, 'request')}{whose} {'has' if requests == 1 else 'have'}"
