/** Which documents are session reports: files directly in their folder; and which transcripts. */

export const REPORTS = '**/.radium/_internals/sessions/*.json';

/** Where other agents keep their transcripts, unless the environment names other folders. */
const TRANSCRIPTS = [
  '**/.claude/projects/**/*.jsonl',
  '**/.config/claude/projects/**/*.jsonl',
  '**/.codex/{sessions,archived_sessions}/**/*.jsonl',
  '**/.gemini/tmp/*/chats/**/*.jsonl',
  '**/.copilot/session-state/**/*.jsonl',
];

/** The transcripts of other agents, in the folders that the environment names as well. */
export function transcripts(environment: Readonly<Record<string, string | undefined>>, home: string): string[] {
  const below = (folder: string | undefined, pattern: string): string[] =>
    folder?.trim() ? [`${glob(folder.trim().replace(/^~(?=[\\/]|$)/, home))}/${pattern}`] : [];
  return [
    ...TRANSCRIPTS,
    ...(environment['CLAUDE_CONFIG_DIR'] ?? '').split(',').flatMap((folder) => below(folder, 'projects/**/*.jsonl')),
    ...below(environment['XDG_CONFIG_HOME'], 'claude/projects/**/*.jsonl'),
    ...below(environment['CODEX_HOME'], '{sessions,archived_sessions}/**/*.jsonl'),
    ...below(environment['COPILOT_HOME'], 'session-state/**/*.jsonl'),
  ];
}

/** Where agents keep transcripts on this machine; the folders need not exist. */
export function agentFolders(environment: Readonly<Record<string, string | undefined>>, home: string): string[] {
  const named: [string | undefined, string][] = [
    ...(environment['CLAUDE_CONFIG_DIR'] ?? '').split(',').map((folder): [string, string] => [folder, 'projects']),
    [environment['CODEX_HOME'], 'sessions'],
    [environment['COPILOT_HOME'], 'session-state'],
  ];
  return [
    ...['.claude/projects', '.config/claude/projects', '.codex/sessions', '.gemini/tmp', '.copilot/session-state'].map(
      (folder) => `${home}/${folder}`,
    ),
    ...named.flatMap(([folder, below]) => (folder?.trim() ? [`${folder.trim()}/${below}`] : [])),
  ];
}

/** A pattern of one folder alone, written as VS Code writes paths. */
function glob(folder: string): string {
  const path = folder.replaceAll('\\', '/').replace(/\/+$/, '').replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  return path.replace(/[*?[\]{}]/g, '[$&]');
}

const REPORT = /[\\/]\.radium[\\/]_internals[\\/]sessions[\\/][^\\/]+\.json$/;

export function isReport(path: string): boolean {
  return REPORT.test(path);
}
