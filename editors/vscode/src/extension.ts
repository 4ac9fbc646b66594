import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  env,
  RelativePattern,
  version,
  window,
  workspace,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  type WorkspaceFolder,
} from 'vscode';
import { Commands } from './commands';
import { Help } from './help';
import { Pages } from './pages/pages';
import { Reports } from './pages/reports';
import { agentFolders } from './reports';
import { Server } from './server/server';
import { StatusBar } from './statusBar';
import { SideBar } from './views/sideBar';

let server: Server | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('rad-lsp', { log: true });
  const made = new Server(log);
  server = made;
  const pages = new Pages(made);
  const reports = new Reports(made);
  context.subscriptions.push(
    log,
    made,
    new StatusBar(made),
    new SideBar(made),
    new Help(made, context),
    pages,
    reports,
    new Commands(made, pages, reports, log, () => debugInfo(context, made)),
  );
  startWhenWanted(context, made, log);
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** At once, or when a folder has sessions, as `radLsp.statusBar.visibility` says; a command always does. */
function startWhenWanted(context: ExtensionContext, made: Server, log: LogOutputChannel): void {
  const start = (): void => {
    const always = workspace.getConfiguration('radLsp').get('statusBar.visibility') === 'always';
    const folders = workspace.workspaceFolders ?? [];
    if (folders.length && (always || folders.some(({ uri }) => isRadiumWorkspace(uri.fsPath)) || hasAgents())) {
      made.start();
    }
  };
  start();
  if (made.state.kind === 'idle') log.info('The server is started once a folder has sessions, or by a command.');
  const watchers = new Map<string, Disposable>();
  const watch = (added: readonly WorkspaceFolder[]): void => {
    for (const folder of added) {
      const watcher = workspace.createFileSystemWatcher(new RelativePattern(folder, '.radium'), false, true, true);
      watcher.onDidCreate(start);
      watchers.set(folder.uri.toString(), watcher);
    }
  };
  watch(workspace.workspaceFolders ?? []);
  context.subscriptions.push(
    { dispose: () => watchers.forEach((watcher) => void watcher.dispose()) },
    workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
      for (const { uri } of removed) {
        watchers.get(uri.toString())?.dispose();
        watchers.delete(uri.toString());
      }
      watch(added);
      start();
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('radLsp.statusBar.visibility')) start();
    }),
  );
}

/** Whether any other agent has kept sessions on this machine: in which folders, only the server can tell. */
function hasAgents(): boolean {
  return agentFolders(process.env, homedir()).some((folder) => existsSync(folder));
}

/** Whether the folder or one above it has a `.radium`, as the server looks for it. */
function isRadiumWorkspace(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.radium'))) return true;
    if (dirname(folder) === folder) return false;
  }
}

function debugInfo(context: ExtensionContext, made: Server): string {
  const { packageJSON } = context.extension as { packageJSON: { version: string } };
  return [
    `rad-lsp ${packageJSON.version}`,
    `VS Code ${version}, ${process.platform} ${process.arch}, node ${process.version}`,
    `remote: ${env.remoteName ?? '-'}, trusted: ${workspace.isTrusted}, folders: ${workspace.workspaceFolders?.length ?? 0}`,
    ...made.describe(),
    '',
  ].join('\n');
}
