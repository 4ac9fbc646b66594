"""Tool calls by name: each counts, and no names take too much room."""

from __future__ import annotations

import pytest

from rad_lsp.core import tool_calls
from rad_lsp.core.tool_calls import LONGEST_NAME, MOST_NAMES, MOST_ROWS, Counter, ToolCalls


def counted(*rows):
    return Counter(rows).rows()


def test_calls_of_one_tool_and_slot_are_one_row_in_order_of_slot_and_name():
    rows = [
        ToolCalls(7, "edit", ok=1, duration=5),
        ToolCalls(7, "bash", denied=1),
        ToolCalls(6, "edit", failed=1, duration=2),
        ToolCalls(7, "edit", failed=2, duration=1),
    ]
    assert counted(*rows) == (
        ToolCalls(6, "edit", failed=1, duration=2),
        ToolCalls(7, "bash", denied=1),
        ToolCalls(7, "edit", ok=1, failed=2, duration=6),
    )


def test_names_that_are_too_long_or_too_many_count_without_a_name():
    names = [str(number) for number in range(MOST_NAMES + 2)]
    long = "n" * (LONGEST_NAME + 1)
    rows = counted(*[ToolCalls(0, name, ok=1) for name in (long, long[1:], *names, "0")])
    assert len(rows) == MOST_NAMES + 1
    assert rows[0] == ToolCalls(0, ok=4)
    found = {row.name: row.ok for row in rows}
    assert (found[long[1:]], found["0"]) == (1, 2)


def test_in_a_very_long_session_further_slots_have_no_names():
    counter = Counter(ToolCalls(slot, "bash", ok=1) for slot in range(MOST_ROWS))
    for name in ("bash", "edit", ""):
        counter.add(ToolCalls(MOST_ROWS, name, ok=1))
    counter.add(ToolCalls(0, "bash", ok=1))
    rows = counter.rows()
    assert rows[0] == ToolCalls(0, "bash", ok=2)
    assert rows[MOST_ROWS:] == (ToolCalls(MOST_ROWS, ok=3),)


def test_outcomes_are_those_of_the_totals(session):
    found = session(unknown_tool_calls=3, approvals_denied=4)
    assert tool_calls.outcomes(found) == {"ok": 5, "failed": 2, "denied": 4, "unknown": 3}
    contradicting = session(unknown_tool_calls=9)
    assert tool_calls.outcomes(contradicting) == {"ok": 0, "failed": 2, "denied": 0, "unknown": 8}


@pytest.mark.parametrize("outcome", ["ok", "failed", "denied"])
def test_more_calls_by_name_than_the_total_are_found(session, outcome):
    total = {"ok": 8, "failed": 2, "denied": 1}[outcome]
    rows = [ToolCalls(0, "a", **{outcome: total}), ToolCalls(0, "b", **{outcome: 1})]
    assert tool_calls.excess(session(approvals_denied=1, calls_by_tool=tuple(rows))) == outcome
    assert tool_calls.excess(session(approvals_denied=1, calls_by_tool=tuple(rows[:1]))) is None
