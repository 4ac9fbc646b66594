"""Plan limits as text and Markdown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp.core import limits
from rad_lsp.core.limits import Block, Overview, Window
from rad_lsp.core.money import Money
from rad_lsp.core.tokens import Tokens
from rad_lsp.render import limits as rendered

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOWS = (
    Window("claude-code", "5h", 61.0, NOON, 300, NOON + 2 * HOUR),
    Window("codex", "5h", 100.0, NOON, 300, NOON + 2 * HOUR, "codex_spark"),
    Window("codex", "week", 99.0, NOON, 10_080, NOON, "codex", "pro", "12.5"),
    Window("copilot-cli", "chat", 12.0, NOON),
)
BLOCK = Block("gemini-cli", NOON, 2, Tokens(1000, 0, 0, 0, 100), Money(0.5, lower_bound=1))
ALL = Overview(
    tuple(limits.at(window, NOON) for window in WINDOWS), (BLOCK,), ("a",), ("b\x1b[2J",)
)


def test_each_window_is_a_row():
    rows = [line.split("  ") for line in rendered.text(ALL, UTC).splitlines()[4:8]]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        ["claude-code", "5h", "61.0%", "20.3%", "2026-03-02 13:55", "2026-03-02 14:00",
         "61.0% at 2026-03-02 12:00", "n/a"],
        ["codex", "5h (codex_spark)", "100.0%", "33.3%", "used up", "2026-03-02 14:00",
         "100.0% at 2026-03-02 12:00", "n/a"],
        ["codex", "week", "reset", "n/a", "n/a", "2026-03-02 12:00",
         "99.0% at 2026-03-02 12:00", "pro, credits: 12.5"],
        ["copilot-cli", "chat", "n/a", "n/a", "n/a", "n/a",
         "12.0% at 2026-03-02 12:00", "n/a"],
    ]  # fmt: skip


def test_an_estimate_says_so_and_how_sure_its_money_is():
    text = rendered.text(ALL, UTC)
    assert "Estimate: the Running 5-Hour Block\n" in text
    assert "≥ $0.5000" in text
    assert "≥: 1 request has no final usage recorded" in text


def test_what_is_missing_or_left_out_is_said_in_one_line_each():
    text = rendered.text(ALL, UTC)
    assert "No current limit and no running 5-hour block: a.\n" in text
    assert "Ignored: b\\x1b[2J.\n" in text


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_tables_fit_a_terminal(width):
    lines = rendered.text(ALL, UTC, width=width).splitlines()
    assert max(len(line) for line in lines if line and not line.endswith(".")) <= width


NONE = (
    "No plan limits are recorded. Codex writes them into its transcripts; Claude Code tells them "
    "to 'rad status', once that is its status line."
)


def test_without_limits_it_says_where_they_come_from():
    assert rendered.text(Overview(), UTC) == f"{NONE}\n"


def test_markdown_has_the_same_rows():
    text = rendered.markdown(ALL, UTC)
    assert "| codex | 5h (codex\\_spark) | 100.0% | 33.3% | used up |" in text
    assert "| gemini-cli | 2026-03-02 12:00 | 2026-03-02 17:00 | 2 | 1,100 | ≥ $0.5000 |" in text
