import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Memento } from 'vscode';
import type { SessionSummary, Status } from '../src/contract';
import { shortId } from '../src/display';
import { Once } from '../src/once';
import { agentFolders, isReport, transcripts } from '../src/reports';
import { Crashes } from '../src/server/crashes';
import { isOlder, parseVersion } from '../src/server/version';
import { view } from '../src/statusView';

const session = { sessionId: 'a', cost: 0.1275, successRate: 92.64 } as SessionSummary;
const status = {
  workspaceUri: 'file:///w',
  session,
  text: '$0.1275 · 92.6%',
  spoken: 'cost $0.1275, success rate 92.6%',
  tooltip: 'tip',
  severity: 'ok',
} as Status;
const running = { kind: 'running' } as const;

test('agents keep transcripts at home, and where the environment says', () => {
  const folders = agentFolders({ CLAUDE_CONFIG_DIR: '/a, /b', CODEX_HOME: '/c', COPILOT_HOME: ' ' }, '/home/x');
  assert.deepEqual(folders.slice(-4), ['/a/projects', '/b/projects', '/c/sessions', '/c/archived_sessions']);
  assert.ok(folders.includes('/home/x/.claude/projects'));
  assert.ok(folders.includes('/home/x/.gemini/tmp'));
  assert.ok(folders.includes('/home/x/Library/Application Support/Claude/local-agent-mode-sessions'));
});

test('reports are json files directly in the sessions folder', () => {
  assert.ok(isReport('/w/.radium/_internals/sessions/a.json'));
  assert.ok(isReport('C:\\w\\.radium\\_internals\\sessions\\a.json'));
  assert.ok(!isReport('/w/.radium/_internals/sessions/old/a.json'));
  assert.ok(!isReport('/w/.radium/_internals/sessions/a.json.tmp'));
});

test('transcripts are where agents keep them, and in the folders that the environment names', () => {
  const own = transcripts({}, '/home/u').length;
  const found = transcripts(
    {
      CLAUDE_CONFIG_DIR: '~/claude, /data/[a]',
      XDG_CONFIG_HOME: '/x/',
      CODEX_HOME: 'C:\\codex',
      COPILOT_HOME: '',
    },
    '/home/u',
  );
  assert.deepEqual(found.slice(own), [
    '/home/u/claude/projects/**/*.jsonl',
    '/data/[[]a[]]/projects/**/*.jsonl',
    '/x/claude/projects/**/*.jsonl',
    '/x/Claude/local-agent-mode-sessions/**/.claude/projects/**/*.jsonl',
    'c:/codex/sessions/**/*.jsonl',
    'c:/codex/archived_sessions/**/*.jsonl',
    '/x/.copilot/session-state/**/*.jsonl',
  ]);
});

test('versions are read and compared by number', () => {
  assert.deepEqual(parseVersion('rad-lsp 0.10.2\n'), [0, 10, 2]);
  assert.deepEqual(parseVersion('rad-lsp 1.0rc1'), [1, 0, 0]);
  assert.equal(parseVersion('ruff 0.12.0'), undefined);
  assert.ok(isOlder([0, 9, 9], [0, 10, 0]));
  assert.ok(!isOlder([1, 0, 0], [0, 99, 0]));
  assert.ok(!isOlder([0, 1, 0], [0, 1, 0]));
});

test('a server that ends is started after ever longer pauses, until the fifth time', () => {
  const crashes = new Crashes();
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((second) => crashes.add(second * 1000)),
    [1000, 2000, 4000, 8000, undefined],
  );
});

test('crashes of long ago do not count', () => {
  const crashes = new Crashes();
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((minute) => crashes.add(minute * 60_000)),
    [1000, 2000, 4000, 4000, 4000],
  );
  crashes.forget();
  assert.equal(crashes.add(5 * 60_000), 1000);
});

test('a server that does not come up is given up when it fails in the same words again', () => {
  const crashes = new Crashes();
  assert.deepEqual(
    ['no pygls', 'disk full', 'disk full'].map((words) => crashes.add(0, words)),
    [1000, 2000, undefined],
  );
  crashes.forget();
  assert.deepEqual([crashes.add(0, 'disk full'), crashes.add(0), crashes.add(0, 'disk full')], [1000, 2000, 4000]);
});

test('a message comes once until what it is about changes, and never again when the user says so', async () => {
  const kept = new Map<string, unknown>();
  const memory = {
    get: (key: string) => kept.get(key),
    update: async (key: string, value: unknown) => void kept.set(key, value),
  } as unknown as Memento;
  const about = ['no server', 'no server', 'an old one', 'no server'];
  const shown: boolean[] = [];
  for (const what of about) shown.push(await new Once(memory).isNew('missing', what));
  assert.deepEqual(shown, [true, false, true, true]);
  assert.equal(await new Once(memory).isNew('old', 'no server'), true);
  await new Once(memory).forget('missing');
  assert.equal(await new Once(memory).isNew('missing', 'no server'), true);
  await new Once(memory).never('missing');
  assert.equal(await new Once(memory).isNew('missing', 'another'), false);
});

test('the status bar shows what the server sends, and says it to screen readers', () => {
  const shown = view(running, status, 'always');
  assert.deepEqual(shown, {
    text: '$(pulse) $0.1275 · 92.6%',
    label: 'rad-lsp: cost $0.1275, success rate 92.6%',
    tooltip: 'tip',
    warning: false,
    command: 'radLsp.showMenu',
  });
  assert.equal(
    view(running, { ...status, severity: 'warning' }, 'always')?.label,
    'rad-lsp, warning: cost $0.1275, success rate 92.6%',
  );
});

test('every state of the server is told apart', () => {
  const search = { candidates: [] };
  const none = { ...status, session: null, text: 'no sessions' };
  const texts = [
    view(running, status, 'always'),
    view(running, none, 'always'),
    view(running, undefined, 'always'),
    view({ kind: 'stopped', cameUp: true, lastWords: '' }, undefined, 'always'),
    view({ kind: 'missing', search }, undefined, 'always'),
  ].map((shown) => shown?.text.replace(/^\$\(\S+\) /, ''));
  assert.deepEqual(texts, [
    '$0.1275 · 92.6%',
    'no sessions',
    'rad-lsp: starting',
    'rad-lsp: server stopped',
    'rad-lsp: no server',
  ]);
});

test('the item hides when it is not wanted', () => {
  const none = { ...status, session: null };
  assert.equal(view({ kind: 'idle' }, undefined, 'always'), undefined);
  assert.equal(view(running, status, 'never'), undefined);
  assert.equal(view(running, none, 'relevant'), undefined);
  assert.ok(view(running, status, 'relevant'));
  assert.ok(view(running, { ...none, severity: 'warning' }, 'relevant'));
});

test('long ids are cut in titles, and short ones are not', () => {
  assert.equal(shortId('3c6ddcd3-85b6-48f1-88e1-f428ca458337'), '3c6ddcd3');
  assert.equal(shortId('gen-1'), 'gen-1');
});
