"""What text, Markdown and hovers show alike: lines of a session and cells of tables.

A line is a label and a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from rad_lsp.core import figures, period, wording
from rad_lsp.core.figures import FIGURES
from rad_lsp.core.wording import NOT_AVAILABLE, count, money, percent

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from rad_lsp.core.cost import Savings
    from rad_lsp.core.session import Session, Usage

Line: TypeAlias = tuple[str, str]

OTHERS: Final = FIGURES[FIGURES.index(figures.named("cost")) + 1 :]
"""The figures that have no place in the layouts. Each layout shows them last."""

USAGE: Final = tuple(
    figures.named(name)
    for name in ("requests", "input_tokens", "output_tokens", "cached_tokens", "cost")
)
"""The columns of usage tables after the name of the model or engine."""

HISTORY: Final = ("Session ID", "Duration", "Tool Calls", "Success Rate", "Cost")
"""The columns of the table of sessions."""


def usage_name(usage: Usage) -> str:
    """What a row of usage is called; `n/a` where that is not known."""
    return wording.printable(usage.name) or wording.NOT_AVAILABLE


PARTIAL: Final = " of what is known"
"""What follows the difference of two figures of which one is a lower bound."""


def usage_cells(usage: Usage) -> list[str]:
    """The cells of `USAGE`."""
    counts = [wording.quantity(getattr(usage, figure.name), figure.unit) for figure in USAGE[:-1]]
    return [*counts, money(usage.money)]


def history_cells(session: Session) -> list[str]:
    """The cells of `HISTORY`, without the first."""
    return [
        duration(session),
        str(session.tool_calls),
        wording.reading(figures.SUCCESS_RATE, session),
        money(session.money),
    ]


def duration(session: Session) -> str:
    """The wall time as a list has it: `4h 9m`, ` (deleted)` behind it of one that is gone."""
    deleted = wording.state("ended", deleted=session.deleted)
    return wording.short_duration(session.wall_time) + deleted


def line(name: str, session: Session, suffix: str = "") -> Line:
    """The line of the figure of that name."""
    figure = figures.named(name)
    return figure.label, wording.reading(figure, session) + suffix


def state(session: Session, now: datetime) -> str:
    """What follows the wall time: ` (running)`, ` (deleted)` …; empty for most sessions."""
    return wording.state(figures.state(session, now), deleted=session.deleted)


def outcomes(session: Session) -> list[str]:
    """`✓ 7`, `x 2`, and `? 1` where the outcome of a tool call is not recorded."""
    unknown = session.unknown_tool_calls
    succeeded = session.successful_tool_calls - unknown
    return [f"✓ {succeeded}", f"x {session.failed_tool_calls}", *[f"? {unknown}"] * bool(unknown)]


def dates(session: Session, zone: tzinfo | None) -> list[Line]:
    """Start and end in the user's zone; without an end, when it was last active."""

    def told(moment: datetime) -> str:
        return wording.moment(period.local(moment, zone))

    end = told(figures.last_activity(session))
    if session.end_time is None:
        end = f"{NOT_AVAILABLE}, last active {end}"
    return [("Start", told(session.start_time)), ("End", end)]


def place(session: Session) -> list[Line]:
    """Where a session worked, as far as that is known, and where it comes from."""
    known = {"Project": session.project, "Branch": session.branch, "Source": session.source}
    return [(label, wording.printable(value)) for label, value in known.items() if value]


def results(session: Session) -> list[Line]:
    """The success rate and the code changes."""
    changes = wording.changes(session.lines_added, session.lines_removed, session.files_changed)
    return [line("success_rate", session), ("Code changes", changes)]


def times(session: Session, now: datetime) -> list[Line]:
    """Wall time and active time, then API time and tool time with their shares."""
    return [
        line("wall_time", session, state(session, now)),
        line("agent_active_time", session),
        line("api_time", session, f" ({percent(figures.api_share(session))})"),
        line("tool_time", session, f" ({percent(figures.tool_share(session))})"),
    ]


def approvals(session: Session) -> list[Line]:
    """What became of tool calls that needed approval; no line when none did."""
    asked = session.approvals_allowed or session.approvals_denied or session.approvals_asked
    return [("Approvals", approved(session))] if asked else []


def approved(session: Session) -> str:
    """`40 allowed, 2 denied, 9 asked`: what became of tool calls that needed approval."""
    return (
        f"{count(session.approvals_allowed)} allowed, {count(session.approvals_denied)} denied, "
        f"{count(session.approvals_asked)} asked"
    )


def cache(session: Session, savings: Savings) -> list[Line]:
    """What the cache did; no lines for a session without a cache."""
    if not figures.has_cache(session):
        return []
    created, read = session.cache_creation_tokens, figures.cache_read_tokens(session)
    return [
        line("cache_hit_rate", session),
        line("cached_tokens", session),
        ("Cache created / read", f"{count(created)} / {count(read)}"),
        ("Cache savings", wording.saved(savings)),
    ]


def others(session: Session) -> list[Line]:
    """The lines of `OTHERS`."""
    return [line(figure.name, session) for figure in OTHERS]
