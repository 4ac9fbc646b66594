import {
  commands,
  env,
  l10n,
  ProgressLocation,
  Uri,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
} from 'vscode';
import type { ExportParams, SessionSummary } from './contract';
import { shortId } from './display';
import { currentFolder } from './folders';
import type { Pages } from './pages';
import { button, pickSession } from './picks';
import { isReport } from './reports';
import { NotRunning, type Server } from './server/server';

/** What the server's lenses, and our own menus, say. */
interface Target {
  readonly workspaceUri?: string;
  readonly sessionId?: string;
  readonly sessionA?: string;
  readonly sessionB?: string;
}

type Format = NonNullable<ExportParams['format']>;

const EXTENSIONS: Record<Format, string> = { json: 'json', ndjson: 'ndjson', csv: 'csv', markdown: 'md' };

/** How the server calls the most recent session. */
const LATEST = 'latest';

/** What the server refuses when there is not enough to show yet, which is no failure. */
const EXPECTED: ReadonlySet<string> = new Set(['NoSessions', 'NoPreviousSession', 'NoWorkspace']);

/** Something the user has to do first, said to them as it is. */
class Hint extends Error {}

/** The commands, each of which asks the server and shows what it answers. */
export class Commands implements Disposable {
  readonly #server: Server;
  readonly #pages: Pages;
  readonly #log: LogOutputChannel;
  readonly #disposables: Disposable[];

  constructor(server: Server, pages: Pages, log: LogOutputChannel, debugInfo: () => string) {
    this.#server = server;
    this.#pages = pages;
    this.#log = log;
    const all: Record<string, (argument: unknown) => Promise<void>> = {
      showSession: (at) => this.#showSession(at),
      showHistory: () => this.#showHistory(),
      compareSessions: () => this.#openComparison({}),
      comparePrevious: (at) => this.#comparePrevious(at),
      exportSessions: (at) => this.#exportSessions(at),
      modelUsage: (at) => this.#modelUsage(at),
      restartServer: () => this.#server.restart(),
      showLog: async () => this.#log.show(),
      copyDebugInfo: async () => {
        await env.clipboard.writeText(debugInfo());
        void window.showInformationMessage(l10n.t('Debug information is on the clipboard.'));
      },
      openSession: (target) => this.#openSession(target ?? {}),
      openComparison: (target) => this.#openComparison(target ?? {}),
      exportSession: (target) => this.#export(target ?? {}),
    };
    this.#disposables = Object.entries(all).map(([name, run]) =>
      commands.registerCommand(`radLsp.${name}`, (argument: unknown) => this.#guarded(() => run(argument))),
    );
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #showSession(at: unknown): Promise<void> {
    const report = reportAt(at);
    await this.#openSession(report ? await this.#sessionOf(report) : {});
  }

  async #openSession({ workspaceUri = folder(), sessionId }: Target): Promise<void> {
    await this.#pages.show({ kind: 'session', workspaceUri, ...(sessionId === undefined ? {} : { sessionId }) });
  }

  async #showHistory(): Promise<void> {
    const workspaceUri = folder();
    const picked = await pickSession(this.#server, {
      workspaceUri,
      title: l10n.t('Sessions'),
      placeholder: l10n.t('Enter opens a session'),
      buttons: [
        button('diff', l10n.t('Compare with…'), ({ sessionId }) => {
          void this.#guarded(() => this.#openComparison({ workspaceUri, sessionB: sessionId }));
        }),
        button('copy', l10n.t('Copy id'), ({ sessionId }) => void env.clipboard.writeText(sessionId)),
      ],
    });
    if (picked) await this.#openSession({ workspaceUri, sessionId: picked.sessionId });
  }

  /** Session B against session A; those that are not named are asked for. */
  async #openComparison({ workspaceUri = folder(), sessionA, sessionB }: Target): Promise<void> {
    const ask = (title: string, without?: string): Promise<SessionSummary | undefined> =>
      pickSession(this.#server, {
        workspaceUri,
        title,
        placeholder: l10n.t('Choose a session'),
        ...(without === undefined ? {} : { without }),
      });
    const a = sessionA ?? (await ask(l10n.t('Compare from (A)'), sessionB))?.sessionId;
    if (a === undefined) return;
    const b = sessionB ?? (await ask(l10n.t('Compare to (B)'), a))?.sessionId;
    if (b === undefined) return;
    await this.#pages.show({ kind: 'comparison', workspaceUri, sessionA: a, sessionB: b });
  }

  async #comparePrevious(at: unknown): Promise<void> {
    const report = reportAt(at);
    const { workspaceUri, sessionId } = report
      ? await this.#sessionOf(report)
      : { workspaceUri: folder(), sessionId: LATEST };
    await this.#pages.show({ kind: 'comparison', workspaceUri, sessionB: sessionId });
  }

  async #modelUsage(at: unknown): Promise<void> {
    const report = isUri(at) ? reportAt(at) : undefined;
    const { workspaceUri, sessionId } = report ? await this.#sessionOf(report) : { workspaceUri: folder() };
    await this.#pages.show({ kind: 'models', workspaceUri, ...(sessionId === undefined ? {} : { sessionId }) });
  }

  async #exportSessions(at: unknown): Promise<void> {
    const report = reportAt(at);
    await this.#export(report ? await this.#sessionOf(report) : {}, true);
  }

  /** Asks for what is not said: format, which sessions, and where to. */
  async #export({ workspaceUri = folder(), sessionId }: Target, askScope = false): Promise<void> {
    const format = await pickFormat();
    if (!format) return;
    const scope = askScope || sessionId === undefined ? await this.#pickScope(workspaceUri, sessionId) : { sessionId };
    if (!scope) return;
    const stem = scope.sessionId === undefined ? 'sessions' : `session-${shortId(scope.sessionId)}`;
    const target = await window.showSaveDialog({
      title: l10n.t('Export Sessions'),
      saveLabel: l10n.t('Export'),
      defaultUri: Uri.joinPath(Uri.parse(workspaceUri), `${stem}.${EXTENSIONS[format]}`),
      filters: { [format]: [EXTENSIONS[format]] },
    });
    if (!target) return;
    const done = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t('Exporting sessions'), cancellable: true },
      // That a file is there is known: the dialog has asked whether to replace it.
      (_progress, token) =>
        this.#server.request(
          'stats/export',
          { workspaceUri, format, output: target.toString(), overwrite: true, ...scope },
          token,
        ),
    );
    const open = l10n.t('Open');
    const message = l10n.t('Sessions exported: {0}, to {1}', String(done.sessions), target.fsPath);
    void window.showInformationMessage(message, open).then((answer) => {
      if (answer === open) void commands.executeCommand('vscode.open', target);
    });
  }

  async #pickScope(
    workspaceUri: string,
    sessionId: string | undefined,
  ): Promise<{ sessionId?: string; since?: string } | undefined> {
    const choices = [
      ...(sessionId === undefined
        ? [{ label: l10n.t('Latest session'), scope: { sessionId: LATEST } }]
        : [{ label: l10n.t('This session'), description: shortId(sessionId), scope: { sessionId } }]),
      { label: l10n.t('All sessions'), scope: {} },
      { label: l10n.t('Sessions of the last 24 hours'), scope: { since: '24h' } },
      { label: l10n.t('Sessions of the last 7 days'), scope: { since: '7d' } },
      { label: l10n.t('Choose a session…'), scope: undefined },
    ];
    const picked = await window.showQuickPick(choices, { title: l10n.t('Export: which sessions') });
    if (!picked || picked.scope) return picked?.scope;
    const options = { workspaceUri, title: l10n.t('Export: which session'), placeholder: l10n.t('Choose a session') };
    const session = await pickSession(this.#server, options);
    return session && { sessionId: session.sessionId };
  }

  async #sessionOf(report: Uri): Promise<{ workspaceUri: string; sessionId: string }> {
    const workspaceUri = workspace.getWorkspaceFolder(report)?.uri.toString() ?? folder();
    const { sessionId } = await this.#server.request('stats/session', { workspaceUri, uri: report.toString() });
    return { workspaceUri, sessionId };
  }

  /** What goes wrong is said to the user in the server's words. */
  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const kind = (error as { data?: { kind?: string } } | undefined)?.data?.kind;
      if (error instanceof Hint || (kind !== undefined && EXPECTED.has(kind))) {
        void window.showInformationMessage(message);
        return;
      }
      if (error instanceof NotRunning && this.#server.state.kind === 'missing') {
        await commands.executeCommand('radLsp.serverHelp');
        return;
      }
      this.#log.error(message);
      const log = l10n.t('Show Log');
      void window.showErrorMessage(message, log).then((answer) => {
        if (answer === log) this.#log.show();
      });
    }
  }
}

async function pickFormat(): Promise<Format | undefined> {
  const choices: { label: string; description: string; format: Format }[] = [
    { label: 'JSON', description: l10n.t('reports as they are stored'), format: 'json' },
    { label: 'NDJSON', description: l10n.t('one line for each session'), format: 'ndjson' },
    { label: 'CSV', description: l10n.t('for spreadsheets'), format: 'csv' },
    { label: 'Markdown', description: l10n.t('tables to read'), format: 'markdown' },
  ];
  return (await window.showQuickPick(choices, { title: l10n.t('Export: format') }))?.format;
}

function folder(): string {
  const found = currentFolder();
  if (!found) throw new Hint(l10n.t('Open a folder first: sessions are kept in it.'));
  return found.uri.toString();
}

function isUri(at: unknown): at is Uri {
  return at instanceof Uri;
}

/** The report that a menu was opened on, else the one in the active editor. */
function reportAt(at: unknown): Uri | undefined {
  const uri = isUri(at) ? at : window.activeTextEditor?.document.uri;
  return uri && uri.scheme === 'file' && isReport(uri.path) ? uri : undefined;
}
