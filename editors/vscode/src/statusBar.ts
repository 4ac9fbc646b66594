import { l10n, MarkdownString, StatusBarAlignment, ThemeColor, window, workspace, type Disposable } from 'vscode';
import type { Status } from './contract';
import { currentFolder, normal } from './folders';
import { COMMANDS } from './links';
import type { Server } from './server/server';
import { view, type Visibility } from './statusView';

/** The item at the bottom left. */
export class StatusBar implements Disposable {
  readonly #server: Server;
  readonly #item = window.createStatusBarItem('radLsp.status', StatusBarAlignment.Left, 50);
  readonly #statuses = new Map<string, Status>();
  readonly #disposables: Disposable[];
  #shown = '';

  constructor(server: Server) {
    this.#server = server;
    this.#item.name = l10n.t('rad-lsp');
    this.#disposables = [
      this.#item,
      server.onDidReceiveStatus((status) => {
        this.#statuses.set(normal(status.workspaceUri), status);
        this.#update();
      }),
      server.onDidChangeState((state) => {
        // Figures of a server that is gone would look like those of now.
        if (state.kind !== 'running') this.#statuses.clear();
        this.#update();
      }),
      window.onDidChangeActiveTextEditor(() => this.#update()),
      workspace.onDidChangeWorkspaceFolders(({ removed }) => {
        for (const { uri } of removed) this.#statuses.delete(uri.toString());
        this.#update();
      }),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('radLsp.statusBar.visibility')) this.#update();
      }),
    ];
    this.#update();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #update(): void {
    const folder = currentFolder()?.uri.toString();
    const status = folder === undefined ? undefined : this.#statuses.get(folder);
    const visibility = workspace.getConfiguration('radLsp').get<Visibility>('statusBar.visibility', 'always');
    const wanted = view(this.#server.state, status, visibility);
    // Setting an item that has not changed makes it flicker.
    const key = JSON.stringify([wanted, folder]);
    if (key === this.#shown) return;
    this.#shown = key;
    if (!wanted) {
      this.#item.hide();
      return;
    }
    this.#item.text = wanted.text;
    this.#item.accessibilityInformation = { label: wanted.label, role: 'button' };
    this.#item.tooltip = tooltip(wanted.tooltip);
    this.#item.backgroundColor = wanted.warning ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.command =
      wanted.command === 'radLsp.showMenu'
        ? {
            command: wanted.command,
            title: l10n.t('Show Menu'),
            arguments: [{ workspaceUri: folder, label: status?.session?.label }],
          }
        : wanted.command;
    this.#item.show();
  }
}

/** What the server sends, with its links to our commands. */
function tooltip(markdown: string): MarkdownString {
  const made = new MarkdownString(markdown);
  made.isTrusted = { enabledCommands: COMMANDS };
  return made;
}
