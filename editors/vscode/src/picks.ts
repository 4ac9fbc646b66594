import { l10n, QuickPickItemKind, ThemeIcon, window, type QuickInputButton, type QuickPickItem } from 'vscode';
import type { SessionSummary } from './contract';
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
  readonly title: string;
  readonly placeholder: string;
  readonly buttons?: readonly SessionButton[];
  /** A session that can't be chosen, as it has been already. */
  readonly without?: string;
}

/** Lets the user pick a session, newest first; undefined when none was picked. */
export async function pickSession(server: Server, options: Options): Promise<SessionSummary | undefined> {
  const { workspaceUri } = options;
  const found = await server.request('stats/history', { workspaceUri, limit: PAGE });
  const sessions = [...found.sessions];
  const pick = window.createQuickPick<SessionItem>();
  pick.title = options.title;
  pick.placeholder = options.placeholder;
  pick.matchOnDetail = true;

  const show = (): void => {
    const active = pick.activeItems[0]?.session?.sessionId;
    pick.items = items(sessions, found.total, options);
    const again = pick.items.find(({ session }) => session && session.sessionId === active);
    if (again) pick.activeItems = [again];
  };
  const more = async (): Promise<void> => {
    pick.busy = true;
    const next = await server.request('stats/history', { workspaceUri, limit: PAGE, offset: sessions.length });
    sessions.push(...next.sessions);
    pick.busy = false;
    show();
  };

  show();
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

function items(sessions: readonly SessionSummary[], total: number, { buttons = [], without }: Options): SessionItem[] {
  const made: SessionItem[] = sessions
    .filter(({ sessionId }) => sessionId !== without)
    .map((session) => ({
      session,
      label: session.brief,
      detail: `${session.lastActivityText} · ${session.sessionId}`,
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
