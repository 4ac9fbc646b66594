// Draws the page: reads the data, adds them up for what the reader has chosen, and gives each chart
// a small table. Names from the data become text only, never markup.

const DAY = 86_400_000;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const OUTCOMES = { Succeeded: "ok", Failed: "failed", Denied: "denied", Unknown: "unknown" };
const SERIES = 7; // models with a colour of their own
const OTHERS = "Other models";
const TOP = 10;
const ERRORS = 1; // of Vega's levels: it also warns of a chart without rows

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function problem(sentence) {
  byId("problem").textContent = sentence;
  byId("problem").hidden = false;
}

function failed(error) {
  problem(`The report could not be drawn: ${clean(error?.message ?? error)}`);
  byId("main").ariaBusy = "false";
}

addEventListener("error", (event) => failed(event));
addEventListener("unhandledrejection", (event) => failed(event.reason));

// ---- How values read ----

const COUNT = new Intl.NumberFormat("en-US");
const fixed = (digits) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const [ONE, TWO, FOUR] = [fixed(1), fixed(2), fixed(4)];
const NOT_AVAILABLE = "n/a";

const known = (value) => value !== null && value !== undefined;
const atLeast = (text, lower) => (lower && text !== NOT_AVAILABLE ? `≥ ${text}` : text);

function dollars(value, digits = FOUR) {
  return value < 0 ? `-$${digits.format(-value)}` : `$${digits.format(value)}`;
}

function duration(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h) return `${COUNT.format(h)}h ${m}m ${s}s`;
  return m ? `${m}m ${s}s` : `${s}s`;
}

const isoDay = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 10);

const READ = {
  text: String,
  date: isoDay,
  moment: (minutes) => new Date(minutes * 60_000).toISOString().slice(0, 16).replace("T", " "),
  money: (value) => dollars(value),
  count: (value) => COUNT.format(value),
  tokens: (value) => COUNT.format(value),
  calls: (value) => COUNT.format(value),
  lines: (value) => COUNT.format(value),
  percent: (value) => `${ONE.format(value)}%`,
  hours: (value) => `${TWO.format(value)} h`,
  hour: (value) => `${String(value).padStart(2, "0")}:00`,
  minutes: (value) => duration(Math.round(value * 60)),
  seconds: duration,
  USD: (micros) => dollars(micros / 1e6),
};
const IS_TEXT = new Set(["text", "date", "moment"]);

function read(value, type, lower) {
  return known(value) ? atLeast((READ[type] ?? COUNT.format)(value), lower) : NOT_AVAILABLE;
}

// ---- The data ----

/** Shows control, invisible and bidirectional characters as their codes. */
function clean(name) {
  if (/^[\x20-\x7e]{0,300}$/.test(name)) return String(name); // most are, and this is quick
  const hidden = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
  const shown = String(name).replace(hidden, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
  return shown.length > 300 ? `${shown.slice(0, 300)}…` : shown;
}

const titled = (title) => (title?.length > 60 ? `${title.slice(0, 60).trim()}…` : title?.trim());

/** Names to show: harmless, none empty, no two alike. */
function distinct(names, empty) {
  return unique(
    names.map((name) => {
      const shown = clean(name).trim() || empty;
      return shown in {} ? `'${shown}'` : shown; // Vega looks names up in plain objects
    }),
  );
}

function unique(names) {
  const seen = new Map();
  return names.map((shown) => {
    const before = seen.get(shown) ?? 0;
    seen.set(shown, before + 1);
    return before ? `${shown} (${before + 1})` : shown;
  });
}

async function decoded(block) {
  if (block.dataset.encoding !== "gzip") return JSON.parse(block.textContent);
  const text = atob(block.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).json();
}

/** Adds up the steps in which a column is written. */
function summed(column) {
  let sum = 0;
  return column.map((step) => (sum += step));
}

/** Adds to each session what its requests cost and used. */
function withUsage(sessions, usage) {
  const money = sessions.id.map(() => new Money());
  const saved = sessions.id.map(() => new Money());
  const sums = ["requests", "unpriced", "input", "output", "cache_read", "cache_write"];
  for (const name of sums) sessions[name] = sessions.id.map(() => 0);
  usage.session.forEach((session, row) => {
    money[session].add(usage.cost[row], usage.lower[row]);
    saved[session].add(usage.savings[row], 0);
    for (const name of sums) sessions[name][session] += usage[name][row];
  });
  sessions.cost = money.map((amount) => amount.sum);
  sessions.lower = money.map((amount) => amount.lower);
  sessions.savings = saved.map((amount) => amount.sum);
  sessions.tokens = sessions.input.map((input, i) => input + sessions.output[i]);
  sessions.known = sessions.calls.map((calls, i) => calls - sessions.unknown[i]);
}

function prepared(raw) {
  const { sessions, usage, calls } = raw;
  const steps = [[sessions, "start"], [usage, "session"], [usage, "hour"], [calls, "session"], [calls, "day"]];
  for (const [block, name] of steps) block[name] = summed(block[name]);
  withUsage(sessions, usage);
  const names = {
    source: distinct(raw.names.sources, "No agent"),
    project: distinct(raw.names.projects, "No project"),
    path: raw.names.paths,
    model: distinct(raw.names.models, "No model"),
    tool: distinct(raw.names.tools, "No tool"),
  };
  const short = sessions.id.map((id, i) => clean(titled(sessions.title[i]) || id.slice(0, 8)));
  const label = (name, i) => [names.source[sessions.source[i]], name, READ.moment(sessions.start[i])].join(" · ");
  sessions.label = unique(short.map(label));
  sessions.day = sessions.start.map((minute) => Math.floor(minute / 1440));
  usage.day = usage.hour.map((hour) => Math.floor(hour / 24));
  let [first, last] = [Infinity, -Infinity];
  for (const days of [sessions.day, usage.day, calls.day]) {
    for (const day of days) {
      if (day < first) first = day;
      if (day > last) last = day;
    }
  }
  const spent = names.model.map(() => 0);
  usage.model.forEach((model, row) => (spent[model] += usage.cost[row] ?? 0));
  const ranked = spent.map((_, model) => model).sort((a, b) => spent[b] - spent[a] || a - b);
  const rank = [];
  ranked.forEach((model, place) => (rank[model] = place));
  const series = ranked.slice(0, SERIES).map((model) => names.model[model]);
  if (ranked.length > SERIES) series.push(OTHERS);
  const isEmpty = first > last;
  return { ...raw, names, short, rank, series, first: isEmpty ? 0 : first, last: isEmpty ? 0 : last };
}

// ---- Adding up ----

const monday = (day) => day - ((((day + 3) % 7) + 7) % 7); // 1970-01-01 was a Thursday

function startOfMonth(day, months = 0) {
  const date = new Date(day * DAY);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / DAY;
}

/** The days from `first` to `last` in days, weeks or months, so that few enough are drawn. */
function buckets(first, last) {
  const days = last - first + 1;
  const start = days <= 100 ? (day) => day : days <= 800 ? monday : startOfMonth;
  const next = days <= 100 ? (day) => day + 1 : days <= 800 ? (day) => day + 7 : (day) => startOfMonth(day, 1);
  const edges = [start(first)];
  while (edges.at(-1) <= last) edges.push(next(edges.at(-1)));
  const of = new Int32Array(days);
  for (let day = first, bucket = 0; day <= last; day += 1) {
    if (day >= edges[bucket + 1]) bucket += 1;
    of[day - first] = bucket;
  }
  return {
    of: (day) => of[day - first],
    count: edges.length - 1,
    times: (bucket) => ({ from: edges[bucket] * DAY, to: edges[bucket + 1] * DAY }),
    span: [edges[0] * DAY, edges.at(-1) * DAY],
  };
}

/** An amount of money: in part unknown it is a lower bound, wholly unknown it is null. */
class Money {
  micros = 0;
  isKnown = false;
  isPartial = false;
  isMissing = false;

  add(micros, lower) {
    if (micros === null) this.isMissing = true;
    else {
      this.micros += micros;
      this.isKnown = true;
      if (lower) this.isPartial = true;
    }
  }

  /** Millionths of a USD; null where none is known, or there is nothing to know. */
  get sum() {
    return this.isKnown ? this.micros : null;
  }

  get usd() {
    return this.isKnown ? this.micros / 1e6 : null;
  }

  get lower() {
    return this.isKnown && (this.isPartial || this.isMissing);
  }
}

const percentOf = (part, whole) => (whole && known(part) ? (100 * part) / whole : null);
const dearest = (a, b) => (b.cost ?? -1) - (a.cost ?? -1);

/** Entries that are made when they are first asked for. */
class Groups extends Map {
  constructor(make) {
    super();
    this.make = make;
  }

  at(key) {
    let entry = this.get(key);
    if (entry === undefined) this.set(key, (entry = this.make()));
    return entry;
  }
}

// The filters that a row does not pass, as bits: a chart ignores its own.
const [DATE, MODEL, SLOT, SOURCE, PROJECT, SESSION, TOOL, INACTIVE] = [1, 2, 4, 8, 16, 32, 64, 128];

/** The totals, the table of each chart and the sessions, of what passes the filter. */
function addedUp(data, filter) {
  const { sessions, usage, calls, names } = data;
  const count = sessions.id.length;
  const chosen = (key) => (filter[key] === undefined ? null : names[key].indexOf(filter[key]));
  const [source, project, model, tool] = ["source", "project", "model", "tool"].map(chosen);
  const session = filter.session === undefined ? null : sessions.id.indexOf(filter.session);
  const from = Math.max(filter.from ?? data.first, data.first);
  const to = Math.min(filter.to ?? data.last + 1, data.last + 1);
  const isDated = from > data.first || to <= data.last;
  const inDate = (day) => day >= from && day < to;
  const [weekday, hour] = filter.slot?.split(" ") ?? [];
  const slot = filter.slot === undefined ? null : WEEKDAYS.indexOf(weekday) * 24 + Number(hour);
  const slotOf = (hours, day) => (day - monday(day)) * 24 + (hours - day * 24);

  // A session passes if some request passes all filters of requests at once. Without such filters,
  // its tool calls and its beginning count, too.
  const ofRequests = model !== null || slot !== null;
  const rejected = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) {
    rejected[i] =
      (source !== null && sessions.source[i] !== source ? SOURCE : 0) |
      (project !== null && sessions.project[i] !== project ? PROJECT : 0) |
      (session !== null && i !== session ? SESSION : 0) |
      (tool !== null ? TOOL : 0) |
      (ofRequests || !inDate(sessions.day[i]) ? INACTIVE : 0);
  }
  const ofRow = new Uint8Array(usage.session.length);
  for (let row = 0; row < ofRow.length; row += 1) {
    const day = usage.day[row];
    ofRow[row] =
      (inDate(day) ? 0 : DATE) |
      (model !== null && usage.model[row] !== model ? MODEL : 0) |
      (slot !== null && slotOf(usage.hour[row], day) !== slot ? SLOT : 0);
    if (!ofRow[row]) rejected[usage.session[row]] &= ~INACTIVE;
  }
  for (let row = 0; row < calls.session.length; row += 1) {
    if (calls.tool[row] === tool) rejected[calls.session[row]] &= ~TOOL;
    if (!ofRequests && inDate(calls.day[row])) rejected[calls.session[row]] &= ~INACTIVE;
  }

  const all = buckets(data.first, data.last);
  const shown = isDated && from < to ? buckets(from, to - 1) : all;
  const spent = () => ({ money: new Money(), requests: 0, tokens: 0, sessions: 0 });
  const byDay = new Groups(spent);
  const dailyCost = new Groups(() => new Money());
  const byProject = new Groups(spent);
  const byModel = new Groups(spent);
  const bySlot = new Groups(spent);
  const cache = new Groups(() => ({ input: 0, read: 0, saved: new Money() }));
  const total = { money: new Money(), saved: new Money(), requests: 0, unpriced: 0, input: 0, output: 0, read: 0 };
  const spend = (entry, row) => {
    entry.money.add(usage.cost[row], usage.lower[row]);
    entry.requests += usage.requests[row];
    entry.tokens += usage.input[row] + usage.output[row];
  };
  for (let row = 0; row < ofRow.length; row += 1) {
    const one = usage.session[row];
    const not = (rejected[one] & ~INACTIVE) | ofRow[row];
    const day = usage.day[row];
    if (!(not & ~DATE)) {
      spend(byDay.at(all.of(day) * names.model.length + data.rank[usage.model[row]]), row);
      dailyCost.at(day).add(usage.cost[row], usage.lower[row]);
    }
    if (!(not & ~PROJECT)) spend(byProject.at(sessions.project[one]), row);
    if (!(not & ~MODEL)) spend(byModel.at(usage.model[row]), row);
    if (!(not & ~SLOT)) spend(bySlot.at(slotOf(usage.hour[row], day)), row);
    if (not) continue;
    const bucket = cache.at(shown.of(day));
    bucket.input += usage.input[row];
    bucket.read += usage.cache_read[row];
    bucket.saved.add(usage.savings[row], 0);
    total.money.add(usage.cost[row], usage.lower[row]);
    total.saved.add(usage.savings[row], 0);
    total.requests += usage.requests[row];
    total.unpriced += usage.unpriced[row];
    total.input += usage.input[row];
    total.output += usage.output[row];
    total.read += usage.cache_read[row];
  }

  const outcomes = () => ({ ok: 0, failed: 0, denied: 0, unknown: 0 });
  const byTool = new Groups(outcomes);
  const success = new Groups(outcomes);
  const called = outcomes();
  const call = (entry, row) => {
    for (const key of Object.values(OUTCOMES)) entry[key] += calls[key][row];
  };
  for (let row = 0; row < calls.session.length; row += 1) {
    const not =
      (rejected[calls.session[row]] & ~TOOL) |
      (inDate(calls.day[row]) ? 0 : DATE) |
      (tool !== null && calls.tool[row] !== tool ? TOOL : 0);
    if (!(not & ~TOOL)) call(byTool.at(calls.tool[row]), row);
    if (not) continue;
    call(success.at(shown.of(calls.day[row])), row);
    call(called, row);
  }

  const passing = [];
  const points = [];
  const time = new Groups(() => ({ API: 0, Tools: 0, Other: 0 }));
  for (let i = 0; i < count; i += 1) {
    const not = rejected[i];
    if (!(not & ~PROJECT)) byProject.at(sessions.project[i]).sessions += 1;
    if (!(not & ~SESSION)) points.push(i);
    if (not) continue;
    passing.push(i);
    const active = sessions.active[i];
    if (!known(active) || !inDate(sessions.day[i])) continue;
    const parts = time.at(shown.of(sessions.day[i]));
    const [api, tools] = [sessions.api[i] ?? 0, sessions.tool[i] ?? 0];
    parts.API += api / 3600;
    parts.Tools += tools / 3600;
    parts.Other += Math.max(0, active - api - tools) / 3600;
  }

  const inOrder = (groups) => [...groups].sort((a, b) => a[0] - b[0]);
  const cost = (entry) => ({ cost: entry.money.usd, lower: entry.money.lower });
  const perName = (groups, rows) => inOrder(groups).map(rows).sort(dearest);
  const perTime = (groups, rows) =>
    inOrder(groups).flatMap(([bucket, entry]) => [rows(entry)].flat().map((row) => ({ ...shown.times(bucket), ...row })));
  const usd = (i) => (known(sessions.cost[i]) ? sessions.cost[i] / 1e6 : null);
  const ofSession = (i) => ({
    id: sessions.id[i],
    session: sessions.label[i],
    source: names.source[sessions.source[i]],
    cost: usd(i),
    lower: sessions.lower[i],
  });
  const tables = {
    "cost-by-day": inOrder(byDay).map(([key, entry]) => {
      const place = key % names.model.length;
      const name = names.model[data.rank.indexOf(place)];
      return { ...all.times(Math.floor(key / names.model.length)), model: name, rank: place, ...cost(entry), requests: entry.requests };
    }),
    budget: cumulated(data, dailyCost),
    "cost-by-project": perName(byProject, ([key, entry]) => ({ project: names.project[key], ...cost(entry), sessions: entry.sessions })),
    "cost-by-model": perName(byModel, ([key, entry]) => ({ model: names.model[key], ...cost(entry), requests: entry.requests, tokens: entry.tokens })),
    hours: inOrder(bySlot).map(([key, entry]) => ({ weekday: WEEKDAYS[Math.floor(key / 24)], hour: key % 24, ...cost(entry), requests: entry.requests })),
    "cache-hit-rate": perTime(cache, ({ input, read }) => (input ? { rate: percentOf(read, input), cache_read: read, input } : [])),
    "cache-savings": perTime(cache, ({ saved }) => ({ savings: saved.usd, lower: saved.lower })),
    tools: inOrder(byTool)
      .map(([key, entry]) => ({ key, entry, all: Object.values(entry).reduce((a, b) => a + b) }))
      .sort((a, b) => b.all - a.all)
      .flatMap(({ key, entry }, rank) =>
        Object.entries(OUTCOMES).map(([outcome, field]) => ({ tool: names.tool[key], rank, outcome, calls: entry[field] })),
      )
      .filter((row) => row.calls),
    "success-rate": perTime(success, ({ ok, failed }) =>
      ok + failed ? { rate: percentOf(ok, ok + failed), succeeded: ok, failed } : [],
    ),
    "time-split": perTime(time, (parts) => Object.entries(parts).map(([part, hours]) => ({ part, hours }))),
    limits: data.limits.map((limit) => ({
      label: clean([limit.source, limit.limit, limit.window].filter(Boolean).join(" · ")),
      state: limit.state,
      used: limit.usedPercent ?? null,
      text: clean(limit.summary ?? limit.state),
    })),
    "duration-cost": points
      .filter((i) => sessions.cost[i] > 0 && sessions.wall[i] > 0)
      .map((i) => ({ ...ofSession(i), minutes: sessions.wall[i] / 60 })),
    "top-sessions": points
      .filter((i) => sessions.cost[i] > 0)
      .sort((a, b) => sessions.cost[b] - sessions.cost[a])
      .slice(0, TOP)
      .map((i, rank) => ({ rank, ...ofSession(i) })),
  };
  const rows = passing.map((i) => ({
    ...ofSession(i),
    name: data.short[i],
    project: names.project[sessions.project[i]],
    start: sessions.start[i],
    active: sessions.active[i],
    tokens: sessions.tokens[i],
    calls: sessions.calls[i],
    success: percentOf(sessions.ok[i], sessions.known[i]),
    added: sessions.lines_added[i],
    removed: sessions.lines_removed[i],
  }));
  return { total, called, tables, rows, spans: { all: all.span, shown: shown.span } };
}

/** The cost so far in each month, week or day that has a budget; else in the whole time. */
function cumulated(data, dailyCost) {
  const starts = { month: startOfMonth, week: monday, day: (day) => day };
  const general = data.budgets.filter((row) => !row.project && !row.sessionId);
  const budget = Object.keys(starts).map((name) => general.find((row) => row.name === name)).find(Boolean);
  const startOf = budget ? starts[budget.name] : () => data.first;
  const limit = budget?.limit ?? null;
  const rows = [];
  let [start, sum] = [null, 0];
  for (const [day, money] of [...dailyCost].sort((a, b) => a[0] - b[0])) {
    if (!money.isKnown) continue;
    const part = isoDay(startOf(day) * DAY);
    if (startOf(day) !== start) {
      [start, sum] = [startOf(day), 0];
      const begin = Math.max(start, data.first) * DAY;
      rows.push({ from: begin, to: begin, part, cost: 0, limit });
    }
    const before = rows.at(-1); // between two days on which something was spent the sum stays
    if (before.to < day * DAY) rows.push({ ...before, from: before.to, to: day * DAY });
    sum += money.micros;
    rows.push({ from: day * DAY, to: (day + 1) * DAY, part, cost: sum / 1e6, limit });
  }
  return rows;
}

// ---- Tables ----

const COLLATOR = new Intl.Collator("en", { numeric: true });

function compared(a, b) {
  if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : 0; // what is not known comes last
  return typeof a === "string" ? COLLATOR.compare(a, b) : a - b;
}

/** A sortable table in pages. A cell of a column with `pick` is a button that filters. */
class DataTable {
  page = 0;
  sorted = null;
  rows = [];

  constructor(parent, caption, columns, size) {
    Object.assign(this, { columns, size });
    this.heads = columns.map((column) => this.head(column));
    this.body = element("tbody");
    const table = element(
      "table",
      {},
      element("caption", { className: "unseen", textContent: caption }),
      element("thead", {}, element("tr", {}, ...this.heads)),
      this.body,
    );
    this.back = element("button", { type: "button", textContent: "Previous", onclick: () => this.turn(-1) });
    this.next = element("button", { type: "button", textContent: "Next", onclick: () => this.turn(1) });
    this.where = element("span", { role: "status" });
    this.pages = element("div", { className: "pages" }, this.where, this.back, this.next);
    const scroll = element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption }, table);
    parent.replaceChildren(scroll, this.pages);
  }

  head(column) {
    const className = IS_TEXT.has(column.type) ? "" : "number";
    if (column.cell) return element("th", { scope: "col", textContent: column.title });
    const sort = () => {
      const isSame = this.sorted?.column === column;
      const ascending = isSame ? !this.sorted.ascending : IS_TEXT.has(column.type);
      this.sorted = { column, ascending };
      this.page = 0;
      this.order();
      this.draw();
    };
    const button = element("button", { type: "button", textContent: column.title, onclick: sort });
    return element("th", { scope: "col", className }, button);
  }

  show(rows) {
    this.rows = rows;
    this.order();
    this.draw();
  }

  order() {
    const { column, ascending } = this.sorted ?? {};
    this.ordered = this.rows;
    if (column) {
      const sign = ascending ? 1 : -1;
      const byValue = (a, b) => {
        const [one, other] = [a[column.field], b[column.field]];
        return known(one) && known(other) ? sign * compared(one, other) : compared(one, other);
      };
      this.ordered = this.rows.toSorted(byValue);
    }
    this.columns.forEach((each, place) => {
      if (each === column) this.heads[place].setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else this.heads[place].removeAttribute("aria-sort");
    });
  }

  turn(by) {
    this.page += by;
    this.draw();
    // A button that is disabled loses the focus.
    if (this.back.disabled && by < 0) this.next.focus();
    if (this.next.disabled && by > 0) this.back.focus();
  }

  draw() {
    const last = Math.max(0, Math.ceil(this.ordered.length / this.size) - 1);
    this.page = Math.min(Math.max(this.page, 0), last);
    const begin = this.page * this.size;
    const rows = this.ordered.slice(begin, begin + this.size);
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    this.body.replaceChildren(...rows.map((row, place) => this.row(row, place)));
    if (focused !== null) (this.body.querySelector(`[data-place="${focused}"]`) ?? this.heads[0].firstElementChild)?.focus();
    this.where.textContent = rows.length
      ? `${COUNT.format(begin + 1)}–${COUNT.format(begin + rows.length)} of ${COUNT.format(this.ordered.length)}`
      : "Nothing to show";
    this.back.disabled = this.page === 0;
    this.next.disabled = this.page === last;
    this.back.hidden = this.next.hidden = last === 0;
  }

  row(row, place) {
    const cells = this.columns.map((column, across) => {
      const className = column.type === "text" ? "text" : IS_TEXT.has(column.type) ? "" : "number";
      const cell = element("td", { className });
      const text = column.cell ? "" : read(row[column.field], column.type, column.type === "money" && row.lower);
      if (column.cell) cell.append(column.cell(row));
      else if (column.pick) {
        const pressed = String(isPicked(column.pick, row));
        const onclick = () => pick(column.pick, row);
        cell.append(element("button", { type: "button", ariaPressed: pressed, onclick }, element("bdi", { textContent: text })));
      } else cell.append(element("bdi", { textContent: text }));
      if (cell.firstElementChild) cell.firstElementChild.dataset.place = `${place} ${across}`;
      return cell;
    });
    return element("tr", {}, ...cells);
  }
}

// ---- Charts ----

const editor = globalThis.acquireVsCodeApi?.() ?? null;

function colour(variable) {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

/** Light or dark as the editor or the system has it, and the colours of the charts. */
function appearance(themes, forced) {
  const kinds = document.body.classList;
  const inEditor = kinds.contains("vscode-dark") || kinds.contains("vscode-light") || kinds.contains("vscode-high-contrast");
  const isLight = kinds.contains("vscode-light") || kinds.contains("vscode-high-contrast-light");
  const isDark = inEditor ? !isLight : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = forced ?? (isDark ? "dark" : "light");
  document.documentElement.dataset.theme = name;
  if (inEditor && !forced) document.documentElement.dataset.host = "vscode";
  else delete document.documentElement.dataset.host;
  const config = structuredClone(themes[name]);
  const background = colour("--vscode-editor-background");
  const text = colour("--vscode-editor-foreground");
  if (inEditor && !forced && background && text) {
    const font = colour("--vscode-font-family") || config.font;
    Object.assign(config, { background, font });
    config.title.color = config.text.color = config.legend.labelColor = text;
  }
  return config;
}

const tooltip = byId("tooltip");

function hideTooltip() {
  tooltip.hidden = true;
}

function showTooltip(event, columns, row) {
  const lines = columns.map((column) =>
    element(
      "div",
      {},
      element("span", { textContent: column.title }),
      element("span", { textContent: read(row[column.field], column.type, column.type === "money" && row.lower) }),
    ),
  );
  tooltip.replaceChildren(...lines);
  tooltip.hidden = false;
  const { width, height } = tooltip.getBoundingClientRect();
  const x = event.clientX + 14 + width > innerWidth ? event.clientX - 14 - width : event.clientX + 14;
  const y = event.clientY + 14 + height > innerHeight ? event.clientY - 14 - height : event.clientY + 14;
  tooltip.style.left = `${Math.max(4, x)}px`;
  tooltip.style.top = `${Math.max(4, y)}px`;
}

/** One chart: its heading, its picture, and its table, which also is its accessible form. */
class Chart {
  view = null;
  table = null;
  isStale = true;
  brushed = null;
  work = Promise.resolve();

  constructor(article, name, spec) {
    const { title, usermeta, ...drawn } = spec;
    Object.assign(this, { article, name, spec: drawn, title, meta: usermeta, columns: usermeta.columns });
    const button = (text, label, onclick) => element("button", { type: "button", textContent: text, ariaLabel: label, onclick });
    this.toggle = button("Table", `Table: ${title.text}`, () => this.turn());
    this.toggle.ariaPressed = "false";
    const heading = element("h3", { id: `${name}-title`, textContent: title.text });
    const head = element(
      "div",
      { className: "head" },
      element("div", {}, heading, element("p", { textContent: [title.subtitle, usermeta.hint].filter(Boolean).join(". ") })),
      element(
        "div",
        { className: "tools" },
        this.toggle,
        button("PNG", `Save as PNG: ${title.text}`, () => this.save("png")),
        button("SVG", `Save as SVG: ${title.text}`, () => this.save("svg")),
      ),
    );
    this.picture = element("div", { className: "chart", role: "img" });
    this.empty = element("p", { className: "empty", textContent: usermeta.empty ?? "Nothing to show for this choice.", hidden: true });
    this.place = element("div", { hidden: true });
    if (this.hasBrush) {
      // What is brushed becomes whole days when the pointer is let go.
      const snap = () => {
        this.brushed = null;
        this.setBrush(filter.from, filter.to);
      };
      this.picture.addEventListener("pointerdown", () => addEventListener("pointerup", snap, { once: true }));
    }
    article.setAttribute("aria-labelledby", heading.id);
    article.replaceChildren(head, this.picture, this.empty, this.place);
  }

  get hasBrush() {
    return this.takes("brush");
  }

  takes(param) {
    return Boolean(this.spec.params?.some((each) => each.name === param));
  }

  get isTable() {
    return this.toggle.ariaPressed === "true";
  }

  /** What is drawn, of the newest rows. */
  async show(rows, params, config) {
    Object.assign(this, { rows, params, config });
    this.isStale = true;
    const isEmpty = rows.length === 0;
    this.picture.hidden = isEmpty || this.isTable;
    this.place.hidden = isEmpty || !this.isTable;
    this.empty.hidden = !isEmpty;
    this.picture.ariaLabel = `${this.title.text}. ${this.title.subtitle}. ${COUNT.format(rows.length)} values, which the button Table lists.`;
    if (this.isTable) this.listed();
    if (!this.picture.hidden) await this.draw();
  }

  listed() {
    this.table ??= new DataTable(this.place, this.title.text, this.columns, 12);
    this.table.show(this.rows);
  }

  async turn() {
    this.toggle.ariaPressed = String(!this.isTable);
    await this.show(this.rows, this.params, this.config);
  }

  /** The specification with its data and parameters, as it is drawn. */
  filled(more = {}) {
    const params = this.spec.params?.map((param) =>
      param.name in this.params ? { ...param, value: this.params[param.name] } : param,
    );
    const data = { ...this.spec.data, values: this.rows };
    return { ...this.spec, ...(params && { params }), data, height: this.height, ...more };
  }

  /** In pixels: that of the specification, or as its rows need. */
  get height() {
    const { rows } = this.meta;
    if (!rows) return this.spec.height;
    const names = new Set(this.rows.map((row) => row[this.columns[0].field]));
    return rows.step * Math.min(names.size, rows.most);
  }

  options(renderer) {
    return { ast: true, actions: false, defaultStyle: false, tooltip: false, logLevel: ERRORS, mode: "vega-lite", renderer, config: this.config };
  }

  /** Draws what is newest, after what is being drawn. */
  draw() {
    this.work = this.work.then(() => this.update());
    return this.work;
  }

  async update() {
    if (!this.isStale) return;
    this.isStale = false;
    if (this.view) {
      this.view.data(this.name, this.rows).height(this.height);
      for (const [name, value] of Object.entries(this.params)) {
        if (this.takes(name)) this.view.signal(name, value);
      }
      await this.view.runAsync();
      return;
    }
    const handler = (_, event, item, value) => (known(value) && item?.datum ? showTooltip(event, this.columns, item.datum) : hideTooltip());
    const options = { ...this.options(this.meta.canvas ? "canvas" : "svg"), tooltip: handler };
    const result = await vegaEmbed(this.picture, this.filled(), options);
    // The picture has a name as a whole, and its table says the rest.
    this.picture.role = "img";
    this.picture.firstElementChild.ariaHidden = "true";
    this.view = result.view;
    this.view.addEventListener("click", (_, item) => {
      if (this.meta.pick && item?.datum && this.columns[0].field in item.datum) pick(this.meta.pick, item.datum);
    });
    if (this.hasBrush) this.brush();
  }

  /** Follows the brush, and lets it follow dates that are chosen elsewhere. */
  brush() {
    this.view.addSignalListener("brush", (_, value) => {
      if (this.isSetting) return;
      const [begin, end] = value.from ?? [];
      this.brushed = begin === undefined ? null : [Math.floor(begin / DAY), Math.ceil(end / DAY)];
      const [from, to] = this.brushed ?? [];
      change({ from, to });
    });
  }

  async setBrush(from, to) {
    if (!this.view) return;
    const wanted = from === undefined && to === undefined ? null : [from ?? data.first, to ?? data.last + 1];
    if (String(wanted) === String(this.brushed)) return;
    this.brushed = wanted;
    const x = this.view.scale("x");
    this.isSetting = true;
    await this.view.signal("brush_x", wanted ? wanted.map((day) => x(day * DAY)) : []).runAsync();
    this.isSetting = false;
  }

  /** Writes the chart with its title into a file. */
  async save(kind) {
    const width = Math.max(720, this.picture.clientWidth);
    const { view } = await vegaEmbed(element("div"), this.filled({ title: this.title, width, padding: 16 }), this.options("none"));
    const name = `${this.name}.${kind}`;
    if (kind === "svg") {
      const bytes = new TextEncoder().encode(await view.toSVG());
      deliver(name, new Blob([bytes], { type: "image/svg+xml" }));
    } else {
      const canvas = await view.toCanvas(2);
      deliver(name, await new Promise((done) => canvas.toBlob(done, "image/png")));
    }
    view.finalize();
  }

  async forget() {
    await this.work;
    this.view?.finalize();
    this.view = null;
    this.brushed = null;
    this.isStale = true;
  }
}

/** Gives a file to the reader: by a download, or in an editor by the editor. */
async function deliver(name, blob) {
  if (editor) {
    const reader = new FileReader();
    reader.onload = () => editor.postMessage({ type: "save", name, data: reader.result });
    reader.readAsDataURL(blob);
    return;
  }
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// ---- The choice of the reader ----

const themes = JSON.parse(byId("charts").textContent);
const charts = [...document.querySelectorAll("[data-chart]")].map(
  (article) => new Chart(article, article.dataset.chart, themes.charts[article.dataset.chart]),
);
const choices = () => ({ from: undefined, to: undefined });
let data;
let config;
let filter = choices();
let look = {}; // a new one where colours have changed; `forced` names a theme
let drawnLook = null;
let side = []; // ids of the sessions side by side

function picked(kind, row) {
  if (kind === "date") return { from: row.from / DAY, to: Math.max(row.to / DAY, row.from / DAY + 1) };
  if (kind === "session") return { session: row.id };
  if (kind === "slot") return { slot: `${row.weekday} ${row.hour}` };
  return { [kind]: row[kind] };
}

const isPicked = (kind, row) => Object.entries(picked(kind, row)).every(([key, value]) => filter[key] === value);

/** Filters by what a mark or a row stands for; a second time takes that back. */
function pick(kind, row) {
  const wanted = picked(kind, row);
  change(isPicked(kind, row) ? Object.fromEntries(Object.keys(wanted).map((key) => [key, undefined])) : wanted);
}

function change(part) {
  const before = JSON.stringify(filter);
  filter = { ...filter, ...part };
  if (JSON.stringify(filter) !== before) refresh();
}

let drawing = null;
let isWaiting = false;

/** Draws once more; what is chosen meanwhile is drawn when that has ended. */
function refresh() {
  isWaiting = true;
  drawing ??= drawAll().catch(failed).finally(() => (drawing = null));
  return drawing;
}

async function drawAll() {
  byId("main").ariaBusy = "true";
  while (isWaiting) {
    isWaiting = false;
    await draw();
  }
  byId("main").ariaBusy = "false";
}

async function draw() {
  hideTooltip();
  if (look !== drawnLook) {
    config = appearance(themes.theme, look.forced);
    for (const chart of charts) await chart.forget();
    drawnLook = look;
  }
  const sums = addedUp(data, filter);
  showTiles(sums);
  showFilters(sums);
  sessionTable.show(sums.rows);
  showSides();
  const drawings = charts.map((chart) => {
    const { own } = chart.meta;
    const span = own === "date" ? sums.spans.all : sums.spans.shown;
    return chart.show(sums.tables[chart.name], { span, series: data.series, sources: data.names.source, picked: filter[own] ?? null }, config);
  });
  await Promise.all(drawings);
  await charts.find((chart) => chart.name === "cost-by-day").setBrush(filter.from, filter.to);
}

function showTiles({ total, called, rows }) {
  const money = (amount) => {
    const { usd, lower } = amount;
    return known(usd) ? atLeast(dollars(usd, Math.abs(usd) < 1 ? FOUR : TWO), lower) : NOT_AVAILABLE;
  };
  const finished = called.ok + called.failed;
  const uncertain = [];
  if (total.unpriced) uncertain.push(`${COUNT.format(total.unpriced)} requests without a known price`);
  else if (total.money.lower) uncertain.push("a lower bound: not all was recorded");
  const tiles = [
    ["Cost", money(total.money), uncertain.join(", ") || `${COUNT.format(total.requests)} requests`],
    ["Sessions", COUNT.format(rows.length), `of ${COUNT.format(data.sessions.id.length)}`],
    ["Tokens", short(total.input + total.output), `${short(total.input)} in, ${short(total.output)} out`],
    ["Success rate", read(percentOf(called.ok, finished), "percent"), `${COUNT.format(called.failed)} of ${COUNT.format(finished)} tool calls failed`],
    ["Cache hit rate", read(percentOf(total.read, total.input), "percent"), `${short(total.read)} tokens read from the cache`],
    ["Savings by the cache", total.requests || rows.length ? money(total.saved) : NOT_AVAILABLE, "against the price without it"],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([label, value, more]) =>
      element(
        "div",
        {},
        element("dt", { textContent: label }),
        element("dd", { className: "value", textContent: value }),
        element("dd", { className: "more", textContent: more }),
      ),
    ),
  );
}

const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });
const short = (value) => SHORT.format(value);

function showFilters({ rows }) {
  const labels = {
    source: "Agent",
    project: "Project",
    model: "Model",
    tool: "Tool",
    session: "Session",
    slot: "Time",
  };
  const active = [];
  if (filter.from !== undefined || filter.to !== undefined) {
    const [begin, end] = [filter.from ?? data.first, (filter.to ?? data.last + 1) - 1].map((day) => isoDay(day * DAY));
    active.push([begin === end ? begin : `${begin} to ${end}`, { from: undefined, to: undefined }]);
  }
  for (const [key, label] of Object.entries(labels)) {
    if (filter[key] === undefined) continue;
    const place = key === "session" ? data.sessions.id.indexOf(filter.session) : -1;
    const text = key === "slot" ? `${filter.slot}:00` : place < 0 ? filter[key] : data.sessions.label[place];
    active.push([`${label}: ${text}`, { [key]: undefined }]);
  }
  const bar = byId("active");
  const wasFocused = bar.contains(document.activeElement);
  const [count, all] = [rows.length, data.sessions.id.length].map((number) => COUNT.format(number));
  const chips = active.map(([text, part]) =>
    element("button", { type: "button", className: "chip", ariaLabel: `Remove the filter ${text}`, title: text, textContent: text, onclick: () => change(part) }),
  );
  if (active.length) {
    const clear = Object.fromEntries(Object.keys(filter).map((key) => [key, undefined]));
    chips.push(element("button", { type: "button", textContent: "Clear all", onclick: () => change(clear) }));
  }
  bar.replaceChildren(element("span", { textContent: active.length ? `${count} of ${all} sessions` : `All ${all} sessions` }), ...chips);
  if (wasFocused) (chips[0] ?? byId("from")).focus();
  byId("from").value = filter.from === undefined ? "" : isoDay(filter.from * DAY);
  byId("to").value = filter.to === undefined ? "" : isoDay((filter.to - 1) * DAY);
  byId("source").value = filter.source ?? "";
}

function showFrame() {
  const { scope, period, generated, zone } = data;
  byId("about").textContent = clean([scope, period || "all time", `as of ${generated} (${zone})`].join(" · "));
  const budgets = data.budgets.map((budget) => budget.summary).filter(Boolean);
  const lines = [...budgets, ...(data.notes ?? [])].map((line) => element("li", { textContent: clean(line) }));
  byId("notes").replaceChildren(...lines);
  byId("footer").textContent = `${clean(data.prices ?? "")} This page sends nothing anywhere. Charts by Vega and Vega-Lite (BSD 3-Clause).`;
  for (const id of ["from", "to"]) {
    byId(id).min = isoDay(data.first * DAY);
    byId(id).max = isoDay(data.last * DAY);
  }
  const agents = data.names.source.map((name) => element("option", { value: name, textContent: name }));
  byId("source").replaceChildren(element("option", { value: "", textContent: "All" }), ...agents);
  byId("agents").hidden = agents.length < 2;
}

// ---- Sessions, and two of them side by side ----

function tick(row) {
  const onchange = (event) => {
    side = event.target.checked ? [...side, row.id].slice(-2) : side.filter((id) => id !== row.id);
    sessionTable.draw();
    showSides();
  };
  return element("input", { type: "checkbox", checked: side.includes(row.id), ariaLabel: `Compare ${row.session}`, onchange });
}

const sessionTable = new DataTable(
  byId("sessions"),
  "All sessions",
  [
    { title: "Compare", cell: tick },
    { title: "Session", field: "name", type: "text", pick: "session" },
    { title: "Agent", field: "source", type: "text", pick: "source" },
    { title: "Project", field: "project", type: "text", pick: "project" },
    { title: "Start", field: "start", type: "moment" },
    { title: "Active", field: "active", type: "seconds" },
    { title: "Cost", field: "cost", type: "money" },
    { title: "Tokens", field: "tokens", type: "count" },
    { title: "Calls", field: "calls", type: "count" },
    { title: "Success", field: "success", type: "percent" },
    { title: "Lines +", field: "added", type: "count" },
    { title: "Lines −", field: "removed", type: "count" },
  ],
  25,
);

function showSides() {
  const { sessions, figures } = data;
  const places = side.map((id) => sessions.id.indexOf(id)).filter((place) => place >= 0);
  if (places.length < 2) {
    const text = places.length ? "Tick one more session in the table above." : "Tick two sessions in the table above.";
    byId("compare").replaceChildren(element("p", { className: "empty", textContent: text }));
    return;
  }
  const heads = ["Figure", ...places.map((place) => sessions.label[place]), "Change"];
  const head = heads.map((text, place) => element("th", { scope: "col", className: place ? "number" : "" }, element("bdi", { textContent: text })));
  const lines = figures.map((figure) => {
    const [before, after] = places.map((place) => {
      const [part, whole] = figure.of.map((column) => sessions[column][place]);
      return figure.of.length > 1 ? percentOf(part, whole) : part;
    });
    const values = [before, after].map((value, at) => read(value, figure.unit, figure.unit === "USD" && sessions.lower[places[at]]));
    return element(
      "tr",
      {},
      element("th", { scope: "row", textContent: figure.label }),
      ...values.map((text) => element("td", { className: "number", textContent: text })),
      changed(figure, before, after),
    );
  });
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines));
  byId("compare").replaceChildren(element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Two sessions side by side" }, table));
}

function changed(figure, before, after) {
  if (!known(before) || !known(after)) return element("td", { className: "number", textContent: NOT_AVAILABLE });
  const by = after - before;
  const size = figure.unit === "percent" ? `${ONE.format(Math.abs(by))} points` : read(Math.abs(by), figure.unit);
  const text = by === 0 ? "0" : (by < 0 ? "−" : "+") + size;
  const isBetter = figure.better === "lower" ? by < 0 : by > 0;
  const verdict = by === 0 || !["lower", "higher"].includes(figure.better) ? "" : isBetter ? "better" : "worse";
  return element("td", { className: `number ${verdict}`, textContent: verdict ? `${text} ${verdict}` : text });
}

// ---- Start ----

function restyle(forced) {
  look = { forced };
  return refresh();
}

function listen() {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTooltip();
  });
  addEventListener("scroll", hideTooltip, { passive: true });
  const chooseDates = () => {
    const day = (id) => (byId(id).value ? Date.parse(byId(id).value) / DAY : undefined);
    const to = day("to");
    change({ from: day("from"), to: to === undefined ? undefined : to + 1 });
  };
  byId("from").onchange = byId("to").onchange = chooseDates;
  byId("source").onchange = () => change({ source: byId("source").value || undefined });
  byId("print").hidden = Boolean(editor);
  byId("print").onclick = async () => {
    await restyle("light");
    print();
    await restyle();
  };
  const themeChanged = () => restyle();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
  if (editor) {
    new MutationObserver(themeChanged).observe(document.body, { attributeFilter: ["class", "data-vscode-theme-id"] });
  }
  addEventListener("message", (event) => {
    if (event.data?.type === "filter") void showProject(event.data.project);
    if (event.data?.type !== "data") return;
    try {
      data = prepared(JSON.parse(event.data.data));
    } catch (error) {
      problem(`The new data could not be read: ${clean(error.message)}`);
      return;
    }
    byId("problem").hidden = true;
    showFrame();
    refresh();
  });
}

/** Shows the sessions of the project in a folder alone, as soon as the page can. */
async function showProject(path) {
  await started;
  change({ project: data.names.project[data.names.path.indexOf(path)] });
}

async function start() {
  listen();
  if (!globalThis.vegaEmbed) throw new Error("the charts' library is missing.");
  data = prepared(await decoded(byId("data")));
  showFrame();
  await refresh();
}

const started = start().catch(failed);
