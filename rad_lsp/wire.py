"""Params and results of `stats/*`: the public contract, as msgspec structs.

Keys are camelCase on the wire. Times are RFC 3339 UTC, durations seconds, costs USD, rates
percent or null. Versions only ever add.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from rad_lsp.core import figures
from rad_lsp.core.comparison import Better, Verdict
from rad_lsp.core.cost import TokenClass
from rad_lsp.core.report import NANOS_PER_SECOND

if TYPE_CHECKING:
    from rad_lsp.core import cost as costs
    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import CostTable, Savings
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import StatusFigures, Sum
    from rad_lsp.store.snapshot import Snapshot

VERSION: Final = 1
"""Of the contract; what is added raises it, nothing is ever taken away."""

Format: TypeAlias = Literal["json", "ndjson", "csv", "markdown"]


class SessionRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A session's figures: a row of an export as CSV."""

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
    cost: float | None


class SessionSummary(SessionRow, frozen=True, rename="camel", kw_only=True):
    """A session in a list: `brief` is the line for it, `lastActivityText` in the user's zone.

    The names of its models come most tokens first.
    """

    model_names: tuple[str, ...]
    brief: str
    last_activity_text: str


class UsageRow(msgspec.Struct, frozen=True, rename="camel"):
    """Usage of one model or engine."""

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None


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
    cost: float | None
    tool_calls: int
    success_rate: float | None


class Today(msgspec.Struct, frozen=True, rename="camel"):
    """Sessions and money of the user's local day."""

    sessions: int
    cost: float | None


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


class SkippedFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file whose session does not count."""

    uri: str
    reason: str


class UsageResult(msgspec.Struct, frozen=True, rename="camel"):
    """Usage per model or engine of `sessions` sessions; `text` is what `rad stats` prints."""

    sessions: int
    rows: tuple[UsageRow, ...]
    total: UsageRow
    text: str
    markdown: str


class History(msgspec.Struct, frozen=True, rename="camel"):
    """A page of sessions, newest first, of `total`."""

    sessions: tuple[SessionSummary, ...]
    total: int
    skipped: tuple[SkippedFile, ...]


class ComparedMetric(msgspec.Struct, frozen=True, rename="camel"):
    """A figure of both sessions; `delta` is b - a, `percent` the same in percent of a."""

    name: str
    label: str
    unit: Literal["tokens", "percent", "USD", "seconds", "calls", "lines"]
    a: float | None
    b: float | None
    delta: float | None
    percent: float | None
    better: Better
    verdict: Verdict


class SessionComparison(msgspec.Struct, frozen=True, rename="camel"):
    """Session B measured against session A; `text` is what `rad stats compare` prints."""

    session_a: SessionSummary
    session_b: SessionSummary
    metrics: tuple[ComparedMetric, ...]
    text: str
    markdown: str


class Charge(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one class at their rate, USD per million tokens; `cost` is USD.

    Both are null where no price is known.
    """

    token_class: TokenClass
    tokens: int
    rate: float | None
    cost: float | None


class Price(msgspec.Struct, frozen=True, rename="camel"):
    """Where a price comes from; `since` is the day from which it holds, where that is known."""

    model: str
    provider: str
    origin: str
    since: date | None
    tier: str
    request_fee: float


class CostRow(msgspec.Struct, frozen=True, rename="camel"):
    """Requests to one model that are billed by one rule.

    `above` is the number of input tokens that each exceeds and that makes the rates others, 0 for
    none. `cost` counts, `computed` is what the charges come to; null where no price is known.
    """

    model: str
    tier: str
    above: int
    requests: int
    cost: float | None
    computed: float | None
    reported: bool
    charges: tuple[Charge, ...]
    price: Price | None


class CostResult(msgspec.Struct, frozen=True, rename="camel"):
    """What a cost is made of; `text` is what `rad stats cost` prints.

    `reported` is that part of the cost which providers and reports say themselves; `unpriced`
    requests have no known price; `estimated` tells that rows come from a report's sums.
    """

    sessions: int
    rows: tuple[CostRow, ...]
    cost: float | None
    reported: float | None
    computed: float | None
    unpriced: int
    estimated: bool
    text: str
    markdown: str


class Export(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What was exported: `uri` names the output, `content` is there when there is none."""

    format: Format
    sessions: int
    bytes: int
    uri: str | UnsetType = UNSET
    content: str | UnsetType = UNSET


class Params(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What all params may hold."""

    workspace_uri: str | None = None
    work_done_token: str | int | None = None


class SessionParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/session`: one session by id or by its file, or the most recent."""

    session_id: str | None = None
    uri: str | None = None


class UsageParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/model`, `stats/engine`: of one session, or of all within a period."""

    session_id: str | None = None
    since: str | None = None
    until: str | None = None


class CostParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/cost`: of one session, or of all within a period."""

    session_id: str | None = None
    since: str | None = None
    until: str | None = None


class HistoryParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/history`: a page of all sessions within a period."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    since: str | None = None
    until: str | None = None


class CompareParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/compare`: session B against session A, or against the session before it."""

    session_a: str | None = None
    session_b: str


class ExportParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/export`: one session, or all within a period; `output` is a path or a file URI."""

    session_id: str | None = None
    format: Format = "json"
    output: str | None = None
    overwrite: bool = False
    since: str | None = None
    until: str | None = None


METHODS: Final[dict[str, tuple[type[Params], type[msgspec.Struct]]]] = {
    "stats/session": (SessionParams, SessionStats),
    "stats/model": (UsageParams, UsageResult),
    "stats/engine": (UsageParams, UsageResult),
    "stats/cost": (CostParams, CostResult),
    "stats/history": (HistoryParams, History),
    "stats/compare": (CompareParams, SessionComparison),
    "stats/export": (ExportParams, Export),
}
"""Params and result of each request."""

STATUS: Final = "stats/status"
"""The notification whose params are a `Status`."""


def schema() -> dict[str, Any]:
    """The whole contract as a JSON Schema: a definition per struct, and who uses which."""
    structs = [Status, *(struct for pair in METHODS.values() for struct in pair)]
    references, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    by_struct = dict(zip(structs, references, strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rad-lsp wire contract",
        "version": VERSION,
        "notifications": {STATUS: by_struct[Status]},
        "requests": {
            method: {"params": by_struct[params], "result": by_struct[result]}
            for method, (params, result) in METHODS.items()
        },
        "$defs": definitions,
    }


def row(session: Session, now: datetime) -> SessionRow:
    """A session's figures."""
    return SessionRow(**_row(session, now))


def summary(
    session: Session, now: datetime, *, brief: str, last_activity_text: str
) -> SessionSummary:
    """A session as it stands in a list, with its texts as rendered."""
    return SessionSummary(
        **_row(session, now),
        model_names=figures.model_names(session),
        brief=brief,
        last_activity_text=last_activity_text,
    )


def stats(
    session: Session,
    now: datetime,
    *,
    savings: Savings,
    brief: str,
    last_activity_text: str,
    text: str,
    markdown: str,
) -> SessionStats:
    """A session in full, with its texts and Markdown as rendered."""
    return SessionStats(
        **_row(session, now),
        model_names=figures.model_names(session),
        brief=brief,
        last_activity_text=last_activity_text,
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
            savings.usd,
        ),
        models=tuple(map(usage_row, session.models)),
        engines=tuple(map(usage_row, session.engines)),
        warnings=tuple(problem.message for problem in session.problems),
        text=text,
        markdown=markdown,
    )


def usage(found: UsageTable, *, text: str, markdown: str) -> UsageResult:
    """Usage per model or engine, with its text and Markdown as rendered."""
    return UsageResult(
        found.sessions,
        tuple(map(usage_row, found.rows)),
        usage_row(found.total),
        text,
        markdown,
    )


def cost(found: CostTable, *, text: str, markdown: str) -> CostResult:
    """What a cost is made of, with its text and Markdown as rendered."""
    return CostResult(
        sessions=found.sessions,
        rows=tuple(map(_cost_row, found.rows)),
        cost=found.cost,
        reported=found.reported,
        computed=found.computed,
        unpriced=found.unpriced,
        estimated=found.estimated,
        text=text,
        markdown=markdown,
    )


def skipped(snapshot: Snapshot) -> tuple[SkippedFile, ...]:
    """Files whose sessions do not count, and why."""
    return tuple(
        SkippedFile(Path(item.path).as_uri(), item.problem.message) for item in snapshot.skipped
    )


def comparison(
    found: Comparison, a: SessionSummary, b: SessionSummary, *, text: str, markdown: str
) -> SessionComparison:
    """A comparison of two sessions, with its text and Markdown as rendered."""
    return SessionComparison(a, b, tuple(map(_metric, found.metrics)), text, markdown)


def status(
    found: StatusFigures,
    workspace_uri: str,
    session: SessionSummary | None,
    *,
    text: str,
    tooltip: str,
) -> Status:
    """What a status bar shows, with its text and tooltip as rendered."""
    return Status(
        workspace_uri=workspace_uri,
        session=session,
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


def _cost_row(row: costs.CostRow) -> CostRow:
    price = row.price
    return CostRow(
        model=row.model,
        tier=row.tier,
        above=row.above,
        requests=row.requests,
        cost=row.cost,
        computed=row.computed,
        reported=row.reported,
        charges=tuple(Charge(c.token_class, c.tokens, c.rate, c.cost) for c in row.charges),
        price=None
        if price is None
        else Price(price.model, price.provider, price.origin, price.since, price.tier, price.fee),
    )


def _metric(metric: Metric) -> ComparedMetric:
    a, b, delta = metric.a, metric.b, metric.delta
    unit = metric.unit
    if unit == "nanoseconds":
        a, b, delta = (v and v / NANOS_PER_SECOND for v in (a, b, delta))
    return ComparedMetric(
        metric.name,
        metric.label,
        "seconds" if unit == "nanoseconds" else unit,
        a,
        b,
        delta,
        metric.percent,
        metric.better,
        metric.verdict,
    )


def _totals(total: Sum) -> Totals:
    return Totals(total.sessions, total.cost, total.tool_calls, total.success_rate)


def _row(session: Session, now: datetime) -> dict[str, Any]:
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
