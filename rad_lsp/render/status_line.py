"""The status line, in a module of its own: shell prompts wait for it, so it must load fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp import sources
from rad_lsp.core import figures, limits, wording
from rad_lsp.core.wording import count, money

if TYPE_CHECKING:
    from rad_lsp.service import StatusFigures


_LONGEST: Final = 500
"""Characters of a line: a template may hold any text."""

_READING: Final = " …"
_MOST: Final = 5
"""Of how many budgets a line tells."""


def marked(line: str, status: StatusFigures) -> str:
    """A line for a prompt, which has no tooltip: with the budgets that are passed.

    `$0.1275 · 92.6% ⚠ day 85.0%`, in percent of the limit.
    """
    if not status.passed:
        return line
    said = []
    for passed in status.passed[:_MOST]:
        whose = f" of {wording.printable(passed.project)}" if passed.project else ""
        spent = passed.spent.usd or 0
        share = f" {wording.percent(100 * (spent / passed.limit))}" if passed.limit else ""
        said.append(f"{passed.name}{whose}{share}")
    return f"{line} ⚠ {', '.join(said)}"


def status_line(status: StatusFigures, template: str) -> str:
    """The template with its placeholders, such as `{cost}`, filled in.

    A session that has just begun has no figures: today's money stands in. `…` at the end tells
    that not all sessions are read yet.
    """
    return wording.printable(_line(status, template)[:_LONGEST]) + _READING * status.reading


def _line(status: StatusFigures, template: str) -> str:
    session = status.session
    if session is None:
        return f"{money(status.today.money)} today" if status.awaited else "no sessions"
    return template.format(
        cost=money(session.money),
        success_rate=wording.reading(figures.SUCCESS_RATE, session),
        tool_calls=count(session.tool_calls),
        wall_time=wording.short_duration(session.wall_time),
        tokens=count(figures.total_tokens(session)),
        session_id=wording.short_id(session.id),
        source=sources.label(session.source),
        today_cost=money(status.today.money),
        today_sessions=count(status.today.sessions),
        total_cost=money(status.totals.money),
        total_sessions=count(status.totals.sessions),
        limit_5h=_limit(status, session.source, limits.FIVE_HOURS),
        limit_week=_limit(status, session.source, limits.WEEK),
    )


def _limit(status: StatusFigures, source: str, minutes: int) -> str:
    """What is used of the plan of the session's agent: `42.0%`, or `n/a`."""
    return wording.percent(limits.fullest(status.limits, source, minutes))
