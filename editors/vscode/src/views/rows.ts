import { l10n, TreeItemCollapsibleState, Uri } from 'vscode';
import type { SessionSummary } from '../contract';
import { badge } from './badge';
import type { SessionList } from './list';
import { item, type Node, type Target } from './node';

/** Characters of a title beside which there is room for the cost, where the side bar is as wide as at first. */
const TITLE = 22;

/** Where a list of sessions is shown: whose they are, and how their items are called. */
export interface Place {
  readonly id: string;
  readonly workspaceUri: string;
  readonly allProjects: boolean;
  /** Whether the items stand below their day, so that the time is enough. */
  readonly isByDay: boolean;
}

/** A session's item: its agent as icon, what the user called it, and what it cost. */
export function sessionNode(row: SessionSummary, place: Place): Node {
  const { sessionId, uri, resume } = row;
  const name = row.title ?? row.shortId;
  const time = place.isByDay ? row.timeText : `${row.dayLabel} ${row.timeText}`;
  const models = row.modelNames.join(', ');
  const running = row.running ? l10n.t('running') : '';
  const made = item(cut(name), {
    id: `${place.id}:${row.source}:${sessionId}`,
    description: [row.costText, running, time, models].filter(Boolean).join(' · '),
    tooltip: [name, `${row.agent} · ${row.dayLabel} ${row.timeText}`, row.brief, row.project, sessionId]
      .filter(Boolean)
      .join('\n'),
    spoken: [row.label, running, l10n.t('cost {0}', row.costText), models && l10n.t('model {0}', models)]
      .filter(Boolean)
      .join(', '),
    context: ['session', resume === null ? '' : 'resumable', row.deleted ? '' : 'file'].filter(Boolean).join(' '),
  });
  made.iconPath = Uri.parse(badge(row.source, row.running));
  const target: Target = {
    workspaceUri: place.workspaceUri,
    allProjects: place.allProjects,
    sessionId,
    uri,
    resume,
  };
  made.command = { command: 'radLsp.openSession', title: l10n.t('Show Session'), arguments: [target] };
  return { item: made, target };
}

/** A title that leaves room for the cost; the whole of it is in the tooltip. */
function cut(title: string): string {
  const characters = Array.from(new Intl.Segmenter().segment(title), ({ segment }) => segment);
  return characters.length > TITLE
    ? `${characters
        .slice(0, TITLE - 1)
        .join('')
        .trimEnd()}…`
    : title;
}

/** The item that gets the next page; none where all sessions are shown. */
export function moreNode(list: SessionList, place: Place, more: () => void): Node[] {
  const left = list.total - list.rows.length;
  if (left <= 0) return [];
  const made = item(l10n.t('Show More'), {
    id: `${place.id}:more`,
    icon: 'ellipsis',
    description: l10n.t('{0} of {1} shown', String(list.rows.length), String(list.total)),
  });
  made.command = { command: 'radLsp.views.more', title: l10n.t('Show More'), arguments: [more] };
  return [{ item: made }];
}

export function dayNode(id: string, label: string, children: readonly Node[]): Node {
  const made = item(label, { id, tooltip: label }, TreeItemCollapsibleState.Expanded);
  return { item: made, children };
}
