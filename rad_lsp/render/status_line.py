"""The status line, apart from other text: prompts wait for it, and load nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rad_lsp.core import figures, wording
from rad_lsp.core.wording import count, money, percent

if TYPE_CHECKING:
    from rad_lsp.service import StatusFigures


def status_line(found: StatusFigures, template: str) -> str:
    """The status line: a template of named figures filled in, or `no sessions`."""
    session = found.session
    if session is None:
        return "no sessions"
    return template.format(
        cost=money(session.cost),
        success_rate=percent(figures.success_rate(session)),
        tool_calls=count(session.tool_calls),
        wall_time=wording.short_duration(session.wall_time),
        tokens=count(figures.total_tokens(session)),
        session_id=wording.short_id(session.id),
        today_cost=money(found.today.cost),
        today_sessions=count(found.today.sessions),
        total_cost=money(found.totals.cost),
        total_sessions=count(found.totals.sessions),
    )
