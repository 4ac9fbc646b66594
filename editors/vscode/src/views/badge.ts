/** Letter and colour of each agent's badge; others get the first letter of their name. */
const BADGES: Readonly<Record<string, readonly [string, string]>> = {
  radium: ['R', '#3f7d4e'],
  'claude-code': ['C', '#b4552d'],
  codex: ['X', '#3b6fb5'],
  'gemini-cli': ['G', '#7a54b8'],
  'copilot-cli': ['P', '#a23f78'],
};

/** An agent's icon as a data URI: a badge with a letter, and a green dot while the session runs. */
export function badge(source: string, running: boolean): string {
  const first = /^[a-z0-9]/i.exec(source)?.[0] ?? '?';
  const [letter, color] = BADGES[source] ?? [first.toUpperCase(), '#6b6b6b'];
  const dot = running ? '<circle cx="12.5" cy="12.5" r="3.5" fill="#2ea043" stroke="#fff"/>' : '';
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16">' +
    `<rect x="1" y="1" width="14" height="14" rx="3" fill="${color}"/>` +
    '<text x="8" y="11.7" text-anchor="middle" font-family="sans-serif" font-size="10.5" ' +
    `font-weight="bold" fill="#fff">${letter}</text>${dot}</svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
