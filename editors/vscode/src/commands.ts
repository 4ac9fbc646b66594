import { commands, env, l10n, type Disposable, type LogOutputChannel } from 'vscode';
import type { Notice, SessionSummary } from './contract';
import { exportSession, exportSessions } from './exports';
import { currentFolder } from './folders';
import { showMenu } from './menu';
import { Hint, kindOf, say } from './messages';
import type { Page, Target } from './pages/page';
import type { Pages } from './pages/pages';
import type { Reports } from './pages/reports';
import { button, noSessions, pickSession } from './picks';
import { NotRunning, type Server } from './server/server';
import { fileAt, sessionOf } from './sessionFile';

/** What the server refuses when there is not enough to show yet, which is no failure. */
const EXPECTED: ReadonlySet<string> = new Set(['NoPreviousSession', 'NoWorkspace']);

/** Which session or sessions, and the folder whose settings count. */
type Chosen = Target & { workspaceUri: string };

/** The commands, each of which asks the server and shows what it answers. */
export class Commands implements Disposable {
  readonly #server: Server;
  readonly #pages: Pages;
  readonly #reports: Reports;
  readonly #log: LogOutputChannel;
  readonly #disposables: Disposable[];

  constructor(server: Server, pages: Pages, reports: Reports, log: LogOutputChannel, debugInfo: () => string) {
    this.#server = server;
    this.#pages = pages;
    this.#reports = reports;
    this.#log = log;
    const page = (kind: Page['kind']) => (at: unknown) => this.#pages.show({ kind, ...chosen(at) });
    const all: Record<string, (at: unknown) => Promise<void>> = {
      showMenu: (at) => showMenu(chosen(at)),
      showSession: (at) => this.#showSession(at),
      showCost: (at) => this.#showCost(at),
      showHistory: (at) => this.#showHistory(chosen(at)),
      showReport: (at) => this.#reports.show(chosen(at)),
      showReportOfAll: () => this.#reports.show({ ...chosen(undefined), allProjects: true }),
      showToday: page('overview'),
      showTools: page('tools'),
      showLimits: page('limits'),
      showBudget: page('budget'),
      showNotice: (notice) => {
        const { what, workspaceUri } = notice as Notice;
        return this.#pages.show({ kind: what, workspaceUri });
      },
      compareSessions: () => this.#compare(chosen(undefined)),
      comparePrevious: (at) => this.#comparePrevious(at),
      exportSessions: (at) => this.#exportSessions(at),
      modelUsage: (at) => this.#modelUsage(at),
      restartServer: () => this.#server.restart(),
      showLog: async () => this.#log.show(),
      copyDebugInfo: async () => {
        await env.clipboard.writeText(debugInfo());
        say('Information', l10n.t('Debug information is on the clipboard.'));
      },
      openSession: page('session'),
      openComparison: (at) => this.#compare(chosen(at)),
      exportSession: (at) => exportSession(this.#server, chosen(at)),
    };
    this.#disposables = Object.entries(all).map(([name, run]) =>
      commands.registerCommand(`radLsp.${name}`, (argument: unknown) => this.#guarded(() => run(argument))),
    );
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #showSession(at: unknown): Promise<void> {
    const target = await this.#inFront(at);
    // What counts in no folder is asked for by its file.
    const uri = target.allProjects && !isTarget(at) ? fileAt(at)?.toString() : undefined;
    const page = uri === undefined ? target : { workspaceUri: target.workspaceUri, uri };
    await this.#pages.show({ kind: 'session', ...page });
  }

  async #showCost(at: unknown): Promise<void> {
    const target = await this.#inFront(at);
    const { sessionId = target.since === undefined ? 'latest' : undefined } = target;
    await this.#pages.show({ kind: 'cost', ...target, sessionId });
  }

  async #comparePrevious(at: unknown): Promise<void> {
    const { sessionId = 'latest', ...where } = await this.#inFront(at);
    await this.#pages.show({ kind: 'comparison', ...where, sessionB: sessionId });
  }

  async #modelUsage(at: unknown): Promise<void> {
    const target = at === undefined ? chosen(at) : await this.#inFront(at);
    await this.#pages.show({ kind: 'models', ...target });
  }

  async #exportSessions(at: unknown): Promise<void> {
    const where = chosen(undefined);
    const file = fileAt(at);
    const found = file && sessionOf(this.#server, file, where.workspaceUri);
    // All sessions can be exported, whatever is wrong with the file in front.
    const one = at === undefined ? await found?.catch(() => undefined) : await found;
    await exportSessions(this.#server, where.workspaceUri, one?.session);
  }

  async #showHistory(where: Chosen): Promise<void> {
    const picked = await pickSession(this.#server, {
      ...where,
      title: where.allProjects ? l10n.t('Sessions of all projects') : l10n.t('Sessions'),
      placeholder: l10n.t('Enter opens a session'),
      buttons: [
        button('credit-card', l10n.t('Show Cost'), ({ sessionId }) => {
          void commands.executeCommand('radLsp.showCost', { ...where, sessionId });
        }),
        button('diff', l10n.t('Compare with…'), ({ sessionId }) => {
          void this.#guarded(() => this.#compare({ ...where, sessionB: sessionId }));
        }),
        button('copy', l10n.t('Copy id'), ({ sessionId }) => void env.clipboard.writeText(sessionId)),
      ],
    });
    if (picked) await this.#pages.show({ kind: 'session', ...where, sessionId: picked.sessionId });
  }

  /** Session B against session A; those that are not named are asked for. */
  async #compare({ sessionA, sessionB, ...where }: Chosen): Promise<void> {
    const ask = (title: string, without?: string): Promise<SessionSummary | undefined> =>
      pickSession(this.#server, { ...where, title, placeholder: l10n.t('Choose a session'), without });
    const a = sessionA ?? (await ask(l10n.t('Compare from (A)'), sessionB))?.sessionId;
    if (a === undefined) return;
    const b = sessionB ?? (await ask(l10n.t('Compare to (B)'), a))?.sessionId;
    if (b === undefined) return;
    await this.#pages.show({ kind: 'comparison', ...where, sessionA: a, sessionB: b });
  }

  /** What is named, else the session of the file that is meant or in front. */
  async #inFront(at: unknown): Promise<Chosen> {
    const file = isTarget(at) ? undefined : fileAt(at);
    const where = chosen(at);
    if (!file) return where;
    const { session, ...found } = await sessionOf(this.#server, file, where.workspaceUri);
    return { ...found, sessionId: session.sessionId };
  }

  /** What goes wrong is said to the user in the server's words. */
  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#explain(error);
    }
  }

  #explain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const kind = kindOf(error);
    if (kind === 'NoSessions') {
      const hint = noSessions(currentFolder()?.uri.toString() ?? '');
      say('Information', hint.message, hint.buttons);
    } else if (kind === 'ChartsMissing') {
      const { install = [] } = (error as { data: { install?: readonly string[] } }).data;
      const copy = () => env.clipboard.writeText(install[0] ?? message);
      say('Warning', message, { [l10n.t('Copy Install Command')]: copy });
    } else if (error instanceof Hint) {
      say('Information', message, error.buttons);
    } else if (kind !== undefined && EXPECTED.has(kind)) {
      say('Information', message);
    } else if (error instanceof NotRunning && this.#server.state.kind === 'missing') {
      void commands.executeCommand('radLsp.serverHelp');
    } else {
      this.#log.error(message);
      say('Error', message, { [l10n.t('Show Log')]: () => this.#log.show() });
    }
  }
}

/** What a link, a menu or the side bar names, in a folder. */
function chosen(at: unknown): Chosen {
  const named = isTarget(at) ? at : {};
  return { ...named, workspaceUri: named.workspaceUri ?? folder() };
}

function isTarget(at: unknown): at is Target {
  return typeof at === 'object' && at !== null && !('scheme' in at);
}

function folder(): string {
  const found = currentFolder();
  if (!found) throw new Hint(l10n.t('Open a folder first: sessions are kept in it.'));
  return found.uri.toString();
}
