// rad-lsp wire contract, generated from `rad-lsp --schema` by `npm run types`: do not edit.

/** Of the contract that these types are of. */
export const VERSION = 1;

/** What a status bar shows; `spoken` is its text for those who hear it, with figures' names. `reading` tells that sessions are still to be read. */
export interface Status {
  readonly workspaceUri: string;
  readonly session: SessionSummary | null;
  readonly totals: Totals;
  readonly today: Today;
  readonly skipped: number;
  readonly text: string;
  readonly tooltip: string;
  readonly severity: "ok" | "warning";
  readonly spoken: string;
  readonly reading?: boolean;
}

/** A session in a list: `brief` is the line for it, `lastActivityText` in the user's zone. `label` is what it is called wherever people read of it: the `agent`, its title or `shortId`, and the local time. `title` is null where the agent keeps none, and where it was not read yet. `day` is the local day of its last activity, `dayLabel` the same for people (`Today`), `timeText` the time of that day, and `costText` how the cost reads. `resume` is the command that goes on with it, null where there is none. The names of its models come most tokens first. `cost` is null where no price is known, and `costIsLowerBound` tells that the true one may be higher. How `unknownToolCalls` ended is not recorded: they are among the successful ones, and no part of the success rate. Where `apiTimeMeasured` is false, API time is active time less tool time. `deleted` tells that the transcript is gone. `project` is the folder of its repository, or that which it worked in. */
export interface SessionSummary {
  readonly sessionId: string;
  readonly source: string;
  readonly uri: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly generatedAt: string;
  readonly lastActivity: string;
  readonly running: boolean;
  readonly wallTime: number;
  readonly agentActiveTime: number;
  readonly apiTime: number;
  readonly toolTime: number;
  readonly toolCalls: number;
  readonly successfulToolCalls: number;
  readonly failedToolCalls: number;
  readonly successRate: number | null;
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesChanged: number | null;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cacheHitRate: number | null;
  readonly cost: number | null;
  readonly modelNames: readonly string[];
  readonly brief: string;
  readonly lastActivityText: string;
  readonly label: string;
  readonly agent: string;
  readonly title: string | null;
  readonly shortId: string;
  readonly costText: string;
  readonly day: string;
  readonly dayLabel: string;
  readonly timeText: string;
  readonly resume: string | null;
  readonly costIsLowerBound?: boolean;
  readonly unknownToolCalls?: number;
  readonly apiTimeMeasured?: boolean;
  readonly deleted?: boolean;
  readonly project?: string | null;
  readonly branch?: string | null;
}

/** All sessions taken together; `cost` is null where no price is known. `costIsLowerBound` tells that the true cost may be higher. `unknownToolCalls` are no part of the success rate. */
export interface Totals {
  readonly sessions: number;
  readonly cost: number | null;
  readonly toolCalls: number;
  readonly successRate: number | null;
  readonly costIsLowerBound?: boolean;
  readonly unknownToolCalls?: number;
}

/** Sessions and money of the user's local day; `cost` is null where no price is known. `costIsLowerBound` tells that the true cost may be higher. */
export interface Today {
  readonly sessions: number;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
}

/** `stats/show`: the user wants to see what a notice was about, in a workspace folder. It goes to clients that name `radLsp.showNotice` among their commands. */
export interface Notice {
  readonly what: "budget" | "limits";
  readonly workspaceUri: string;
}

/** `stats/session`: one session by id or by its file, or the most recent. */
export interface SessionParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly sessionId?: string | null;
  readonly uri?: string | null;
}

/** A session in full; `text` is what `rad stats session` prints. */
export interface SessionStats {
  readonly sessionId: string;
  readonly source: string;
  readonly uri: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly generatedAt: string;
  readonly lastActivity: string;
  readonly running: boolean;
  readonly wallTime: number;
  readonly agentActiveTime: number;
  readonly apiTime: number;
  readonly toolTime: number;
  readonly toolCalls: number;
  readonly successfulToolCalls: number;
  readonly failedToolCalls: number;
  readonly successRate: number | null;
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesChanged: number | null;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cacheHitRate: number | null;
  readonly cost: number | null;
  readonly modelNames: readonly string[];
  readonly brief: string;
  readonly lastActivityText: string;
  readonly label: string;
  readonly agent: string;
  readonly title: string | null;
  readonly shortId: string;
  readonly costText: string;
  readonly day: string;
  readonly dayLabel: string;
  readonly timeText: string;
  readonly resume: string | null;
  readonly costIsLowerBound?: boolean;
  readonly unknownToolCalls?: number;
  readonly apiTimeMeasured?: boolean;
  readonly deleted?: boolean;
  readonly project?: string | null;
  readonly branch?: string | null;
  readonly apiShare: number | null;
  readonly toolShare: number | null;
  readonly approvals: Approvals;
  readonly cache: Cache;
  readonly models: readonly UsageRow[];
  readonly engines: readonly UsageRow[];
  readonly warnings: readonly string[];
  readonly text: string;
  readonly markdown: string;
}

/** What became of tool calls that needed the user's approval. */
export interface Approvals {
  readonly allowed: number;
  readonly denied: number;
  readonly asked: number;
}

/** What the cache did; savings are null where no price is known. */
export interface Cache {
  readonly hitRate: number | null;
  readonly cachedTokens: number;
  readonly creationTokens: number;
  readonly readTokens: number;
  readonly savings: number | null;
}

/** Usage of one model or engine; `cost` is null where no price is known. `costIsLowerBound` tells that the true cost may be higher. */
export interface UsageRow {
  readonly name: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
}

/** `stats/model`, `stats/engine`: of one session, or of all that spent in a period. A session that goes on beyond the period counts with what it spent in it, to 15 minutes. */
export interface UsageParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly sessionId?: string | null;
  readonly since?: string | null;
  readonly until?: string | null;
}

/** Usage per model or engine of `sessions` sessions; `text` is what `rad stats` prints. `withoutEngine` are the ids of sessions that name no engine, in answer to `stats/engine`. */
export interface UsageResult {
  readonly sessions: number;
  readonly rows: readonly UsageTableRow[];
  readonly total: UsageRow;
  readonly text: string;
  readonly markdown: string;
  readonly withoutEngine?: readonly string[];
}

/** Usage of one model or engine in all sessions. The name is empty where none is known. A model that requests spell in several ways has its `spellings` listed; its name is then the price list's. */
export interface UsageTableRow {
  readonly name: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
  readonly spellings?: readonly string[];
}

/** `stats/cost`: of one session, or of all that spent in a period; see `UsageParams`. */
export interface CostParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly sessionId?: string | null;
  readonly since?: string | null;
  readonly until?: string | null;
}

/** What a cost is made of; `text` is what `rad stats cost` prints. `reported` is that part of the cost which providers and reports say themselves; `unpriced` requests have no known price; `estimated` tells that rows come from a report's sums. `costIsLowerBound` tells that the true cost may be higher. */
export interface CostResult {
  readonly sessions: number;
  readonly rows: readonly CostRow[];
  readonly cost: number | null;
  readonly reported: number | null;
  readonly computed: number | null;
  readonly unpriced: number;
  readonly estimated: boolean;
  readonly text: string;
  readonly markdown: string;
  readonly costIsLowerBound?: boolean;
}

/** Requests to one model that are billed by one rule. `threshold` is the number of input tokens that each exceeds and that makes the rates others, 0 for none. `cost` counts, `computed` is what the charges, the request's fees and `searchCost` come to; null where no price is known. `searchCost` is USD for `searches` of the web. A model that is not spelled as in `model` by all requests has its `spellings` listed. `costIsLowerBound` tells that the true cost may be higher. */
export interface CostRow {
  readonly model: string;
  readonly tier: string;
  readonly threshold: number;
  readonly requests: number;
  readonly cost: number | null;
  readonly computed: number | null;
  readonly reported: boolean;
  readonly charges: readonly Charge[];
  readonly price: Price | null;
  readonly searches: number;
  readonly searchCost: number | null;
  readonly spellings?: readonly string[];
  readonly costIsLowerBound?: boolean;
}

/** Tokens of one class at their rate, USD per million tokens; `cost` is USD. Both are null where no price is known. */
export interface Charge {
  readonly tokenClass: "cache_read" | "cache_write_1h" | "cache_write_5m" | "input" | "output";
  readonly tokens: number;
  readonly rate: number | null;
  readonly cost: number | null;
}

/** Where a price comes from; `since` is the day from which it holds, where that is known. `searchFee` is USD for a search of the web. `rules` are those by which the price list was corrected; `origin` then names the corrections. */
export interface Price {
  readonly model: string;
  readonly provider: string;
  readonly origin: string;
  readonly since: string | null;
  readonly tier: string;
  readonly requestFee: number;
  readonly searchFee: number;
  readonly rules: readonly string[];
}

/** `stats/budget`: the budgets of a workspace, and those of all projects. */
export interface BudgetParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
}

/** All budgets that are set; `text` is what `rad stats budget` prints. `warnAt` are the thresholds in percent, `rules` sentences on how figures are told. */
export interface BudgetResult {
  readonly rows: readonly BudgetRow[];
  readonly warnAt: readonly number[];
  readonly rules: readonly string[];
  readonly text: string;
  readonly markdown: string;
}

/** How a budget is used up, in USD; null where it is not known. `used` is percent of the limit, `threshold` the highest of `warnAt` that is passed; `passed` tells that more than the limit was spent. `burnRate` is USD per `burnRatePer`. What will have been spent at `until` is `expected`, from `expectedLow` to `expectedHigh`, by `historyDays` days. `runsOut` is null, too, where that is not before `until`. `project` is there for its budgets, as the settings name it, `sessionId` for that of a session. `costIsLowerBound` and `expectedIsLowerBound` tell that the true amount may be higher; `unpriced` requests have no known price. `summary` is a line for people. */
export interface BudgetRow {
  readonly name: "day" | "month" | "session" | "week";
  readonly limit: number;
  readonly cost: number | null;
  readonly left: number | null;
  readonly used: number | null;
  readonly threshold: number | null;
  readonly passed: boolean;
  readonly burnRate: number | null;
  readonly burnRatePer: "day" | "hour";
  readonly expected: number | null;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  readonly historyDays: number;
  readonly runsOut: string | null;
  readonly since: string | null;
  readonly until: string | null;
  readonly summary: string;
  readonly project?: string;
  readonly sessionId?: string;
  readonly costIsLowerBound?: boolean;
  readonly expectedIsLowerBound?: boolean;
  readonly unpriced?: number;
}

/** `stats/history`: a page of all sessions within a period. `titles` are read from their transcripts first; else only those are there that are known. With a `project` these are the sessions of it alone, as `SessionSummary` names it; an empty one is that of sessions which name none. */
export interface HistoryParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly limit?: number;
  readonly offset?: number;
  readonly since?: string | null;
  readonly until?: string | null;
  readonly titles?: boolean;
  readonly project?: string | null;
}

/** A page of sessions, newest first, of `total`. */
export interface History {
  readonly sessions: readonly SessionSummary[];
  readonly total: number;
  readonly skipped: readonly SkippedFile[];
}

/** A file whose session does not count. */
export interface SkippedFile {
  readonly uri: string;
  readonly reason: string;
}

/** `stats/trend`: what was spent and done by `unit`, in all sessions. Without `since` these are the last `count` spans, by default 24 hours, 14 days, 8 weeks or 12 months. */
export interface TrendParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly unit?: "day" | "hour" | "month" | "week";
  readonly split?: "branch" | "engine" | "model" | "project" | "source" | "tool" | null;
  readonly count?: number | null;
  readonly since?: string | null;
  readonly until?: string | null;
}

/** The spans of a period, empty ones included; `text` is what `rad stats daily` … prints. `older` is when a session was last active that is older than all of the spans. */
export interface TrendResult {
  readonly unit: "day" | "hour" | "month" | "week";
  readonly split: "branch" | "engine" | "model" | "project" | "source" | "tool" | null;
  readonly rows: readonly TrendRow[];
  readonly total: TrendRow;
  readonly text: string;
  readonly markdown: string;
  readonly older?: string | null;
}

/** A span from `begin` up to, but not including, `end`, and its parts, dearest first. The label is the span's first day (`2026-03-02`), its month (`2026-03`) or its hour (`2026-03-02 14:00`) in the user's time zone. */
export interface TrendRow {
  readonly sessions: number;
  readonly requests: number | null;
  readonly inputTokens: number | null;
  readonly freshTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly cacheWriteHourTokens: number | null;
  readonly outputTokens: number | null;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
  readonly unpriced?: number;
  readonly savings: number | null;
  readonly cacheHitRate: number | null;
  readonly toolCalls: number | null;
  readonly failedToolCalls: number | null;
  readonly deniedToolCalls: number | null;
  readonly unknownToolCalls: number | null;
  readonly successRate: number | null;
  readonly linesAdded: number | null;
  readonly linesRemoved: number | null;
  readonly begin: string;
  readonly end: string;
  readonly label: string;
  readonly parts: readonly TrendPart[];
}

/** What of a span is that of one model, project …; the name is null where none is known. `costText` is how the cost reads. */
export interface TrendPart {
  readonly sessions: number;
  readonly requests: number | null;
  readonly inputTokens: number | null;
  readonly freshTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly cacheWriteHourTokens: number | null;
  readonly outputTokens: number | null;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
  readonly unpriced?: number;
  readonly savings: number | null;
  readonly cacheHitRate: number | null;
  readonly toolCalls: number | null;
  readonly failedToolCalls: number | null;
  readonly deniedToolCalls: number | null;
  readonly unknownToolCalls: number | null;
  readonly successRate: number | null;
  readonly linesAdded: number | null;
  readonly linesRemoved: number | null;
  readonly name: string | null;
  readonly costText: string;
}

/** `stats/tools`: the tools that were called in one session, or by all in a period. */
export interface ToolsParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly sessionId?: string | null;
  readonly since?: string | null;
  readonly until?: string | null;
}

/** The tools that were called, most calls first; `text` is what `rad stats tools` prints. */
export interface ToolsResult {
  readonly rows: readonly ToolRow[];
  readonly total: ToolFigures;
  readonly text: string;
  readonly markdown: string;
}

/** A tool, or an MCP server with its tools as `parts`. The name is null where none is known. */
export interface ToolRow {
  readonly name: string | null;
  readonly sessions: number;
  readonly calls: number;
  readonly ok: number;
  readonly failed: number;
  readonly denied: number;
  readonly unknown: number;
  readonly successRate: number | null;
  readonly totalSeconds: number | null;
  readonly medianSeconds: number | null;
  readonly share: number | null;
  readonly parts: readonly ToolFigures[];
}

/** What became of the calls of a tool, or of all tools of an MCP server. `calls` are those that were not denied; how `unknown` ones ended is not recorded. Times are null where none is recorded; the median is that of the calls whose time is. `share` are the calls in percent of all. */
export interface ToolFigures {
  readonly name: string | null;
  readonly sessions: number;
  readonly calls: number;
  readonly ok: number;
  readonly failed: number;
  readonly denied: number;
  readonly unknown: number;
  readonly successRate: number | null;
  readonly totalSeconds: number | null;
  readonly medianSeconds: number | null;
  readonly share: number | null;
}

/** `stats/limits`: those of the user's accounts, wherever sessions worked. */
export interface LimitsParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
}

/** Plan limits, and `blocks` of sources that have no current one. `idle` sources have sessions, but neither of both. `ignored` are sentences on records that were left out. `text` is what `rad limits` prints. */
export interface LimitsResult {
  readonly limits: readonly PlanLimit[];
  readonly blocks: readonly RequestBlock[];
  readonly idle: readonly string[];
  readonly ignored: readonly string[];
  readonly text: string;
  readonly markdown: string;
}

/** A window of a plan's limit, as the agent has recorded it. `usedPercent` is null unless `state` is `current`: the window has been `reset` since, or it is `unknown` whether it has. `recordedPercent` is what was recorded then. `limit` names one of several limits. At `percentPerHour` all is used at `runsOutAt`, null where that is not before `resetsAt`. `summary` is a line for people. */
export interface PlanLimit {
  readonly source: string;
  readonly limit: string | null;
  readonly window: string;
  readonly windowSeconds: number | null;
  readonly plan: string | null;
  readonly credits: string | null;
  readonly state: "current" | "reset" | "unknown";
  readonly usedPercent: number | null;
  readonly percentPerHour: number | null;
  readonly runsOutAt: string | null;
  readonly resetsAt: string | null;
  readonly recordedAt: string;
  readonly recordedPercent: number;
  readonly summary: string;
}

/** What a source without a current limit has used since its running 5-hour block began. An estimate: blocks begin at the full hour of their first request, as those of plans may. */
export interface RequestBlock {
  readonly source: string;
  readonly since: string;
  readonly until: string;
  readonly requests: number;
  readonly tokens: number;
  readonly cost: number | null;
  readonly costIsLowerBound?: boolean;
}

/** `stats/compare`: session B against A, or against the session of its agent before it. */
export interface CompareParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly sessionA?: string | null;
  readonly sessionB: string;
}

/** Session B measured against session A; `text` is what `rad stats compare` prints. `notes` are sentences on figures that can't be compared. */
export interface SessionComparison {
  readonly sessionA: SessionSummary;
  readonly sessionB: SessionSummary;
  readonly metrics: readonly ComparedMetric[];
  readonly text: string;
  readonly markdown: string;
  readonly notes?: readonly string[];
}

/** A figure of both sessions; `delta` is b - a, `percent` the same in percent of a. */
export interface ComparedMetric {
  readonly name: string;
  readonly label: string;
  readonly unit: "USD" | "calls" | "lines" | "percent" | "seconds" | "tokens";
  readonly a: number | null;
  readonly b: number | null;
  readonly delta: number | null;
  readonly percent: number | null;
  readonly better: "higher" | "lower" | "neither";
  readonly verdict: "changed" | "improved" | "regressed" | "unchanged";
}

/** `stats/export`: one session, or all within a period; `output` is a path or a file URI. */
export interface ExportParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly sessionId?: string | null;
  readonly format?: "csv" | "json" | "markdown" | "ndjson";
  readonly output?: string | null;
  readonly overwrite?: boolean;
  readonly since?: string | null;
  readonly until?: string | null;
}

/** What was exported: `uri` names the output, `content` is there when there is none. */
export interface Export {
  readonly format: "csv" | "json" | "markdown" | "ndjson";
  readonly sessions: number;
  readonly bytes: number;
  readonly uri?: string;
  readonly content?: string;
}

/** `stats/overview`: of a folder and of all projects. */
export interface OverviewParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
}

/** What today, this week and this month cost; `text` is what `rad overview` prints. `here` are those of the folder, empty where it has no sessions of its own, and `everywhere` those of all projects. `last` is the most recent session, of the folder where it has any. `attention` are sentences on what needs a look. */
export interface OverviewResult {
  readonly here: readonly Span[];
  readonly everywhere: readonly Span[];
  readonly last: SessionSummary | null;
  readonly projects: readonly Share[];
  readonly models: readonly Share[];
  readonly budgets: readonly BudgetRow[];
  readonly limits: readonly PlanLimit[];
  readonly attention: readonly string[];
  readonly text: string;
  readonly markdown: string;
}

/** A day, week or month, and as much of the one `before` as has passed of it. `label` names it for people, and `change` is that of its cost, empty where that is not known. */
export interface Span {
  readonly sessions: number;
  readonly tokens: number;
  readonly cost: number | null;
  readonly costText: string;
  readonly costIsLowerBound?: boolean;
  readonly unpriced?: number;
  readonly name: "day" | "month" | "week";
  readonly label: string;
  readonly before: Spent;
  readonly change: string;
}

/** What some sessions spent; `costText` is how the cost reads, which is null where not known. `costIsLowerBound` tells that the true cost may be higher; `unpriced` requests have no known price. */
export interface Spent {
  readonly sessions: number;
  readonly tokens: number;
  readonly cost: number | null;
  readonly costText: string;
  readonly costIsLowerBound?: boolean;
  readonly unpriced?: number;
}

/** What was spent on a project or a model this week; the name is empty where none is known. The name of a project is its folder, and `label` the end of that which no other has. */
export interface Share {
  readonly name: string;
  readonly label: string;
  readonly tokens: number;
  readonly cost: number | null;
  readonly costText: string;
  readonly costIsLowerBound?: boolean;
}

/** `stats/report`: a page of charts and tables of all sessions in a period, or its data. */
export interface ReportParams {
  readonly workspaceUri?: string | null;
  readonly workDoneToken?: string | number | null;
  readonly allProjects?: boolean;
  readonly since?: string | null;
  readonly until?: string | null;
  readonly content?: "data" | "page";
}

/** A report: the whole page as `html`, or `data`, the JSON text that a page can be sent anew. */
export interface Report {
  readonly html?: string;
  readonly data?: string;
}

/** Params and result of each request. */
export interface Requests {
  "stats/session": { readonly params: SessionParams; readonly result: SessionStats };
  "stats/model": { readonly params: UsageParams; readonly result: UsageResult };
  "stats/engine": { readonly params: UsageParams; readonly result: UsageResult };
  "stats/cost": { readonly params: CostParams; readonly result: CostResult };
  "stats/budget": { readonly params: BudgetParams; readonly result: BudgetResult };
  "stats/history": { readonly params: HistoryParams; readonly result: History };
  "stats/trend": { readonly params: TrendParams; readonly result: TrendResult };
  "stats/tools": { readonly params: ToolsParams; readonly result: ToolsResult };
  "stats/limits": { readonly params: LimitsParams; readonly result: LimitsResult };
  "stats/compare": { readonly params: CompareParams; readonly result: SessionComparison };
  "stats/export": { readonly params: ExportParams; readonly result: Export };
  "stats/overview": { readonly params: OverviewParams; readonly result: OverviewResult };
  "stats/report": { readonly params: ReportParams; readonly result: Report };
}

/** Params of each notification of the server. */
export interface Notifications {
  "stats/status": Status;
  "stats/show": Notice;
}
