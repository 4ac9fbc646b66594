import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { History, SessionSummary, TrendPart, TrendResult } from '../src/contract';
import type { Server } from '../src/server/server';
import { NotRunning } from '../src/server/server';
import { badge } from '../src/views/badge';
import { byDay, merge, PAGE, SessionList, shortNames, type PageOf } from '../src/views/list';
import type { Node } from '../src/views/node';
import { thisMonth } from '../src/views/projects';
import { sessionNode } from '../src/views/rows';
import { View } from '../src/views/view';
import { EventEmitter, stage, Uri, workspace } from './vscode';

const open: View[] = [];

beforeEach(() => stage.reset());
afterEach(() => {
  for (const view of open.splice(0)) view.dispose();
});

const place = { id: 'sessions', workspaceUri: 'file:///w', allProjects: false, isByDay: true };

/** The session with a number: the higher, the newer. */
function row(number: number, more: Partial<SessionSummary> = {}): SessionSummary {
  const at = new Date(Date.UTC(2026, 2, 1) + number * 60_000).toISOString();
  return {
    ...({} as SessionSummary),
    source: 'codex',
    sessionId: `s${number}`,
    lastActivity: at,
    day: at.slice(0, 10),
    dayLabel: at.slice(0, 10),
    timeText: at.slice(11, 16),
    title: null,
    shortId: `s${number}`,
    label: `Codex · s${number}`,
    brief: '',
    lastActivityText: '',
    costText: '$1.0000',
    modelNames: ['gpt-5'],
    running: false,
    resume: null,
    uri: 'file:///t',
    ...more,
  };
}

/** Sessions that a server has, newest first, which count what is asked for. */
class Store {
  rows: SessionSummary[];
  titles = new Map<string, string>();
  asked: PageOf[] = [];
  constructor(count: number) {
    this.rows = Array.from({ length: count }, (_, index) => row(count - index));
  }
  readonly ask = async (page: PageOf): Promise<History> => {
    this.asked.push(page);
    const sessions = this.rows.slice(page.offset, page.offset + page.limit).map((one) => {
      const title = this.titles.get(one.sessionId);
      return page.titles && title !== undefined ? { ...one, title, label: `Codex · ${title}` } : one;
    });
    return { sessions, total: this.rows.length, skipped: [] };
  };
}

const ids = (rows: readonly SessionSummary[]): string[] => rows.map(({ sessionId }) => sessionId);

test('a list shows a page, and more of them when asked, without asking for the first again', async () => {
  const store = new Store(120);
  const list = new SessionList(store.ask);
  await list.refresh();
  assert.equal(list.rows.length, PAGE);
  assert.equal(await list.more(), true);
  await list.more();
  assert.deepEqual(ids(list.rows), ids(store.rows));
  assert.equal(await list.more(), false);
  assert.deepEqual(
    store.asked.map(({ offset }) => offset),
    [0, 50, 100, 120],
  );
});

test('a refresh asks for the first page and keeps the rest', async () => {
  const store = new Store(120);
  const list = new SessionList(store.ask);
  await list.refresh();
  await list.more();
  store.asked = [];
  const moved = store.rows.splice(70, 1).map((old) => row(300, { sessionId: old.sessionId }));
  store.rows.unshift(...moved, row(200));
  store.rows.sort((a, b) => b.lastActivity.localeCompare(a.lastActivity));
  await list.refresh();
  assert.deepEqual(ids(list.rows), ids(store.rows.slice(0, 101)));
  assert.equal(store.asked.length, 1);
});

test('sessions that are deleted go, those below the first page too', async () => {
  const store = new Store(120);
  const list = new SessionList(store.ask);
  await list.refresh();
  await list.more();
  store.rows.splice(3, 1);
  store.rows.splice(80, 1);
  await list.refresh();
  assert.deepEqual(ids(list.rows), ids(store.rows.slice(0, list.rows.length)));
  assert.ok(list.rows.length >= 100);
  store.rows = [];
  await list.refresh();
  assert.deepEqual(list.rows, []);
});

test('what a merge can not account for is asked for anew', () => {
  const before = Array.from({ length: 100 }, (_, index) => row(100 - index));
  assert.deepEqual(merge(before, before.slice(0, PAGE), 0), before);
  assert.equal(merge(before, before.slice(0, PAGE), -1), undefined);
});

test('a session that a status tells is there at once', async () => {
  const store = new Store(120);
  const list = new SessionList(store.ask);
  list.put(row(130));
  assert.deepEqual(list.rows, []);
  await list.refresh();
  list.put(row(130));
  list.put(row(131, { sessionId: 's119' }));
  list.put(row(2));
  assert.deepEqual(ids(list.rows).slice(0, 4), ['s119', 's130', 's120', 's118']);
  assert.equal(list.total, 121);
  await list.refresh();
  assert.deepEqual(ids(list.rows), ids(store.rows.slice(0, PAGE)));
});

test('titles come after the sessions, and are asked for once', async () => {
  const store = new Store(3);
  store.titles.set('s2', 'Fix the build');
  const list = new SessionList(store.ask);
  await list.refresh();
  const second = (): unknown => [list.rows[1]?.title, list.rows[1]?.label];
  assert.deepEqual(second(), [null, 'Codex · s2']);
  assert.equal(await list.titles(), true);
  assert.deepEqual(second(), ['Fix the build', 'Codex · Fix the build']);
  store.asked = [];
  assert.equal(await list.titles(), false);
  assert.deepEqual(store.asked, []);
  store.rows.unshift(row(9));
  store.titles.set('s9', 'Late');
  await list.refresh();
  assert.equal(await list.titles(), true);
  assert.equal(list.rows[0]?.title, 'Late');
});

test('sessions stand below their days', () => {
  const rows = [row(2000), row(1999), row(1), row(0)];
  assert.deepEqual(
    byDay(rows).map(({ label, rows: held }) => [label, ids(held)]),
    [
      ['2026-03-02', ['s2000', 's1999']],
      ['2026-03-01', ['s1', 's0']],
    ],
  );
});

test('projects of the same name are told apart by the folders above', () => {
  const names = shortNames(['/a/x/app', '/b/x/app', '/c/shop', 'C:\\code\\site', '/', '']);
  assert.deepEqual([...names.values()], ['a/x/app', 'b/x/app', 'shop', 'site', '/', '']);
});

test('projects that cost something this month come first, then the others of the year', () => {
  const part = (name: string | null): TrendPart => ({ name, costText: '$1', sessions: 1 }) as TrendPart;
  const trend = (...names: (string | null)[]): TrendResult =>
    ({ total: { parts: names.map(part) } }) as unknown as TrendResult;
  const year = trend('/old', '/b', null);
  const found = [...thisMonth(trend('/b', null), year)].map(([name, used]) => [name, used !== undefined]);
  assert.deepEqual(found, [
    ['/b', true],
    ['', true],
    ['/old', false],
  ]);
});

test('each agent has a badge, and one that is not known as well', () => {
  const drawn = (source: string): string => Buffer.from(badge(source, false).split(',')[1] ?? '', 'base64').toString();
  const known = ['radium', 'claude-code', 'codex', 'gemini-cli', 'copilot-cli'].map(drawn);
  assert.equal(new Set(known).size, 5);
  assert.match(drawn('aider'), />A<\/text>/);
  assert.match(drawn('<script>'), />\?<\/text>/);
  assert.notEqual(badge('codex', true), badge('codex', false));
});

test('a session says its figures with their names, and offers only what it can', () => {
  const made = sessionNode(row(5, { title: '$(bug) [x](command:y)', running: true, resume: 'codex resume s5' }), place);
  assert.equal(made.item.label, '$(bug) [x](command:y)');
  assert.equal(made.item.description, '$1.0000 · running · 00:05 · gpt-5');
  assert.equal(made.item.accessibilityInformation?.label, 'Codex · s5, running, cost $1.0000, model gpt-5');
  assert.equal(typeof made.item.tooltip, 'string');
  assert.equal(made.item.contextValue, 'session resumable file');
  assert.equal(sessionNode(row(5, { deleted: true }), place).item.contextValue, 'session');
});

/** A view that asks what the test answers, in a side bar that is closed at first. */
class Asking extends View {
  readonly waiting: { answer: (nodes: readonly Node[]) => void; fail: (error: Error) => void }[] = [];
  protected override load(): Promise<readonly Node[]> {
    return new Promise((answer, fail) => this.waiting.push({ answer, fail }));
  }
}

function shown(): { view: Asking; change: () => void; tree: (typeof stage.trees)[0]; fired: () => number } {
  workspace.workspaceFolders = [{ uri: Uri.file('/w'), name: 'w' }];
  const statuses = new EventEmitter<{ workspaceUri: string }>();
  const server = { onDidReceiveStatus: statuses.event, onDidChangeState: new EventEmitter().event };
  const view = new Asking(server as unknown as Server, 'view');
  let fired = 0;
  view.onDidChangeTreeData(() => (fired += 1));
  open.push(view);
  const tree = stage.trees[0];
  assert.ok(tree);
  return { view, tree, change: () => statuses.fire({ workspaceUri: 'file:///w' }), fired: () => fired };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const labels = async (view: Asking): Promise<unknown[]> => (await view.getChildren()).map(({ item }) => item.label);
const node = (label: string): Node => ({ item: { label } });

test('a view asks only while it is visible, and one question at a time', async () => {
  const { view, tree, change, fired } = shown();
  change();
  await settled();
  assert.equal(view.waiting.length, 0);
  tree.show(true);
  const first = labels(view);
  change();
  change();
  await settled();
  assert.equal(view.waiting.length, 1);
  view.waiting[0]?.answer([node('a')]);
  assert.deepEqual(await first, ['a']);
  assert.equal(fired(), 0);
  assert.equal(view.waiting.length, 2);
  view.waiting[1]?.answer([node('b')]);
  await settled();
  assert.equal(fired(), 1);
  assert.deepEqual(await labels(view), ['b']);
  tree.show(false);
  change();
  await settled();
  assert.equal(view.waiting.length, 2);
  tree.show(true);
  assert.equal(view.waiting.length, 3);
});

test('only what has changed is drawn again', async () => {
  const { view, tree, change } = shown();
  const drawn: (readonly Node[] | undefined)[] = [];
  view.onDidChangeTreeData((nodes) => drawn.push(nodes));
  const day = (id: string, ...labels: string[]): Node => ({ item: { id }, children: labels.map(node) });
  tree.show(true);
  const first = day('today', 'a');
  view.waiting[0]?.answer([first, day('before', 'b')]);
  await settled();
  change();
  view.waiting[1]?.answer([day('today', 'c', 'a'), day('before', 'b')]);
  await settled();
  assert.deepEqual(drawn, [[first]]);
  assert.deepEqual(
    (await view.getChildren(first)).map(({ item }) => item.label),
    ['c', 'a'],
  );
  change();
  view.waiting[2]?.answer([day('today', 'c', 'a'), day('before', 'b')]);
  await settled();
  assert.equal(drawn.length, 1);
  change();
  view.waiting[3]?.answer([day('today', 'c')]);
  await settled();
  assert.equal(drawn.at(-1), undefined);
});

test('what goes wrong is shown above the figures of before, and can be tried again', async () => {
  const { view, tree, change } = shown();
  tree.show(true);
  view.waiting[0]?.answer([node('a')]);
  await settled();
  change();
  view.waiting[1]?.fail(new Error('The index is broken.'));
  await settled();
  const [said, again, kept] = await view.getChildren();
  assert.equal(said?.item.label, 'The index is broken.');
  assert.equal(said.item.accessibilityInformation?.label, 'error: The index is broken.');
  assert.equal(kept?.item.label, 'a');
  const [retry] = again?.item.command?.arguments as [() => void];
  retry();
  view.waiting[2]?.answer([node('b')]);
  await settled();
  assert.deepEqual(await labels(view), ['b']);
});

test('without a server a view is empty, so that its welcome shows', async () => {
  const { view, tree, change } = shown();
  tree.show(true);
  view.waiting[0]?.answer([node('a')]);
  await settled();
  change();
  view.waiting[1]?.fail(new NotRunning('gone'));
  await settled();
  assert.deepEqual(await labels(view), []);
});
