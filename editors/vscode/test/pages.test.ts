import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { EventEmitter, Panel, stage, Uri, workspace } from './vscode';
import { heading, html } from '../src/pages/markdown';
import { keyOf, type Page } from '../src/pages/page';
import { Pages } from '../src/pages/pages';
import type { Server } from '../src/server/server';

const workspaceUri = 'file:///w';
const session: Page = { kind: 'session', workspaceUri };

/** A server that answers when the test lets it. */
class Slow {
  readonly asked: [string, Record<string, unknown>][] = [];
  readonly waiting: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];
  readonly status = new EventEmitter<{ workspaceUri: string }>();
  readonly onDidReceiveStatus = this.status.event;

  request(method: string, params: Record<string, unknown>): Promise<unknown> {
    this.asked.push([method, params]);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  async answers(cost: string, label = 'Codex · 0199f3c2 · 14:05'): Promise<void> {
    this.waiting
      .shift()
      ?.resolve({ sessionId: 's1', label, markdown: `## ${label}\n\n| | |\n| --- | ---: |\n| Cost | ${cost} |\n` });
    await setImmediate();
  }

  async fails(message: string): Promise<void> {
    this.waiting.shift()?.reject(new Error(message));
    await setImmediate();
  }
}

let server: Slow;
let pages: Pages;

beforeEach(() => {
  stage.reset();
  workspace.workspaceFolders = [{ uri: Uri.parse(workspaceUri), name: 'w' }];
  server = new Slow();
  pages = new Pages(server as unknown as Server);
});

/** The tab of a page that is open and has been loaded. */
async function opened(page: Page, cost = '$1'): Promise<Panel> {
  const shown = pages.show(page);
  await server.answers(cost);
  await shown;
  const panel = stage.panels.at(-1);
  assert.ok(panel);
  panel.says({ type: 'ready' });
  return panel;
}

test('a page is a tab that names its session, opened with one request, and again with none', async () => {
  const panel = await opened({ ...session, sessionId: 's1' });
  assert.equal(panel.title, 'Codex · 0199f3c2 · 14:05');
  assert.deepEqual(server.asked, [['stats/session', { workspaceUri, sessionId: 's1' }]]);
  assert.match(panel.sent[0]?.html ?? '', /<td class="figure">\$1<\/td>/);
  await pages.show({ ...session, sessionId: 's1' });
  assert.equal(stage.panels.length, 1);
  assert.equal(panel.revealed, 1);
  const other = pages.show({ kind: 'cost', workspaceUri, sessionId: 's1' });
  await server.answers('$2');
  await server.answers('$2');
  await other;
  assert.equal(stage.panels.length, 2);
});

test('a page follows its folder: one request at a time, and one more for all that came meanwhile', async () => {
  const panel = await opened(session);
  assert.equal(panel.title, 'Latest: Codex · 0199f3c2 · 14:05');
  for (let count = 0; count < 5; count += 1) server.status.fire({ workspaceUri });
  server.status.fire({ workspaceUri: 'file:///other' });
  assert.equal(server.asked.length, 2);
  await server.answers('$2');
  assert.equal(server.asked.length, 3);
  await server.answers('$3', 'Codex · new · 14:06');
  assert.equal(server.asked.length, 3);
  assert.match(panel.sent.at(-1)?.html ?? '', /\$3/);
  assert.equal(panel.title, 'Latest: Codex · new · 14:06');
});

test('a page that nobody sees asks for nothing, until it is seen again', async () => {
  const panel = await opened(session);
  panel.show(false);
  server.status.fire({ workspaceUri });
  server.status.fire({ workspaceUri });
  assert.equal(server.asked.length, 1);
  panel.show(true);
  assert.equal(server.asked.length, 2);
  await server.answers('$2');
  assert.equal(panel.sent.length, 1);
  panel.says({ type: 'ready' });
  assert.match(panel.sent.at(-1)?.html ?? '', /\$2/);
  panel.dispose();
  server.status.fire({ workspaceUri });
  assert.equal(server.asked.length, 2);
});

test('what goes wrong is said on the page, beside figures that were right, with a button to retry', async () => {
  const panel = await opened(session);
  server.status.fire({ workspaceUri });
  await server.fails('No <b>session</b> found.');
  const said = panel.sent.at(-1)?.html ?? '';
  assert.match(said, /role="alert"><p>No &lt;b&gt;session&lt;\/b&gt; found\.<\/p><button id="retry">Retry<\/button>/);
  assert.match(said, /\$1/);
  panel.says({ type: 'retry' });
  await server.answers('$2');
  assert.doesNotMatch(panel.sent.at(-1)?.html ?? '', /alert/);
});

test('an answer that is an error opens nothing', async () => {
  const shown = assert.rejects(pages.show(session), /gone/);
  await server.fails('gone');
  await shown;
  assert.deepEqual(stage.panels, []);
});

test('pages of before a reload are restored, those of folders that are gone and of nobody are closed', async () => {
  const serializer = stage.serializers.get('radLsp.page');
  const restored = new Panel('radLsp.page', 'old title');
  await serializer?.deserializeWebviewPanel(restored, { page: session, scroll: 12 });
  restored.says({ type: 'ready' });
  await server.fails('The server is not running.');
  assert.match(restored.sent.at(-1)?.html ?? '', /The server is not running/);
  restored.says({ type: 'retry' });
  await server.answers('$1');
  assert.match(restored.sent.at(-1)?.html ?? '', /\$1/);
  for (const state of [
    undefined,
    {},
    { page: { kind: 'x', workspaceUri } },
    { page: { ...session, workspaceUri: 'file:///gone' } },
  ]) {
    const panel = new Panel();
    await serializer?.deserializeWebviewPanel(panel, state);
    assert.ok(panel.disposed, JSON.stringify(state));
  }
});

test('nothing but our own script and links run in a page', async () => {
  const hostile =
    '</script><script>alert(1)</script> [x](command:workbench.action.quit) ![i](https://evil.example/i.png)';
  const shown = pages.show(session);
  await server.answers('<img src=x onerror=alert(1)>', hostile);
  await shown;
  const [panel] = stage.panels;
  panel?.says({ type: 'ready' });
  const page = panel?.webview.html ?? '';
  const nonce = /script-src 'nonce-([^']+)'/.exec(page)?.[1];
  assert.match(page, /default-src 'none'; style-src 'nonce-/);
  assert.deepEqual(page.match(/<script[^>]*>/g), [`<script nonce="${nonce}">`]);
  assert.doesNotMatch(page, /unsafe|https?:/);
  const said = panel?.sent[0]?.html ?? '';
  assert.doesNotMatch(said, /<script|<img|href="(?!command:radLsp\.)/);
  assert.ok(said.includes('&lt;img src=x onerror=alert(1)&gt;'));
  const links = [...said.matchAll(/href="command:([\w.]+)\?/g)].map(([, name]) => name);
  const { enableCommandUris } = panel?.options as { enableCommandUris: string[] };
  assert.ok(links.length >= 5);
  assert.deepEqual(
    links.filter((name) => !enableCommandUris.includes(name ?? '')),
    [],
  );
});

test('the same question has the same key, in whatever order it is put', () => {
  assert.equal(
    keyOf({ kind: 'cost', workspaceUri, sessionId: 'a' }),
    keyOf({ sessionId: 'a', since: undefined, workspaceUri, kind: 'cost' }),
  );
  assert.notEqual(keyOf(session), keyOf({ ...session, allProjects: true }));
});

test('tables have names for their rows and columns, figures to the right, and verdicts marked', () => {
  const table =
    '| | A | B | |\n| --- | ---: | ---: | --- |\n| Cost | $1 | a\\|b \\*c\\* | ✓ improved |\n| Wall | 1 | 2 | ✗ regressed |\n| **Total** |  | 3 | |';
  const made = html(table);
  assert.match(made, /<thead><tr><td><\/td><th scope="col" class="figure">A<\/th>/);
  assert.match(made, /<th scope="row">Cost<\/th><td class="figure">\$1<\/td><td class="figure">a\|b \*c\*<\/td>/);
  assert.match(made, /<span class="better">✓ improved<\/span>/);
  assert.match(made, /<span class="worse">✗ regressed<\/span>/);
  assert.match(
    made,
    /<th scope="row"><strong>Total<\/strong><\/th><td class="figure"><\/td><td class="figure">3<\/td>/,
  );
  assert.doesNotMatch(html('| | |\n| --- | --- |\n| a | b |'), /thead/);
});

test('the rest of what the server writes is shown, and all else is text', () => {
  assert.equal(html('## T\n\nA: x  \nB: y\n'), '<h2>T</h2>\n<p>A: x<br>\nB: y</p>');
  assert.equal(html('## T\n\ntext', { untitled: true }), '<p>text</p>');
  assert.equal(html('- a `b`\n- *c*'), '<ul><li>a <code>b</code></li><li><em>c</em></li></ul>');
  assert.equal(html('```\n<a> **b**\n```'), '<pre>&lt;a&gt; **b**</pre>');
  assert.equal(html('#no\n[a](javascript:b) $x$ **'), '<p>#no</p>\n<p>[a](javascript:b) $x$ **</p>');
  assert.equal(heading('## Cost of a\\_b \\<c\\>\n'), 'Cost of a_b <c>');
  assert.ok(html(`| ${'|'.repeat(50_000)}\n${'**a'.repeat(20_000)}\n${'\\'.repeat(50_000)}`));
});
