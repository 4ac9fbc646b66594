import { basename } from 'node:path';
import {
  l10n,
  ProgressLocation,
  Uri,
  ViewColumn,
  window,
  workspace,
  type Disposable,
  type WebviewPanel,
  type WebviewPanelSerializer,
} from 'vscode';
import { normal } from '../folders';
import { say } from '../messages';
import type { Server } from '../server/server';
import { Latest } from './latest';
import { whereOf } from './page';

const TYPE = 'radLsp.report';

/** Whose sessions a report shows: a folder's, or those of all projects. */
interface Scope {
  readonly workspaceUri: string;
  readonly allProjects?: boolean | undefined;
}

/** A report that is open, and what keeps its figures up to date. */
interface Open {
  readonly panel: WebviewPanel;
  readonly data: Latest;
}

/** Reports: the server's page of charts, one for each folder and one for all projects. */
export class Reports implements WebviewPanelSerializer, Disposable {
  readonly #server: Server;
  readonly #open = new Map<string, Open>();
  readonly #disposables: Disposable[];

  constructor(server: Server) {
    this.#server = server;
    this.#disposables = [
      window.registerWebviewPanelSerializer(TYPE, this),
      server.onDidReceiveStatus(({ workspaceUri }) => {
        for (const allProjects of [false, true]) this.#open.get(keyOf({ workspaceUri, allProjects }))?.data.ask();
      }),
    ];
  }

  /** Shows a report; with a `project` its sessions alone, which the reader can change there. */
  async show(target: Scope & { readonly project?: string | undefined }): Promise<void> {
    const { panel } = (await this.#opened(target)) ?? {};
    if (target.project !== undefined) await panel?.webview.postMessage({ type: 'filter', project: target.project });
  }

  async #opened({ workspaceUri, allProjects }: Scope): Promise<Open | undefined> {
    const scope = { workspaceUri, allProjects };
    const key = keyOf(scope);
    const open = this.#open.get(key);
    if (open) {
      open.panel.reveal();
      return open;
    }
    const location = { location: ProgressLocation.Window, title: l10n.t('Drawing the report') };
    const page = await window.withProgress(location, () => this.#page(scope));
    // It may have been asked for twice.
    if (this.#open.has(key)) return this.#open.get(key);
    const panel = window.createWebviewPanel(TYPE, titleOf(scope), ViewColumn.Active, {
      enableScripts: true,
      enableFindWidget: true,
      localResourceRoots: [],
      // Charts take long to draw, and the reader's filter is theirs.
      retainContextWhenHidden: true,
    });
    this.#add(scope, panel);
    panel.webview.html = page;
    return this.#open.get(key);
  }

  /** A report that was open before the window was loaded again: its title tells whose it is. */
  async deserializeWebviewPanel(panel: WebviewPanel): Promise<void> {
    const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
    const scope = folders
      .flatMap((workspaceUri) => [{ workspaceUri }, { workspaceUri, allProjects: true }])
      .find((known) => titleOf(known) === panel.title);
    if (!scope || this.#open.has(keyOf(scope))) {
      panel.dispose();
      return;
    }
    this.#add(scope, panel);
    try {
      panel.webview.html = await this.#page(scope);
    } catch (error) {
      panel.dispose();
      say('Warning', error instanceof Error ? error.message : String(error));
    }
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    for (const { panel } of [...this.#open.values()]) panel.dispose();
  }

  #add(scope: Scope, panel: WebviewPanel): void {
    const data = new Latest(
      () => panel.visible,
      async () => {
        try {
          const { data } = await this.#server.request('stats/report', { ...whereOf(scope), content: 'data' });
          await panel.webview.postMessage({ type: 'data', data });
        } catch {
          // The status bar tells of a server that is gone; the next status brings new figures.
        }
      },
    );
    this.#open.set(keyOf(scope), { panel, data });
    panel.onDidDispose(() => this.#open.delete(keyOf(scope)));
    panel.onDidChangeViewState(() => data.resume());
    panel.webview.onDidReceiveMessage((message: unknown) => void save(scope, message));
  }

  async #page(scope: Scope): Promise<string> {
    const { html } = await this.#server.request('stats/report', { ...whereOf(scope), content: 'page' });
    return html ?? '';
  }
}

function keyOf({ workspaceUri, allProjects }: Scope): string {
  return allProjects ? '' : normal(workspaceUri);
}

function titleOf({ workspaceUri, allProjects }: Scope): string {
  if (allProjects) return l10n.t('Report: all projects');
  const folder = workspace.workspaceFolders?.find(({ uri }) => uri.toString() === normal(workspaceUri));
  return l10n.t('Report: {0}', folder?.name ?? Uri.parse(workspaceUri).fsPath);
}

/** Saves a chart of the page to a file that the user names. */
async function save({ workspaceUri }: Scope, message: unknown): Promise<void> {
  const { type, name, data } = message as { type?: unknown; name?: unknown; data?: unknown };
  if (type !== 'save' || typeof name !== 'string' || typeof data !== 'string') return;
  const target = await window.showSaveDialog({
    title: l10n.t('Save Chart'),
    defaultUri: Uri.joinPath(Uri.parse(workspaceUri), basename(name.replaceAll('\\', '/'))),
  });
  if (!target) return;
  try {
    await workspace.fs.writeFile(target, bytes(data));
    say('Information', l10n.t('Saved to {0}', target.fsPath));
  } catch (error) {
    say('Error', error instanceof Error ? error.message : String(error));
  }
}

/** What a data URL holds; any other text as it is. */
function bytes(data: string): Uint8Array {
  const [, coding, content = ''] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(data) ?? [];
  if (coding) return Buffer.from(content, 'base64');
  return Buffer.from(data.startsWith('data:') ? decodeURIComponent(content) : data);
}
