"""Params and results of `stats/*`: the public contract, as msgspec structs.

Keys are camelCase on the wire. Times are RFC 3339 in UTC, durations are seconds, costs are USD or
null where no price is known, rates are percent or null. New versions only add to it.

What has a default in a result is only there where it differs: `costIsLowerBound` tells of the cost
beside it that the true one may be higher.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from rad_lsp import sources
from rad_lsp.core import figures
from rad_lsp.core.comparison import Verdict
from rad_lsp.core.cost import TokenClass
from rad_lsp.core.figures import Better
from rad_lsp.core.limits import State
from rad_lsp.core.trend import Split as TrendSplit
from rad_lsp.core.trend import Unit as TrendUnit

if TYPE_CHECKING:
    from rad_lsp.core.figures import Figure

VERSION: Final = 1
"""The contract's version. An addition raises it; nothing is ever removed."""

Format: TypeAlias = Literal["json", "ndjson", "csv", "markdown"]


class SessionHead(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Which session it is, and when it was."""

    session_id: str
    source: str
    uri: str
    start_time: datetime
    end_time: datetime | None
    generated_at: datetime
    last_activity: datetime
    running: bool


_ELSEWHERE: Final = {
    "total_tokens",
    "api_share",
    "tool_share",
    "approvals_allowed",
    "approvals_denied",
    "approvals_asked",
    "cache_creation_tokens",
    "cache_read_tokens",
}
"""The figures that only `SessionStats` or a comparison has."""

LISTED: Final = tuple(figure for figure in figures.FIGURES if figure.name not in _ELSEWHERE)
"""The figures of a `SessionRow`, in order."""


def _type(figure: Figure) -> Any:
    """The type of a figure on the wire, where durations are seconds."""
    value = float if figure.unit in {"nanoseconds", "percent", "USD"} else int
    return value | None if figure.optional else value


# mypy can't know the fields that the table names, so any name will do.
if TYPE_CHECKING:

    class SessionRow(SessionHead, frozen=True, rename="camel", kw_only=True):
        """A session's figures: a row of an export as CSV."""

        def __getattr__(self, figure: str) -> Any: ...
else:
    _fields = [(figure.name, _type(figure)) for figure in LISTED]
    SessionRow = msgspec.defstruct("SessionRow", _fields, bases=(SessionHead,), kw_only=True)


class SessionSummary(SessionRow, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """A session in a list: `brief` is the line for it, `lastActivityText` in the user's zone.

    `label` is what it is called wherever people read of it: the `agent`, its title or `shortId`,
    and the local time. `title` is null where the agent keeps none, and where it was not read yet.
    `day` is the local day of its last activity, `dayLabel` the same for people (`Today`),
    `timeText` the time of that day, and `costText` how the cost reads. `resume` is the command that
    goes on with it, null where there is none.

    The names of its models come most tokens first. `cost` is null where no price is known, and
    `costIsLowerBound` tells that the true one may be higher. How `unknownToolCalls` ended is not
    recorded: they are among the successful ones, and no part of the success rate. Where
    `apiTimeMeasured` is false, API time is active time less tool time. `deleted` tells that the
    transcript is gone. `project` is the folder of its repository, or that which it worked in.
    """

    model_names: tuple[str, ...]
    brief: str
    last_activity_text: str
    label: str
    agent: str
    title: str | None
    short_id: str
    cost_text: str
    day: str
    day_label: str
    time_text: str
    resume: str | None
    cost_is_lower_bound: bool = False
    unknown_tool_calls: int = 0
    api_time_measured: bool = True
    deleted: bool = False
    project: str | None = None
    branch: str | None = None


class UsageRow(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Usage of one model or engine; `cost` is null where no price is known.

    `costIsLowerBound` tells that the true cost may be higher.
    """

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    cost_is_lower_bound: bool = False


class UsageTableRow(UsageRow, frozen=True, rename="camel", omit_defaults=True):
    """Usage of one model or engine in all sessions. The name is empty where none is known.

    A model that requests spell in several ways has its `spellings` listed; its name is then the
    price list's.
    """

    spellings: tuple[str, ...] = ()


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


class Totals(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """All sessions taken together; `cost` is null where no price is known.

    `costIsLowerBound` tells that the true cost may be higher. `unknownToolCalls` are no part of the
    success rate.
    """

    sessions: int
    cost: float | None
    tool_calls: int
    success_rate: float | None
    cost_is_lower_bound: bool = False
    unknown_tool_calls: int = 0


class Today(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Sessions and money of the user's local day; `cost` is null where no price is known.

    `costIsLowerBound` tells that the true cost may be higher.
    """

    sessions: int
    cost: float | None
    cost_is_lower_bound: bool = False


class Status(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a status bar shows; `spoken` is its text for those who hear it, with figures' names.

    `reading` tells that sessions are still to be read.
    """

    workspace_uri: str
    session: SessionSummary | None
    totals: Totals
    today: Today
    skipped: int
    text: str
    tooltip: str
    severity: Literal["ok", "warning"]
    spoken: str
    reading: bool = False


NoticeKind: TypeAlias = Literal["budget", "limits"]
"""What the user is told of once."""


class Notice(msgspec.Struct, frozen=True, rename="camel"):
    """`stats/show`: the user wants to see what a notice was about, in a workspace folder.

    It goes to clients that name `radLsp.showNotice` among their commands.
    """

    what: NoticeKind
    workspace_uri: str


class SkippedFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file whose session does not count."""

    uri: str
    reason: str


class UsageResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Usage per model or engine of `sessions` sessions; `text` is what `rad stats` prints.

    `withoutEngine` are the ids of sessions that name no engine, in answer to `stats/engine`.
    """

    sessions: int
    rows: tuple[UsageTableRow, ...]
    total: UsageRow
    text: str
    markdown: str
    without_engine: tuple[str, ...] = ()


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


class SessionComparison(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Session B measured against session A; `text` is what `rad stats compare` prints.

    `notes` are sentences on figures that can't be compared.
    """

    session_a: SessionSummary
    session_b: SessionSummary
    metrics: tuple[ComparedMetric, ...]
    text: str
    markdown: str
    notes: tuple[str, ...] = ()


class Charge(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one class at their rate, USD per million tokens; `cost` is USD.

    Both are null where no price is known.
    """

    token_class: TokenClass
    tokens: int
    rate: float | None
    cost: float | None


class Price(msgspec.Struct, frozen=True, rename="camel"):
    """Where a price comes from; `since` is the day from which it holds, where that is known.

    `searchFee` is USD for a search of the web. `rules` are those by which the price list was
    corrected; `origin` then names the corrections.
    """

    model: str
    provider: str
    origin: str
    since: date | None
    tier: str
    fee: float = msgspec.field(name="requestFee")
    search_fee: float
    rules: tuple[str, ...]


class CostRow(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Requests to one model that are billed by one rule.

    `threshold` is the number of input tokens that each exceeds and that makes the rates others, 0
    for none. `cost` counts, `computed` is what the charges, the request's fees and `searchCost`
    come to; null where no price is known. `searchCost` is USD for `searches` of the web. A model
    that is not spelled as in `model` by all requests has its `spellings` listed.
    `costIsLowerBound` tells that the true cost may be higher.
    """

    model: str
    tier: str
    threshold: int
    requests: int
    cost: float | None
    computed: float | None
    reported: bool
    charges: tuple[Charge, ...]
    price: Price | None
    searches: int
    search_cost: float | None
    spellings: tuple[str, ...] = ()
    cost_is_lower_bound: bool = False


class CostResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a cost is made of; `text` is what `rad stats cost` prints.

    `reported` is that part of the cost which providers and reports say themselves; `unpriced`
    requests have no known price; `estimated` tells that rows come from a report's sums.
    `costIsLowerBound` tells that the true cost may be higher.
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
    cost_is_lower_bound: bool = False


class PlanLimit(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A window of a plan's limit, as the agent has recorded it.

    `usedPercent` is null unless `state` is `current`: the window has been `reset` since, or it is
    `unknown` whether it has. `recordedPercent` is what was recorded then. `limit` names one of
    several limits. At `percentPerHour` all is used at `runsOutAt`, null where that is not before
    `resetsAt`. `summary` is a line for people.
    """

    source: str
    limit: str | None
    window: str
    window_seconds: int | None
    plan: str | None
    credits: str | None
    state: State
    used_percent: float | None
    percent_per_hour: float | None
    runs_out_at: datetime | None
    resets_at: datetime | None
    recorded_at: datetime
    recorded_percent: float
    summary: str


class RequestBlock(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What a source without a current limit has used since its running 5-hour block began.

    An estimate: blocks begin at the full hour of their first request, as those of plans may.
    """

    source: str
    since: datetime
    until: datetime
    requests: int
    tokens: int
    cost: float | None
    cost_is_lower_bound: bool = False


class LimitsResult(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Plan limits, and `blocks` of sources that have no current one.

    `idle` sources have sessions, but neither of both. `ignored` are sentences on records that
    were left out. `text` is what `rad limits` prints.
    """

    limits: tuple[PlanLimit, ...]
    blocks: tuple[RequestBlock, ...]
    idle: tuple[str, ...]
    ignored: tuple[str, ...]
    text: str
    markdown: str


class TrendFigures(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What a span, or a part of it, comes to; null is what can't be told of the part.

    `sessions` made a request or a tool call in it. Of `inputTokens` some are fresh, and the others
    were read from the cache or written to it, some of these for an hour. `costIsLowerBound` tells
    that the true cost may be higher; `unpriced` requests have no known price. Tool calls are those
    that were not denied; how `unknownToolCalls` ended is not recorded, and they are no part of the
    success rate. Lines count at the last activity of their session.
    """

    sessions: int
    requests: int | None
    input_tokens: int | None
    fresh_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_hour_tokens: int | None
    output_tokens: int | None
    cost: float | None
    cost_is_lower_bound: bool = False
    unpriced: int = 0
    savings: float | None
    cache_hit_rate: float | None
    tool_calls: int | None
    failed_tool_calls: int | None
    denied_tool_calls: int | None
    unknown_tool_calls: int | None
    success_rate: float | None
    lines_added: int | None
    lines_removed: int | None


class TrendPart(TrendFigures, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What of a span is that of one model, project …; the name is null where none is known.

    `costText` is how the cost reads.
    """

    name: str | None
    cost_text: str


class TrendRow(TrendFigures, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """A span from `begin` up to, but not including, `end`, and its parts, dearest first.

    The label is the span's first day (`2026-03-02`), its month (`2026-03`) or its hour
    (`2026-03-02 14:00`) in the user's time zone.
    """

    begin: datetime
    end: datetime
    label: str
    parts: tuple[TrendPart, ...]


class TrendResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The spans of a period, empty ones included; `text` is what `rad stats daily` … prints.

    `older` is when a session was last active that is older than all of the spans.
    """

    unit: TrendUnit
    split: TrendSplit | None
    rows: tuple[TrendRow, ...]
    total: TrendRow
    text: str
    markdown: str
    older: datetime | None = None


class ToolFigures(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What became of the calls of a tool, or of all tools of an MCP server.

    `calls` are those that were not denied; how `unknown` ones ended is not recorded. Times are null
    where none is recorded; the median is that of the calls whose time is. `share` are the calls in
    percent of all.
    """

    name: str | None
    sessions: int
    calls: int
    ok: int
    failed: int
    denied: int
    unknown: int
    success_rate: float | None
    total_seconds: float | None
    median_seconds: float | None
    share: float | None


class ToolRow(ToolFigures, frozen=True, rename="camel", kw_only=True):
    """A tool, or an MCP server with its tools as `parts`. The name is null where none is known."""

    parts: tuple[ToolFigures, ...]


class ToolsResult(msgspec.Struct, frozen=True, rename="camel"):
    """The tools that were called, most calls first; `text` is what `rad stats tools` prints."""

    rows: tuple[ToolRow, ...]
    total: ToolFigures
    text: str
    markdown: str


class BudgetRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """How a budget is used up, in USD; null where it is not known.

    `used` is percent of the limit, `threshold` the highest of `warnAt` that is passed; `passed`
    tells that more than the limit was spent. `burnRate` is USD per `burnRatePer`. What will have
    been spent at `until` is `expected`, from `expectedLow` to `expectedHigh`, by `historyDays`
    days. `runsOut` is null, too, where that is not before `until`. `project` is there for its
    budgets, as the settings name it, `sessionId` for that of a session. `costIsLowerBound` and
    `expectedIsLowerBound` tell that the true amount may be higher; `unpriced` requests have no
    known price. `summary` is a line for people.
    """

    name: Literal["session", "day", "week", "month"]
    limit: float
    cost: float | None
    left: float | None
    used: float | None
    threshold: float | None
    passed: bool
    burn_rate: float | None
    burn_rate_per: Literal["hour", "day"]
    expected: float | None
    expected_low: float | None
    expected_high: float | None
    history_days: int
    runs_out: datetime | None
    since: datetime | None
    until: datetime | None
    summary: str
    project: str = ""
    session_id: str = ""
    cost_is_lower_bound: bool = False
    expected_is_lower_bound: bool = False
    unpriced: int = 0


class BudgetResult(msgspec.Struct, frozen=True, rename="camel"):
    """All budgets that are set; `text` is what `rad stats budget` prints.

    `warnAt` are the thresholds in percent, `rules` sentences on how figures are told.
    """

    rows: tuple[BudgetRow, ...]
    warn_at: tuple[float, ...]
    rules: tuple[str, ...]
    text: str
    markdown: str


class Spent(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What some sessions spent; `costText` is how the cost reads, which is null where not known.

    `costIsLowerBound` tells that the true cost may be higher; `unpriced` requests have no known
    price.
    """

    sessions: int
    tokens: int
    cost: float | None
    cost_text: str
    cost_is_lower_bound: bool = False
    unpriced: int = 0


class Span(Spent, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """A day, week or month, and as much of the one `before` as has passed of it.

    `label` names it for people, and `change` is that of its cost, empty where that is not known.
    """

    name: Literal["day", "week", "month"]
    label: str
    before: Spent
    change: str


class Share(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What was spent on a project or a model this week; the name is empty where none is known.

    The name of a project is its folder, and `label` the end of that which no other has.
    """

    name: str
    label: str
    tokens: int
    cost: float | None
    cost_text: str
    cost_is_lower_bound: bool = False


class OverviewResult(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What today, this week and this month cost; `text` is what `rad overview` prints.

    `here` are those of the folder, empty where it has no sessions of its own, and `everywhere`
    those of all projects. `last` is the most recent session, of the folder where it has any.
    `attention` are sentences on what needs a look.
    """

    here: tuple[Span, ...]
    everywhere: tuple[Span, ...]
    last: SessionSummary | None
    projects: tuple[Share, ...]
    models: tuple[Share, ...]
    budgets: tuple[BudgetRow, ...]
    limits: tuple[PlanLimit, ...]
    attention: tuple[str, ...]
    text: str
    markdown: str


class Export(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What was exported: `uri` names the output, `content` is there when there is none."""

    format: Format
    sessions: int
    bytes: int
    uri: str | UnsetType = UNSET
    content: str | UnsetType = UNSET


class Report(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """A report: the whole page as `html`, or `data`, the JSON text that a page can be sent anew."""

    html: str | UnsetType = UNSET
    data: str | UnsetType = UNSET


class Params(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What all params may hold."""

    workspace_uri: str | None = None
    work_done_token: str | int | None = None


class ScopeParams(Params, frozen=True, rename="camel", kw_only=True):
    """With `allProjects`, the sessions are those of all projects instead of the folder's."""

    all_projects: bool = False


class SessionParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/session`: one session by id or by its file, or the most recent."""

    session_id: str | None = None
    uri: str | None = None


class UsageParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/model`, `stats/engine`: of one session, or of all that spent in a period.

    A session that goes on beyond the period counts with what it spent in it, to 15 minutes.
    """

    session_id: str | None = None
    since: str | None = None
    until: str | None = None


class CostParams(UsageParams, frozen=True, rename="camel", kw_only=True):
    """`stats/cost`: of one session, or of all that spent in a period; see `UsageParams`."""


class LimitsParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/limits`: those of the user's accounts, wherever sessions worked."""


class BudgetParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/budget`: the budgets of a workspace, and those of all projects."""


class OverviewParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/overview`: of a folder and of all projects."""


class HistoryParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/history`: a page of all sessions within a period.

    `titles` are read from their transcripts first; else only those are there that are known. With
    a `project` these are the sessions of it alone, as `SessionSummary` names it; an empty one is
    that of sessions which name none.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    since: str | None = None
    until: str | None = None
    titles: bool = False
    project: str | None = None


class TrendParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/trend`: what was spent and done by `unit`, in all sessions.

    Without `since` these are the last `count` spans, by default 24 hours, 14 days, 8 weeks or 12
    months.
    """

    unit: TrendUnit = "day"
    split: TrendSplit | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    since: str | None = None
    until: str | None = None


class ToolsParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/tools`: the tools that were called in one session, or by all in a period."""

    session_id: str | None = None
    since: str | None = None
    until: str | None = None


class CompareParams(ScopeParams, frozen=True, rename="camel", kw_only=True):
    """`stats/compare`: session B against A, or against the session of its agent before it."""

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


class ReportParams(Params, frozen=True, rename="camel", kw_only=True):
    """`stats/report`: a page of charts and tables of all sessions in a period, or its data."""

    all_projects: bool = False
    since: str | None = None
    until: str | None = None
    content: Literal["page", "data"] = "page"


METHODS: Final[dict[str, tuple[type[Params], type[msgspec.Struct]]]] = {
    "stats/session": (SessionParams, SessionStats),
    "stats/model": (UsageParams, UsageResult),
    "stats/engine": (UsageParams, UsageResult),
    "stats/cost": (CostParams, CostResult),
    "stats/budget": (BudgetParams, BudgetResult),
    "stats/history": (HistoryParams, History),
    "stats/trend": (TrendParams, TrendResult),
    "stats/tools": (ToolsParams, ToolsResult),
    "stats/limits": (LimitsParams, LimitsResult),
    "stats/compare": (CompareParams, SessionComparison),
    "stats/export": (ExportParams, Export),
    "stats/overview": (OverviewParams, OverviewResult),
    "stats/report": (ReportParams, Report),
}
"""Params and result of each request."""

STATUS: Final = "stats/status"
"""The notification whose params are a `Status`."""

SHOW: Final = "stats/show"
"""The notification whose params are a `Notice`."""


class Agent(msgspec.Struct, frozen=True, rename="camel"):
    """A source of sessions: its name, what people call it, and where it keeps its files."""

    name: str
    label: str
    places: tuple[sources.Place, ...]


def schema() -> dict[str, Any]:
    """The whole contract as a JSON Schema: a definition per struct, and who uses which.

    `agents` are no part of the messages: clients need to know which documents to send.
    """
    structs = [Status, Notice, *(struct for pair in METHODS.values() for struct in pair)]
    references, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    by_struct = dict(zip(structs, references, strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rad-lsp wire contract",
        "version": VERSION,
        "notifications": {STATUS: by_struct[Status], SHOW: by_struct[Notice]},
        "requests": {
            method: {"params": by_struct[params], "result": by_struct[result]}
            for method, (params, result) in METHODS.items()
        },
        "agents": msgspec.to_builtins([Agent(*agent) for agent in sources.places()]),
        "$defs": definitions,
    }
