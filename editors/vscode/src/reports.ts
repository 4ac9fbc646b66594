/** Which documents are session reports: files directly in their folder; and which transcripts. */

export const REPORTS = '**/.radium/_internals/sessions/*.json';

/** What Claude's desktop app keeps of its agent mode, in the folder of all programs of each system. */
const COWORK = { folders: ['Claude/local-agent-mode-sessions'], files: '**/.claude/projects/**/*.jsonl' } as const;

/** Other agents: their folder at home, the variable that names another, and the transcripts in it. */
const AGENTS = [
  { atHome: '.claude', variable: 'CLAUDE_CONFIG_DIR', folders: ['projects'], files: '**/*.jsonl' },
  { atHome: '.config', variable: 'XDG_CONFIG_HOME', folders: ['claude/projects'], files: '**/*.jsonl' },
  { atHome: '.config', variable: 'XDG_CONFIG_HOME', ...COWORK },
  { atHome: 'Library/Application Support', variable: undefined, ...COWORK },
  { atHome: 'AppData/Roaming', variable: 'APPDATA', ...COWORK },
  { atHome: '.codex', variable: 'CODEX_HOME', folders: ['sessions', 'archived_sessions'], files: '**/*.jsonl' },
  { atHome: '.gemini', variable: undefined, folders: ['tmp'], files: '*/chats/**/*.jsonl' },
  { atHome: '.copilot', variable: 'COPILOT_HOME', folders: ['session-state'], files: '**/*.jsonl' },
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The transcripts of other agents, in the folders that the environment names as well. */
export function transcripts(environment: Environment, home: string): string[] {
  const below = (root: string, { folders, files }: (typeof AGENTS)[number]): string =>
    `${root}/${folders.length > 1 ? `{${folders.join()}}` : folders[0]}/${files}`;
  return [
    ...AGENTS.map((agent) => below(`**/${agent.atHome}`, agent)),
    ...AGENTS.flatMap((agent) => named(agent.variable, environment, home).map((root) => below(glob(root), agent))),
  ];
}

/** Where agents keep transcripts on this machine; the folders need not exist. */
export function agentFolders(environment: Environment, home: string): string[] {
  return [
    ...AGENTS.map(({ atHome, folders }) => `${home}/${atHome}/${folders[0]}`),
    ...AGENTS.flatMap(({ variable, folders }) =>
      named(variable, environment, home).map((root) => `${root}/${folders[0]}`),
    ),
  ];
}

/** The folders that a variable names; Claude Code's may name several. */
function named(variable: string | undefined, environment: Environment, home: string): string[] {
  const value = (variable && environment[variable]) ?? '';
  return (variable === 'CLAUDE_CONFIG_DIR' ? value.split(',') : [value])
    .map((folder) => folder.trim().replace(/^~(?=[\\/]|$)/, home))
    .filter(Boolean);
}

/** A pattern of one folder alone, written as VS Code writes paths. */
function glob(folder: string): string {
  const path = folder
    .replaceAll('\\', '/')
    .replace(/\/+$/, '')
    .replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  return path.replace(/[*?[\]{}]/g, '[$&]');
}

const REPORT = /[\\/]\.radium[\\/]_internals[\\/]sessions[\\/][^\\/]+\.json$/;

export function isReport(path: string): boolean {
  return REPORT.test(path);
}
