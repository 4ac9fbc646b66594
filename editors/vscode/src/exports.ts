import { commands, l10n, ProgressLocation, Uri, window } from 'vscode';
import type { ExportParams, SessionSummary } from './contract';
import { shortId } from './display';
import { say } from './messages';
import { labelOf, whereOf, type Target } from './pages/page';
import { pickSession } from './picks';
import type { Server } from './server/server';

type Format = NonNullable<ExportParams['format']>;

const EXTENSIONS: Record<Format, string> = { json: 'json', ndjson: 'ndjson', csv: 'csv', markdown: 'md' };

interface Scope {
  readonly sessionId?: string;
  readonly since?: string;
}

/** Exports a session. Asks for format and file. */
export async function exportSession(server: Server, target: Target & { workspaceUri: string }): Promise<void> {
  const format = await pickFormat();
  const { sessionId } = target;
  if (format) await save(server, target, format, sessionId === undefined ? {} : { sessionId });
}

/** The same for what is to be asked, too: which sessions. `inFront` is the one of the active editor. */
export async function exportSessions(server: Server, workspaceUri: string, inFront?: SessionSummary): Promise<void> {
  const format = await pickFormat();
  const scope = format && (await pickScope(server, workspaceUri, inFront));
  if (scope) await save(server, { workspaceUri }, format, scope);
}

async function save(
  server: Server,
  target: Target & { workspaceUri: string },
  format: Format,
  scope: Scope,
): Promise<void> {
  const stem = scope.sessionId === undefined ? 'sessions' : `session-${shortId(scope.sessionId)}`;
  const file = await window.showSaveDialog({
    title: l10n.t('Export Sessions'),
    saveLabel: l10n.t('Export'),
    defaultUri: Uri.joinPath(Uri.parse(target.workspaceUri), `${stem}.${EXTENSIONS[format]}`),
    filters: { [format]: [EXTENSIONS[format]] },
  });
  if (!file) return;
  const output = file.toString();
  const done = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Exporting sessions'), cancellable: true },
    // That a file is there is known: the dialog has asked whether to replace it.
    (_progress, token) =>
      server.request('stats/export', { ...whereOf(target), format, output, overwrite: true, ...scope }, token),
  );
  say('Information', l10n.t('Sessions exported: {0}, to {1}', String(done.sessions), file.fsPath), {
    [l10n.t('Open')]: () => commands.executeCommand('vscode.open', file),
  });
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

async function pickScope(server: Server, workspaceUri: string, inFront?: SessionSummary): Promise<Scope | undefined> {
  const one = inFront
    ? { label: l10n.t('This session'), description: labelOf(inFront), scope: { sessionId: inFront.sessionId } }
    : { label: l10n.t('Latest session'), scope: { sessionId: 'latest' } };
  const choices: { label: string; description?: string; scope: Scope | undefined }[] = [
    one,
    { label: l10n.t('All sessions'), scope: {} },
    { label: l10n.t('Sessions of the last 24 hours'), scope: { since: '24h' } },
    { label: l10n.t('Sessions of the last 7 days'), scope: { since: '7d' } },
    { label: l10n.t('Choose a session…'), scope: undefined },
  ];
  const picked = await window.showQuickPick(choices, { title: l10n.t('Export: which sessions') });
  if (!picked || picked.scope) return picked?.scope;
  const options = { workspaceUri, title: l10n.t('Export: which session'), placeholder: l10n.t('Choose a session') };
  const session = await pickSession(server, options);
  return session && { sessionId: session.sessionId };
}
