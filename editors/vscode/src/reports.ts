/** Which documents are session reports: files directly in their folder; and which transcripts. */

export const REPORTS = '**/.radium/_internals/sessions/*.json';

/** Where other agents keep their transcripts, unless the environment names other folders. */
export const TRANSCRIPTS = [
  '**/.claude/projects/**/*.jsonl',
  '**/.config/claude/projects/**/*.jsonl',
  '**/.codex/{sessions,archived_sessions}/**/*.jsonl',
  '**/.gemini/tmp/*/chats/**/*.jsonl',
  '**/.copilot/session-state/**/*.jsonl',
];

const REPORT = /[\\/]\.radium[\\/]_internals[\\/]sessions[\\/][^\\/]+\.json$/;

export function isReport(path: string): boolean {
  return REPORT.test(path);
}
