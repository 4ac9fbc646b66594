"""Answers of the wire contract: the figures, with the texts that a client shows as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import convert
from msgspec.structs import asdict

from rad_lsp import wire
from rad_lsp.core import figures, period, wording
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.render import budget as outlooks
from rad_lsp.render import cost as explained
from rad_lsp.render import label, layout, markdown, text
from rad_lsp.render import limits as plans
from rad_lsp.render.label import TitleOf, untitled
from rad_lsp.render.status_line import spoken, status_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.budget import Outlook
    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import CostTable, Savings
    from rad_lsp.core.figures import Figure
    from rad_lsp.core.limits import Block, Limit, Overview
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import Page, StatusFigures
    from rad_lsp.service.budget import Budgets
    from rad_lsp.store.snapshot import Snapshot


def row(session: Session, now: datetime) -> wire.SessionRow:
    """A session's figures."""
    return wire.SessionRow(
        session_id=session.id,
        source=session.source,
        uri=Path(session.path).as_uri(),
        start_time=session.start_time,
        end_time=session.end_time,
        generated_at=session.generated_at,
        last_activity=figures.last_activity(session),
        running=figures.state(session, now) == "running",
        **{figure.name: _value(figure, session) for figure in wire.LISTED},
    )


def summary(
    session: Session, now: datetime, zone: tzinfo | None, title_of: TitleOf = untitled
) -> wire.SessionSummary:
    """A session in a list."""
    title = title_of(session)
    return wire.SessionSummary(
        **asdict(row(session, now)),
        model_names=figures.model_names(session),
        brief=text.brief(session, now),
        last_activity_text=wording.moment(period.local(figures.last_activity(session), zone)),
        label=label.of(session, now, zone, title),
        agent=label.agent(session),
        title=label.shown(title) or None,
        short_id=label.short_id(session.id),
        cost_text=wording.money(session.money),
        day=label.day(session, zone),
        day_label=label.day_label(session, now, zone),
        time_text=label.time(session, zone),
        resume=label.resume(session),
        cost_is_lower_bound=session.money.is_lower_bound,
        unknown_tool_calls=session.unknown_tool_calls,
        api_time_measured=session.api_time_measured,
        deleted=session.deleted,
        project=session.project or None,
        branch=session.branch or None,
    )


def session(
    session: Session,
    now: datetime,
    zone: tzinfo | None,
    savings: Savings = UNKNOWN,
    title_of: TitleOf = untitled,
) -> wire.SessionStats:
    """A session in full, with what the cache saved."""
    listed = summary(session, now, zone, title_of)
    return wire.SessionStats(
        **asdict(listed),
        api_share=figures.api_share(session),
        tool_share=figures.tool_share(session),
        approvals=wire.Approvals(
            session.approvals_allowed, session.approvals_denied, session.approvals_asked
        ),
        cache=wire.Cache(
            figures.cache_hit_rate(session),
            session.cached_tokens,
            session.cache_creation_tokens,
            figures.cache_read_tokens(session),
            savings.usd,
        ),
        models=tuple(map(usage_row, session.models)),
        engines=tuple(map(usage_row, session.engines)),
        warnings=tuple(problem.message for problem in session.problems),
        text=text.session(session, now, savings=savings, zone=zone),
        markdown=markdown.session(session, now, name=listed.label, savings=savings, zone=zone),
    )


def usage_row(usage: Usage) -> wire.UsageRow:
    """Usage of one model or engine."""
    values = {figure.name: getattr(usage, figure.name) for figure in layout.USAGE}
    bound = usage.money.is_lower_bound
    return wire.UsageRow(name=usage.name, cost_is_lower_bound=bound, **values)


def usage(
    table: UsageTable, session_id: str | None = None, name: str | None = None
) -> wire.UsageResult:
    """Usage per model or engine, of one session or of all; its `name` is its label."""
    return wire.UsageResult(
        table.sessions,
        tuple(
            wire.UsageTableRow(
                **asdict(usage_row(row)), spellings=table.spellings.get(row.name, ())
            )
            for row in table.rows
        ),
        usage_row(table.total),
        text.usage(table, session_id),
        markdown.usage(table, name or session_id),
        table.without_engine,
    )


def cost(
    table: CostTable, session_id: str | None = None, name: str | None = None
) -> wire.CostResult:
    """What a cost consists of, of one session or of all; its `name` is its label."""
    return wire.CostResult(
        sessions=table.sessions,
        rows=convert(table.rows, tuple[wire.CostRow, ...], from_attributes=True),
        cost=table.cost,
        reported=table.reported,
        computed=table.computed,
        unpriced=table.unpriced,
        estimated=table.estimated,
        text=explained.text(table, session_id),
        markdown=explained.markdown(table, name or session_id),
        cost_is_lower_bound=table.money.is_lower_bound,
    )


def limits(overview: Overview, now: datetime, zone: tzinfo | None) -> wire.LimitsResult:
    """Plan limits, and blocks of requests where there are none."""
    return wire.LimitsResult(
        limits=tuple(plan_limit(one, now, zone) for one in overview.limits),
        blocks=tuple(map(_block, overview.blocks)),
        idle=overview.idle,
        ignored=overview.ignored,
        text=plans.text(overview, zone),
        markdown=plans.markdown(overview, zone),
    )


def plan_limit(limit: Limit, now: datetime, zone: tzinfo | None) -> wire.PlanLimit:
    """A window of a plan's limit."""
    window = limit.window
    return wire.PlanLimit(
        source=window.source,
        limit=window.limit or None,
        window=window.name,
        window_seconds=None if window.minutes is None else 60 * window.minutes,
        plan=window.plan or None,
        credits=window.credits or None,
        state=limit.state,
        used_percent=limit.used_percent,
        percent_per_hour=limit.burn_rate,
        runs_out_at=limit.runs_out_at,
        resets_at=window.ends_at,
        recorded_at=window.recorded_at,
        recorded_percent=window.used_percent,
        summary=plans.summary(limit, now, zone),
    )


def _block(block: Block) -> wire.RequestBlock:
    return wire.RequestBlock(
        source=block.source,
        since=block.since,
        until=block.until,
        requests=block.requests,
        tokens=block.tokens.input + block.tokens.output,
        cost=block.money.usd,
        cost_is_lower_bound=block.money.is_lower_bound,
    )


def budget(budgets: Budgets, zone: tzinfo | None) -> wire.BudgetResult:
    """All budgets that are set."""
    return wire.BudgetResult(
        tuple(map(budget_row, budgets.rows)),
        budgets.warn_at,
        tuple(outlooks.rules(budgets)),
        outlooks.text(budgets, zone),
        outlooks.markdown(budgets, zone),
    )


def history(
    page: Page,
    snapshot: Snapshot,
    now: datetime,
    zone: tzinfo | None,
    title_of: TitleOf = untitled,
) -> wire.History:
    """A page of sessions, and the files that were skipped."""
    sessions = tuple(summary(session, now, zone, title_of) for session in page.sessions)
    skipped = (
        wire.SkippedFile(Path(item.path).as_uri(), item.problem.message)
        for item in snapshot.skipped
    )
    return wire.History(sessions, page.total, tuple(skipped))


def comparison(
    comparison: Comparison,
    now: datetime,
    zone: tzinfo | None,
    title_of: TitleOf = untitled,
) -> wire.SessionComparison:
    """Session B measured against session A."""
    a, b = (summary(one, now, zone, title_of) for one in (comparison.a, comparison.b))
    return wire.SessionComparison(
        a,
        b,
        tuple(map(_metric, comparison.metrics)),
        text.comparison(comparison),
        markdown.comparison(comparison, (a.label, b.label)),
        comparison.notes,
    )


def status(
    status: StatusFigures,
    workspace_uri: str,
    now: datetime,
    zone: tzinfo | None,
    *,
    template: str,
    links: str,
    savings: Savings = UNKNOWN,
    origins: Sequence[str] = (),
    title_of: TitleOf = untitled,
    folder: str = "",
) -> wire.Status:
    """What a status bar shows: its text by a template.

    Its tooltip has `links`, which is Markdown, and `origins`, which tell what set which settings;
    it names the `folder` if that is given.
    """
    totals, today = status.totals, status.today
    session = summary(status.session, now, zone, title_of) if status.session else None
    name = session.label if session else ""
    return wire.Status(
        workspace_uri=workspace_uri,
        session=session,
        totals=wire.Totals(
            totals.sessions,
            totals.cost,
            totals.tool_calls,
            totals.success_rate,
            totals.money.is_lower_bound,
            totals.unknown_tool_calls,
        ),
        today=wire.Today(today.sessions, today.cost, today.money.is_lower_bound),
        skipped=status.skipped,
        text=status_line(status, template),
        tooltip=markdown.tooltip(
            status, now, links, name=name, savings=savings, origins=origins, folder=folder
        ),
        severity="warning" if status.warning else "ok",
        spoken=spoken(status, template),
        reading=status.reading,
    )


def budget_row(row: Outlook) -> wire.BudgetRow:
    """How a budget is used up."""
    amounts = [row.burn, row.expected, row.low, row.high]
    burn, expected, low, high = (None if amount is None else amount.usd for amount in amounts)
    return wire.BudgetRow(
        name=row.name,
        limit=row.limit,
        cost=row.spent.usd,
        left=row.left,
        used=row.used,
        threshold=row.threshold,
        passed=row.is_passed,
        burn_rate=burn,
        burn_rate_per=row.unit,
        expected=expected,
        expected_low=low,
        expected_high=high,
        history_days=row.days,
        runs_out=row.runs_out,
        since=None if row.within is None else row.within.since,
        until=None if row.within is None else row.within.until,
        summary=outlooks.summary(row),
        project=row.project,
        session_id=row.session_id,
        cost_is_lower_bound=row.spent.is_lower_bound,
        expected_is_lower_bound=row.expected is not None and row.expected.is_lower_bound,
        unpriced=row.spent.unpriced,
    )


def _value(figure: Figure, session: Session) -> float | None:
    value = figure.value(session)
    if value is None or figure.unit != "nanoseconds":
        return value
    return value / NANOS_PER_SECOND


def _metric(metric: Metric) -> wire.ComparedMetric:
    figure = metric.figure
    unit: Any = figure.unit
    a, b, delta = metric.a, metric.b, metric.delta
    if unit == "nanoseconds":
        unit = "seconds"
        a, b, delta = (value and value / NANOS_PER_SECOND for value in (a, b, delta))
    return wire.ComparedMetric(
        _camel(figure.name),
        figure.label,
        unit,
        a,
        b,
        delta,
        metric.percent,
        figure.better or "neither",
        metric.verdict,
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
