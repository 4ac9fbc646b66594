/**
 * Numbers of the wire as people read them, where the server sends no text for them: in quick
 * picks, and in the table of usage per model. All else is shown as the server writes it.
 */
import { l10n } from 'vscode';
import type { SessionSummary, UsageResult, UsageRow } from './contract';

export function money(usd: number): string {
  return `$${usd.toFixed(4)}`;
}

export function percent(value: number | null): string {
  return value === null ? 'n/a' : `${value.toFixed(1)}%`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours) return `${hours}h ${minutes}m`;
  return minutes ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}

/** A moment in the user's time zone; one that is unknown here falls back to the machine's. */
export function moment(time: string, zone: string): string {
  const style = { dateStyle: 'medium', timeStyle: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(undefined, zone ? { ...style, timeZone: zone } : style).format(new Date(time));
  } catch {
    return new Intl.DateTimeFormat(undefined, style).format(new Date(time));
  }
}

export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

/** A session on one line of a quick pick. */
export function sessionLine(session: SessionSummary): string {
  return `${money(session.cost)} · ${percent(session.successRate)}`;
}

export function usageTable(title: string, usage: UsageResult): string {
  const header = [
    l10n.t('Model'),
    l10n.t('Requests'),
    l10n.t('Input tokens'),
    l10n.t('Output tokens'),
    l10n.t('Cached tokens'),
    l10n.t('Cost'),
  ];
  const rows = usage.rows.map((row) => cells(escape(row.name), row));
  const total = cells(`**${l10n.t('Total')}**`, usage.total);
  return [`## ${escape(title)}`, '', header, ['---', ...Array<string>(5).fill('---:')], ...rows, total, '']
    .map((line) => (typeof line === 'string' ? line : `| ${line.join(' | ')} |`))
    .join('\n');
}

function cells(name: string, row: UsageRow): string[] {
  const numbers = [row.requests, row.inputTokens, row.outputTokens, row.cachedTokens];
  return [name, ...numbers.map(count), money(row.cost)];
}

/** Text that comes from a file, as Markdown shows it literally. */
export function escape(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]<>#|~&]/g, '\\$&');
}
