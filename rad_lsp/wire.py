"""Params and results of `stats/*`: the public contract, as msgspec structs.

Keys are camelCase on the wire. Times are RFC 3339 UTC, durations seconds, costs USD, rates
percent or null. Versions only ever add.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.report import NANOS_PER_SECOND

if TYPE_CHECKING:
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.service import StatusFigures, Sum


class SessionSummary(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A session in a list."""

    session_id: str
    source: str
    uri: str
    start_time: datetime
    end_time: datetime | None
    generated_at: datetime
    last_activity: datetime
    running: bool
    wall_time: float
    agent_active_time: float
    api_time: float
    tool_time: float
    tool_calls: int
    successful_tool_calls: int
    failed_tool_calls: int
    success_rate: float | None
    lines_added: int
    lines_removed: int
    files_changed: int | None
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_hit_rate: float | None
    cost: float


class UsageRow(msgspec.Struct, frozen=True, rename="camel"):
    """Usage of one model or engine."""

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float


class Approvals(msgspec.Struct, frozen=True, rename="camel"):
    """What became of tool calls that needed the user's approval."""

    allowed: int
    denied: int
    asked: int


class Cache(msgspec.Struct, frozen=True, rename="camel"):
    """What the cache did; savings are null where no price is known."""

    hit_rate: float | None
    cached_tokens: int
    creation_tokens: int
    read_tokens: int
    savings: float | None


class SessionStats(SessionSummary, frozen=True, rename="camel", kw_only=True):
    """A session in full; `text` is what `rad stats session` prints."""

    api_share: float | None
    tool_share: float | None
    approvals: Approvals
    cache: Cache
    models: tuple[UsageRow, ...]
    engines: tuple[UsageRow, ...]
    warnings: tuple[str, ...]
    text: str
    markdown: str


class Totals(msgspec.Struct, frozen=True, rename="camel"):
    """All sessions taken together."""

    sessions: int
    cost: float
    tool_calls: int
    success_rate: float | None


class Today(msgspec.Struct, frozen=True, rename="camel"):
    """Sessions and money of the user's local day."""

    sessions: int
    cost: float


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """What a status bar shows."""

    workspace_uri: str
    session: SessionSummary | None
    totals: Totals
    today: Today
    skipped: int
    text: str
    tooltip: str
    severity: Literal["ok", "warning"]


class SessionParams(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`stats/session`: one session by id or by its file, or the most recent."""

    workspace_uri: str | None = None
    session_id: str | None = None
    uri: str | None = None


def summary(session: Session, now: datetime) -> SessionSummary:
    """A session as it stands in a list."""
    return SessionSummary(**_summary(session, now))


def stats(session: Session, now: datetime, *, text: str, markdown: str) -> SessionStats:
    """A session in full, with its text and Markdown as rendered."""
    return SessionStats(
        **_summary(session, now),
        api_share=figures.api_share(session),
        tool_share=figures.tool_share(session),
        approvals=Approvals(
            session.approvals_allowed, session.approvals_denied, session.approvals_asked
        ),
        cache=Cache(
            figures.cache_hit_rate(session),
            session.cached_tokens,
            session.cache_creation_tokens,
            figures.cache_read_tokens(session),
            None,
        ),
        models=tuple(map(usage_row, session.models)),
        engines=tuple(map(usage_row, session.engines)),
        warnings=tuple(problem.message for problem in session.problems),
        text=text,
        markdown=markdown,
    )


def status(
    found: StatusFigures, workspace: Path, now: datetime, *, text: str, tooltip: str
) -> Status:
    """What a status bar shows, with its text and tooltip as rendered."""
    return Status(
        workspace_uri=workspace.as_uri(),
        session=summary(found.session, now) if found.session else None,
        totals=_totals(found.totals),
        today=Today(found.today.sessions, found.today.cost),
        skipped=found.skipped,
        text=text,
        tooltip=tooltip,
        severity="warning" if found.warning else "ok",
    )


def usage_row(usage: Usage) -> UsageRow:
    """Usage of one model or engine."""
    return UsageRow(
        usage.name,
        usage.requests,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cost,
    )


def _totals(total: Sum) -> Totals:
    return Totals(total.sessions, total.cost, total.tool_calls, total.success_rate)


def _summary(session: Session, now: datetime) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "source": session.source,
        "uri": Path(session.path).as_uri(),
        "start_time": session.start_time,
        "end_time": session.end_time,
        "generated_at": session.generated_at,
        "last_activity": figures.last_activity(session),
        "running": figures.state(session, now) == "running",
        "wall_time": session.wall_time / NANOS_PER_SECOND,
        "agent_active_time": session.agent_active_time / NANOS_PER_SECOND,
        "api_time": session.api_time / NANOS_PER_SECOND,
        "tool_time": session.tool_time / NANOS_PER_SECOND,
        "tool_calls": session.tool_calls,
        "successful_tool_calls": session.successful_tool_calls,
        "failed_tool_calls": session.failed_tool_calls,
        "success_rate": figures.success_rate(session),
        "lines_added": session.lines_added,
        "lines_removed": session.lines_removed,
        "files_changed": session.files_changed,
        "requests": figures.requests(session),
        "input_tokens": figures.input_tokens(session),
        "output_tokens": figures.output_tokens(session),
        "cached_tokens": session.cached_tokens,
        "cache_hit_rate": figures.cache_hit_rate(session),
        "cost": session.cost,
    }
