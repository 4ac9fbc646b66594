import { l10n } from 'vscode';
import type { BudgetRow, PlanLimit, Span } from '../contract';
import { currentFolder } from '../folders';
import type { Server } from '../server/server';
import { item, section, type Node } from './node';
import { View } from './view';

/** What today, this week and this month cost, what is left of limits and budgets, and what needs a look. */
export class TodayView extends View {
  constructor(server: Server) {
    super(server, 'radLsp.today');
  }

  protected override async load(): Promise<readonly Node[] | undefined> {
    const folder = currentFolder();
    if (!folder) return [];
    const workspaceUri = folder.uri.toString();
    const found = await this.server.request('stats/overview', { workspaceUri });
    if (!this.isNew([workspaceUri, found])) return undefined;
    if (!found.last) return [];
    return [
      section(
        'here',
        folder.name,
        'folder',
        found.here.map((span) => spanNode('here', span)),
      ),
      section('limits', l10n.t('Plan Limits'), 'dashboard', found.limits.map(limitNode)),
      section('budgets', l10n.t('Budgets'), 'credit-card', found.budgets.map(budgetNode)),
      section('attention', l10n.t('Needs Attention'), 'bell', found.attention.map(attentionNode)),
      section(
        'everywhere',
        l10n.t('All Projects'),
        'globe',
        found.everywhere.map((span) => spanNode('everywhere', span)),
      ),
    ].filter((node) => node !== undefined);
  }
}

function spanNode(id: string, { name, label, costText, sessions, before, change }: Span): Node {
  const counted = sessionCount(sessions);
  const earlier = l10n.t('{0} in {1} before', before.costText, sessionCount(before.sessions));
  const made = item(label, {
    id: `${id}:${name}`,
    description: [costText, change, counted].filter(Boolean).join(' · '),
    tooltip: [
      l10n.t('{0}: {1} in {2}', label, costText, counted),
      earlier,
      l10n.t('Before: as much of the day, week or month before as has passed of this one.'),
    ].join('\n'),
    spoken: [label, l10n.t('cost {0}', costText), counted, change && l10n.t('change {0}', change), earlier]
      .filter(Boolean)
      .join(', '),
  });
  return { item: made };
}

function limitNode(limit: PlanLimit, index: number): Node {
  return {
    item: item(limit.summary, {
      id: `limit:${index}`,
      icon: limit.runsOutAt === null ? 'dashboard' : 'warning',
      warns: limit.runsOutAt !== null,
    }),
  };
}

function budgetNode(row: BudgetRow, index: number): Node {
  const warns = row.threshold !== null;
  return { item: item(row.summary, { id: `budget:${index}`, icon: warns ? 'warning' : 'credit-card', warns }) };
}

function attentionNode(sentence: string, index: number): Node {
  return { item: item(sentence, { id: `attention:${index}`, icon: 'warning', warns: true }) };
}

export function sessionCount(count: number): string {
  return count === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', count.toLocaleString('en'));
}
