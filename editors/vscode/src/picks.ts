import {
  commands,
  l10n,
  QuickPickItemKind,
  ThemeIcon,
  window,
  workspace,
  type QuickInputButton,
  type QuickPickItem,
} from 'vscode';
import type { SessionSummary } from './contract';
import { normal } from './folders';
import { Hint } from './messages';
import { labelOf, whereOf } from './pages/page';
import type { Server } from './server/server';

const PAGE = 50;

export interface SessionItem extends QuickPickItem {
  readonly session?: SessionSummary;
}

export interface SessionButton extends QuickInputButton {
  readonly run: (session: SessionSummary) => void;
}

interface Options {
  readonly workspaceUri: string;
  readonly allProjects?: boolean | undefined;
  readonly title: string;
  readonly placeholder: string;
  readonly buttons?: readonly SessionButton[];
  /** A session that can't be chosen, as it has been already. */
  readonly without?: string | undefined;
}

/** Lets the user pick a session, newest first; undefined when none was picked. Throws a `Hint` where there is none. */
export async function pickSession(server: Server, options: Options): Promise<SessionSummary | undefined> {
  const { workspaceUri, allProjects = false, without } = options;
  const question = { ...whereOf(options), limit: PAGE, titles: true };
  const found = await server.request('stats/history', question);
  const sessions = [...found.sessions];
  if (!sessions.length) throw noSessions(workspaceUri, allProjects);
  if (sessions.every(({ sessionId }) => sessionId === without)) {
    throw new Hint(l10n.t('There is only one session: a comparison takes two.'), elsewhere(workspaceUri, allProjects));
  }
  const pick = window.createQuickPick<SessionItem>();
  pick.title = options.title;
  pick.placeholder = options.placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = items(sessions, found.total, options);

  const more = async (): Promise<void> => {
    pick.busy = true;
    const next = await server.request('stats/history', { ...question, offset: sessions.length });
    sessions.push(...next.sessions);
    pick.busy = false;
    pick.keepScrollPosition = true;
    pick.items = items(sessions, found.total, options);
    // Where "Show more" was, the first of those that have come is now.
    const first = pick.items.find(({ session }) => session && next.sessions.includes(session));
    if (first) pick.activeItems = [first];
  };

  return new Promise((resolve) => {
    const finish = (session?: SessionSummary): void => {
      resolve(session);
      pick.dispose();
    };
    pick.onDidAccept(() => {
      const item = pick.selectedItems[0];
      if (item?.session) finish(item.session);
      else if (item) more().catch(() => finish());
    });
    pick.onDidTriggerItemButton(({ button, item }) => {
      if (item.session) (button as SessionButton).run(item.session);
      finish();
    });
    pick.onDidHide(() => finish());
    pick.show();
  });
}

/** Why there is nothing to choose from, and what to do. */
export function noSessions(workspaceUri: string, allProjects = false): Hint {
  if (allProjects) {
    return new Hint(
      l10n.t(
        'No agent has kept sessions on this machine yet. They show here once one such as Claude Code or Codex has worked.',
      ),
    );
  }
  const folder = workspace.workspaceFolders?.find(({ uri }) => uri.toString() === normal(workspaceUri));
  return new Hint(
    l10n.t(
      'No sessions in {0} yet. They show here once an agent such as Claude Code or Codex has worked in it.',
      folder?.name ?? workspaceUri,
    ),
    elsewhere(workspaceUri, allProjects),
  );
}

function elsewhere(workspaceUri: string, allProjects: boolean): Hint['buttons'] {
  if (allProjects) return {};
  const show = () => commands.executeCommand('radLsp.showHistory', { workspaceUri, allProjects: true });
  return { [l10n.t('Sessions of All Projects')]: show };
}

function items(sessions: readonly SessionSummary[], total: number, { buttons = [], without }: Options): SessionItem[] {
  const made: SessionItem[] = sessions
    .filter(({ sessionId }) => sessionId !== without)
    .map((session) => ({
      session,
      label: labelOf(session),
      description: session.costText,
      detail: `${session.brief} · ${session.sessionId}`,
      buttons: [...buttons],
    }));
  if (sessions.length < total) {
    made.push({ label: '', kind: QuickPickItemKind.Separator });
    made.push({ label: l10n.t('Show more of {0}…', String(total)), alwaysShow: true });
  }
  return made;
}

export function button(icon: string, tooltip: string, run: (session: SessionSummary) => void): SessionButton {
  return { iconPath: new ThemeIcon(icon), tooltip, run };
}
