import { l10n, workspace } from 'vscode';
import type { Requests, SessionSummary } from '../contract';
import { shortId } from '../display';
import { normal } from '../folders';
import { heading } from './markdown';

/** What the server's links, our menus and our pages say: which session or sessions, and where. */
export interface Target {
  readonly workspaceUri?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly sessionA?: string | undefined;
  readonly sessionB?: string | undefined;
  /** Sessions of all projects, not those of the folder alone. */
  readonly allProjects?: boolean | undefined;
  /** The folder of the project whose sessions a report is to show at first. */
  readonly project?: string | undefined;
  /** A length of time such as `7d`, up to now. */
  readonly since?: string | undefined;
}

const KINDS = ['session', 'comparison', 'cost', 'models', 'overview', 'tools', 'limits', 'budget'] as const;

/** A question to the server, whose answer is a page. */
export interface Page extends Target {
  readonly kind: (typeof KINDS)[number];
  readonly workspaceUri: string;
  /** Of a session's file, which tells which session is meant. */
  readonly uri?: string | undefined;
}

/** Something to do from a page. */
export interface Action {
  readonly title: string;
  readonly command: string;
  readonly target: Target;
}

export interface Answer {
  readonly title: string;
  readonly markdown: string;
  readonly actions: readonly Action[];
}

/** Asks the server something. */
export type Ask = <M extends keyof Requests>(
  method: M,
  params: Requests[M]['params'],
) => Promise<Requests[M]['result']>;

/** The same text for the same question. */
export function keyOf(page: Page): string {
  const said = Object.entries(page).filter(([, value]) => value !== undefined);
  return JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The page that a window has kept, if its folder is still open. */
export function kept(state: unknown): Page | undefined {
  const page = (state as { page?: Partial<Page> } | undefined)?.page;
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
  const isOurs = page?.kind !== undefined && KINDS.includes(page.kind) && page.workspaceUri !== undefined;
  return isOurs && folders.includes(normal(page.workspaceUri ?? '')) ? (page as Page) : undefined;
}

/** What the server says to a page's question, in one request. */
export async function ask(request: Ask, page: Page): Promise<Answer> {
  const { kind, workspaceUri, uri, sessionId, since } = page;
  const target = whereOf(page);
  const scope = { ...target, sessionId: sessionId ?? null, since: since ?? null };
  switch (kind) {
    case 'session': {
      const named = uri === undefined ? { ...target, sessionId: sessionId ?? null } : { workspaceUri, uri };
      const found = await request('stats/session', named);
      const isLatest = uri === undefined && sessionId === undefined;
      const title = isLatest ? l10n.t('Latest: {0}', labelOf(found)) : labelOf(found);
      // A file may be that of another project's session.
      const everywhere = uri === undefined ? target : { ...target, allProjects: true };
      return {
        title,
        markdown: found.markdown,
        actions: ofSession(kind, { ...everywhere, sessionId: found.sessionId }),
      };
    }
    case 'comparison': {
      const { sessionA = null, sessionB = 'latest' } = page;
      const found = await request('stats/compare', { ...target, sessionA, sessionB });
      const [a, b] = [found.sessionA, found.sessionB];
      return {
        title: l10n.t('{0} compared with {1}', labelOf(b), labelOf(a)),
        markdown: found.markdown,
        actions: [
          action(l10n.t('Session A'), 'openSession', { ...target, sessionId: a.sessionId }),
          action(l10n.t('Session B'), 'openSession', { ...target, sessionId: b.sessionId }),
          action(l10n.t('Cost of A'), 'showCost', { ...target, sessionId: a.sessionId }),
          action(l10n.t('Cost of B'), 'showCost', { ...target, sessionId: b.sessionId }),
        ],
      };
    }
    case 'cost': {
      const { markdown } = await request('stats/cost', scope);
      return usage(page, target, markdown, l10n.t('Cost'));
    }
    case 'models': {
      const { markdown } = await request('stats/model', scope);
      return usage(page, target, markdown, l10n.t('Model usage'));
    }
    case 'tools': {
      const { markdown } = await request('stats/tools', scope);
      return { title: scoped(page, l10n.t('Tools')), markdown, actions: general(target) };
    }
    case 'overview': {
      const { markdown } = await request('stats/overview', { workspaceUri });
      return { title: scoped(page, l10n.t('Today')), markdown, actions: general(target) };
    }
    case 'limits': {
      const { markdown } = await request('stats/limits', { workspaceUri });
      return { title: l10n.t('Plan limits'), markdown, actions: general(target) };
    }
    case 'budget': {
      const { markdown } = await request('stats/budget', { workspaceUri });
      return { title: scoped(page, l10n.t('Budgets')), markdown, actions: general(target) };
    }
  }
}

/** The folder, and whether all projects count, as params of requests have them. */
export function whereOf(at: { readonly workspaceUri: string; readonly allProjects?: boolean | undefined }): {
  workspaceUri: string;
  allProjects?: true;
} {
  return { workspaceUri: at.workspaceUri, ...(at.allProjects && { allProjects: true }) };
}

/** The one name of a session, wherever people read it; its id where a server has none. */
export function labelOf({ label, sessionId }: Pick<SessionSummary, 'label' | 'sessionId'>): string {
  return label || shortId(sessionId);
}

/** What was used by a session, which the answer's heading names, or by all of a period. */
function usage(page: Page, target: Target, markdown: string, kind: string): Answer {
  const { sessionId, since } = page;
  if (sessionId !== undefined) {
    return { title: heading(markdown) ?? kind, markdown, actions: ofSession(page.kind, { ...target, sessionId }) };
  }
  const title = scoped(page, since === '7d' ? l10n.t('{0}, last 7 days', kind) : kind);
  return { title, markdown, actions: general(target) };
}

/** A title that tells the folder where there are several, or that all count. */
function scoped({ workspaceUri, allProjects }: Page, title: string): string {
  if (allProjects) return l10n.t('{0}: all projects', title);
  const folders = workspace.workspaceFolders ?? [];
  const folder = folders.find(({ uri }) => uri.toString() === normal(workspaceUri));
  return folders.length > 1 && folder ? `${title}: ${folder.name}` : title;
}

/** What can be done with a session, besides showing the page that is shown. */
function ofSession(kind: Page['kind'], target: Target & { sessionId: string }): Action[] {
  const { sessionId, ...others } = target;
  return [
    ...(kind === 'session' ? [] : [action(l10n.t('Session'), 'openSession', target)]),
    ...(kind === 'cost' ? [] : [action(l10n.t('Cost'), 'showCost', target)]),
    ...(kind === 'models' ? [] : [action(l10n.t('Model usage'), 'modelUsage', target)]),
    action(l10n.t('Compare with previous'), 'comparePrevious', target),
    action(l10n.t('Compare with…'), 'openComparison', { ...others, sessionB: sessionId }),
    action(l10n.t('Export'), 'exportSession', target),
  ];
}

function general(target: Target): Action[] {
  return [
    action(l10n.t('Today'), 'showToday', target),
    action(l10n.t('Latest session'), 'openSession', target),
    action(l10n.t('History'), 'showHistory', target),
    action(l10n.t('Cost of the last 7 days'), 'showCost', { ...target, since: '7d' }),
    action(l10n.t('Tools'), 'showTools', target),
    action(l10n.t('Plan limits'), 'showLimits', target),
    action(l10n.t('Budgets'), 'showBudget', target),
    action(l10n.t('Report'), 'showReport', target),
  ];
}

function action(title: string, name: string, target: Target): Action {
  return { title, command: `radLsp.${name}`, target };
}
