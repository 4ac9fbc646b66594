import type { History, SessionSummary } from '../contract';

/** Sessions of a page: what a view shows at once, and gets by "Show More". */
export const PAGE = 50;

export interface PageOf {
  readonly limit: number;
  readonly offset: number;
  readonly titles: boolean;
}

type Ask = (page: PageOf) => Promise<History>;

/** The newest sessions, as many as were asked for, kept up to date by asking for the first page again. */
export class SessionList {
  readonly #ask: Ask;
  readonly #titled = new Set<string>();
  #rows: readonly SessionSummary[] = [];
  #total = 0;
  #asking: Promise<boolean> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get rows(): readonly SessionSummary[] {
    return this.#rows;
  }

  /** How many sessions there are, of which `rows` are the newest. */
  get total(): number {
    return this.#total;
  }

  /** Puts the newest session in its place, once there is a first page. */
  put(row: SessionSummary): void {
    const first = this.#rows[0];
    if (!first || row.lastActivity < first.lastActivity) return;
    const others = this.#rows.filter((other) => key(other) !== key(row));
    this.#total += others.length === this.#rows.length ? 1 : 0;
    this.#rows = [row, ...others];
  }

  /** Asks for the first page. */
  async refresh(): Promise<void> {
    const page = await this.#ask({ limit: PAGE, offset: 0, titles: false });
    const merged = merge(this.#rows, page.sessions, page.total - this.#total);
    const wanted = this.#rows.length;
    this.#rows = merged ?? page.sessions;
    this.#total = page.total;
    // Sessions have gone from further below: what was shown is asked for anew.
    while (!merged && this.#rows.length < Math.min(wanted, this.#total)) {
      if (!(await this.more())) return;
    }
  }

  /** Gets the next page; false when it has nothing new. */
  async more(): Promise<boolean> {
    const page = await this.#ask({ limit: PAGE, offset: this.#rows.length, titles: false });
    const known = new Set(this.#rows.map(key));
    const rows = page.sessions.filter((row) => !known.has(key(row)));
    this.#rows = [...this.#rows, ...rows];
    this.#total = page.total;
    return rows.length > 0;
  }

  /** Gets titles that are not known yet; true when there are new ones. One such request at a time. */
  titles(): Promise<boolean> {
    this.#asking ??= this.#askTitles().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askTitles(): Promise<boolean> {
    let changed = false;
    for (let offset = 0; offset < this.#rows.length; offset += PAGE) {
      const without = this.#rows.slice(offset, offset + PAGE).filter((row) => row.title === null);
      // An agent may give a session its title late: one that went on is asked for again.
      const asked = without.map((row) => `${key(row)} ${row.lastActivity}`).filter((one) => !this.#titled.has(one));
      if (!asked.length) continue;
      const page = await this.#ask({ limit: PAGE, offset, titles: true });
      for (const one of asked) this.#titled.add(one);
      const titled = new Map(page.sessions.filter((row) => row.title !== null).map((row) => [key(row), row]));
      this.#rows = this.#rows.map((row) => {
        const found = titled.get(key(row));
        if (!found || found.title === row.title) return row;
        changed = true;
        return { ...row, title: found.title, label: found.label };
      });
    }
    return changed;
  }
}

function key({ source, sessionId }: SessionSummary): string {
  return `${source} ${sessionId}`;
}

/**
 * A new first page, followed by the older rows that were there before; undefined when these can't
 * be the ones that follow it now, by how many sessions there are more than before.
 */
export function merge(
  before: readonly SessionSummary[],
  page: readonly SessionSummary[],
  added: number,
): readonly SessionSummary[] | undefined {
  const last = page.at(-1);
  if (!last || before.length <= page.length) return page;
  const inPage = new Set(page.map(key));
  const rest = before.filter((row) => !inPage.has(key(row)) && row.lastActivity <= last.lastActivity);
  return page.length + rest.length === before.length + added ? [...page, ...rest] : undefined;
}

export interface Day {
  readonly day: string;
  readonly label: string;
  readonly rows: readonly SessionSummary[];
}

/** The sessions by day, in their order. */
export function byDay(rows: readonly SessionSummary[]): Day[] {
  const days = new Map<string, { day: string; label: string; rows: SessionSummary[] }>();
  for (const row of rows) {
    const found = days.get(row.day);
    if (found) found.rows.push(row);
    else days.set(row.day, { day: row.day, label: row.dayLabel, rows: [row] });
  }
  return [...days.values()];
}

/** What tells projects apart: the folder's name, with as many of those above it as are needed. */
export function shortNames(paths: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  let same = new Map(paths.map((path) => [path, path.split(/[/\\]+/).filter(Boolean)]));
  for (let depth = 1; same.size; depth += 1) {
    const counts = new Map<string, number>();
    for (const [path, parts] of same) {
      const name = parts.slice(-depth).join('/') || path;
      names.set(path, name);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    same = new Map([...same].filter(([path, { length }]) => length > depth && counts.get(names.get(path) ?? '') !== 1));
  }
  return names;
}
