import { homedir } from 'node:os';
import { commands, l10n, languages, Uri, window, workspace } from 'vscode';
import type { SessionStats } from './contract';
import { Hint, kindOf } from './messages';
import { isReport, transcripts } from './reports';
import type { Server } from './server/server';

/** The server's code for params that it does not take. */
const INVALID = -32602;

/** The file of a session that a menu was opened on, else the one in the active editor. */
export function fileAt(at: unknown): Uri | undefined {
  if (at instanceof Uri) return isReport(at.path) || isTranscript(at) ? at : undefined;
  const uri = window.activeTextEditor?.document.uri;
  return uri?.scheme === 'file' && (isReport(uri.path) || isTranscript(uri)) ? uri : undefined;
}

function isTranscript(uri: Uri): boolean {
  const document = workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  const patterns = transcripts(process.env, homedir());
  return (
    document !== undefined &&
    languages.match(
      patterns.map((pattern) => ({ scheme: 'file', pattern })),
      document,
    ) > 0
  );
}

/** The session of a file, and the folder that it counts in; without one it is another project's. */
export interface Found {
  readonly session: SessionStats;
  readonly workspaceUri: string;
  readonly allProjects?: true;
}

/** Finds the session of a file. Throws a `Hint` where the file can't be read. */
export async function sessionOf(server: Server, file: Uri, current: string): Promise<Found> {
  const workspaceUri = workspace.getWorkspaceFolder(file)?.uri.toString() ?? current;
  const session = await read(server, file, workspaceUri);
  if (isReport(file.path)) return { session, workspaceUri };
  try {
    await server.request('stats/session', { workspaceUri, sessionId: session.sessionId });
    return { session, workspaceUri };
  } catch (error) {
    if (!['NoSessions', 'SessionNotFound'].includes(kindOf(error) ?? '')) throw error;
    return { session, workspaceUri, allProjects: true };
  }
}

async function read(server: Server, file: Uri, workspaceUri: string): Promise<SessionStats> {
  try {
    return await server.request('stats/session', { workspaceUri, uri: file.toString() });
  } catch (error) {
    const { code, message } = error as { code?: number; message: string };
    if (code === INVALID) {
      throw new Hint(l10n.t('{0} is in no folder in which an agent keeps its sessions.', file.fsPath));
    }
    if (kindOf(error) !== 'SessionUnreadable') throw error;
    throw new Hint(message, {
      [l10n.t('Show Latest Session')]: () => commands.executeCommand('radLsp.openSession', { workspaceUri }),
      [l10n.t('Open Problems')]: () => commands.executeCommand('workbench.actions.view.problems'),
    });
  }
}
