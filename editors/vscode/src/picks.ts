import { l10n, QuickPickItemKind, ThemeIcon, window, workspace, type QuickInputButton, type QuickPickItem } from 'vscode';
import type { SessionSummary } from './contract';
import { duration, moment, sessionLine, shortId } from './display';
import type { Server } from './server/server';

const PAGE = 50;
const AT_ONCE = 4;

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
  const models = new Map<string, readonly string[]>();
  const pick = window.createQuickPick<SessionItem>();
  pick.title = options.title;
  pick.placeholder = options.placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  let open = true;

  const show = (): void => {
    const active = pick.activeItems[0]?.session?.sessionId;
    pick.items = items(sessions, models, found.total, options);
    const again = pick.items.find(({ session }) => session && session.sessionId === active);
    if (again) pick.activeItems = [again];
  };
  /** Lists of sessions do not name their models, so each is asked for; the list is there before. */
  const addModels = async (of: readonly SessionSummary[]): Promise<void> => {
    const queue = [...of];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next && open; next = queue.shift()) {
        const { sessionId } = next;
        const full = await server.request('stats/session', { workspaceUri, sessionId }).catch(() => undefined);
        models.set(sessionId, full?.models.map(({ name }) => name) ?? []);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (open) show();
  };
  const more = async (): Promise<void> => {
    pick.busy = true;
    const next = await server.request('stats/history', { workspaceUri, limit: PAGE, offset: sessions.length });
    sessions.push(...next.sessions);
    pick.busy = false;
    show();
    void addModels(next.sessions);
  };

  show();
  void addModels(sessions);
  return new Promise((resolve) => {
    const finish = (session?: SessionSummary): void => {
      open = false;
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

function items(
  sessions: readonly SessionSummary[],
  models: ReadonlyMap<string, readonly string[]>,
  total: number,
  { buttons = [], without }: Options,
): SessionItem[] {
  const zone = workspace.getConfiguration('radLsp').get('timezone', '');
  const made: SessionItem[] = sessions
    .filter(({ sessionId }) => sessionId !== without)
    .map((session) => {
      const time = moment(session.lastActivity, zone);
      const parts = [duration(session.wallTime), ...(models.get(session.sessionId) ?? [])];
      return {
        session,
        label: sessionLine(session),
        description: `${shortId(session.sessionId)} · ${session.running ? l10n.t('{0}, running', time) : time}`,
        detail: parts.join(' · '),
        buttons: [...buttons],
      };
    });
  if (sessions.length < total) {
    made.push({ label: '', kind: QuickPickItemKind.Separator });
    made.push({ label: l10n.t('Show more of {0}…', String(total)), alwaysShow: true });
  }
  return made;
}

export function button(icon: string, tooltip: string, run: (session: SessionSummary) => void): SessionButton {
  return { iconPath: new ThemeIcon(icon), tooltip, run };
}
