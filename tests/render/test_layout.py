"""Lines and cells that text, Markdown and hovers share."""

from __future__ import annotations

import pytest

from rad_lsp.core import figures
from rad_lsp.core.cost import Savings
from rad_lsp.core.money import Money
from rad_lsp.core.session import Usage
from rad_lsp.render import layout


def test_a_line_has_the_label_and_reading_of_the_table(session):
    assert layout.line("wall_time", session()) == ("Wall time", "4h 9m 54s")
    assert layout.line("wall_time", session(), " (running)") == ("Wall time", "4h 9m 54s (running)")
    with pytest.raises(KeyError):
        layout.line("happiness", session())


def test_usage_tables_have_the_columns_of_the_table():
    assert [figure.label for figure in layout.USAGE] == [
        "Requests",
        "Input tokens",
        "Output tokens",
        "Cached tokens",
        "Cost",
    ]
    assert layout.USAGE[0] == figures.named("requests")
    cells = layout.usage_cells(Usage("m", 1, 2000, 30, 4, Money(None)))
    assert cells == ["1", "2,000", "30", "4", "n/a"]
    assert layout.usage_cells(Usage("m", money=Money(0.5, 1)))[-1] == "≥ $0.5000"


def test_times_have_their_shares_and_the_state(session, now):
    lines = layout.times(session(end_time=None, generated_at=now.isoformat()), now)
    assert lines == [
        ("Wall time", "4h 9m 54s (running)"),
        ("Agent active", "2h 53m 17s"),
        ("API time", "1h 9m 42s (40.2%)"),
        ("Tool time", "1h 43m 35s (59.8%)"),
    ]


def test_there_are_no_lines_where_there_is_nothing_to_say(session):
    nothing = dict.fromkeys(
        (
            "tool_approvals_allowed",
            "tool_approvals_denied",
            "tool_approvals_asked",
            "total_cached_tokens",
            "total_cache_creation_tokens",
            "total_cache_read_tokens",
        ),
        0,
    )
    found = session(**nothing)
    assert layout.approvals(found) == layout.cache(found, Savings(None)) == []
    assert layout.approved(found) == "0 allowed, 0 denied, 0 asked"
