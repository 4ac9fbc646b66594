import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { stage, Uri, window, workspace } from './vscode';
import type { Status } from '../src/contract';
import { COMMANDS } from '../src/links';
import type { Connection, Listener } from '../src/server/client';
import type { Program } from '../src/server/probe';
import { NotRunning, Server, type State } from '../src/server/server';
import { StatusBar } from '../src/statusBar';

/** In place of the language client: connections that a test ends as it likes. */
const made: { program: Program; listener: Listener; stopped: boolean }[] = [];
let refuse = false;

function connect(program: Program, _log: unknown, listener: Listener): Promise<Connection> {
  if (refuse) return Promise.reject(new Error('refused'));
  const connection = { program, listener, stopped: false };
  made.push(connection);
  return Promise.resolve({
    request: () => Promise.resolve({ markdown: 'answer' }),
    introduction: { name: 'rad-lsp', version: '0.1.0', contract: 1 },
    stop: () => {
      connection.stopped = true;
      return Promise.resolve();
    },
  } as unknown as Connection);
}

const loader = Module as unknown as { _load: (name: string, ...rest: unknown[]) => unknown };
const load = loader._load;
loader._load = (name, ...rest) => (name === './client.js' ? { connect } : load(name, ...rest));

const fake = join(realpathSync(mkdtempSync(join(tmpdir(), 'rad-lsp-'))), 'rad-lsp');
writeFileSync(fake, '#!/bin/sh\necho rad-lsp 0.1.0\n');
chmodSync(fake, 0o755);

const log = window.createOutputChannel() as never;
let server: Server;
let states: string[];

function until(kind: State['kind']): Promise<void> {
  if (server.state.kind === kind) return Promise.resolve();
  return new Promise((resolve) => {
    const listening = server.onDidChangeState((state) => {
      if (state.kind !== kind) return;
      listening.dispose();
      resolve();
    });
  });
}

beforeEach(() => {
  stage.reset();
  made.length = 0;
  refuse = false;
  stage.settings['radLsp.server.path'] = fake;
  workspace.workspaceFolders = [{ uri: Uri.file('/w'), name: 'w' }] as never;
  server = new Server(log);
  states = [];
  server.onDidChangeState(({ kind }) => states.push(kind));
});

afterEach(() => {
  server.dispose();
  mock.timers.reset();
});

test('it starts once, with the arguments of the settings', async () => {
  stage.settings['radLsp.server.args'] = ['--log-level', 'info'];
  server.start();
  server.start();
  await until('running');
  assert.deepEqual(
    made.map(({ program }) => program),
    [{ command: fake, args: ['--log-level', 'info'] }],
  );
  assert.deepEqual(states, ['starting', 'running']);
});

test('a request starts it, and waits', async () => {
  assert.deepEqual(await server.request('stats/session', {}), { markdown: 'answer' });
});

test('restarts that come during a restart become one', async () => {
  server.start();
  await Promise.all([server.restart(), server.restart(), server.restart()]);
  await until('running');
  assert.ok(made.length <= 2, String(made.length));
  assert.equal(made.filter(({ stopped }) => !stopped).length, 1);
});

test('a setting that names a program restarts it, another does not', async () => {
  server.start();
  await until('running');
  stage.change('radLsp.budget.day', 5);
  assert.equal(server.state.kind, 'running');
  stage.change('radLsp.server.args', ['--x']);
  await until('starting');
  await until('running');
  assert.equal(made.length, 2);
  assert.equal(made[0]?.stopped, true);
});

test('without a server, requests say so and candidates are told', async () => {
  stage.settings['radLsp.server.path'] = '/nowhere/rad-lsp';
  stage.settings['radLsp.interpreter'] = '/nowhere/python';
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    await assert.rejects(server.request('stats/session', {}), NotRunning);
  } finally {
    process.env['PATH'] = path;
  }
  assert.equal(server.state.kind, 'missing');
  assert.match(server.describe().join('\n'), /radLsp\.server\.path: \/nowhere\/rad-lsp: there is no such program/);
});

test('it is started again after it ended, and given up at the fifth time', async () => {
  server.start();
  await until('running');
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
  for (const pause of [1000, 2000, 4000, 8000]) {
    made.at(-1)?.listener.closed('');
    assert.equal(server.state.kind, 'starting');
    mock.timers.tick(pause);
    await until('running');
  }
  made.at(-1)?.listener.closed('ModuleNotFoundError');
  assert.deepEqual(server.state, { kind: 'stopped', cameUp: true, lastWords: 'ModuleNotFoundError' });
  assert.equal(made.length, 5);
  await server.restart();
  assert.equal(server.state.kind, 'running');
});

test('a start that fails counts as an end', async () => {
  refuse = true;
  server.start();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (!stage.log.some((line) => line.includes('again in 1000 ms'))) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  assert.equal(server.state.kind, 'starting');
});

const status = (workspaceUri: string, text: string): Status =>
  ({ workspaceUri, session: { sessionId: 'a' }, text, tooltip: 'tip', severity: 'ok' }) as Status;

test('the status bar follows the folder of the active editor, and forgets a dead server', async () => {
  workspace.workspaceFolders = [
    { uri: Uri.file('/one'), name: 'one' },
    { uri: Uri.file('/two'), name: 'two' },
  ] as never;
  const bar = new StatusBar(server);
  const item = stage.items[0] as {
    text: string;
    visible: boolean;
    accessibilityInformation: { label: string };
    tooltip: { value: string; isTrusted: unknown };
  };
  assert.equal(item.visible, false);
  server.start();
  await until('running');
  const { listener } = made[0] as { listener: Listener };
  assert.match(item.text, /starting/);
  window.activeTextEditor = { document: { uri: Uri.file('/two/x.py') } };
  listener.status(status('file:///one', 'ONE'));
  assert.match(item.text, /starting/);
  listener.status(status('file:///two', 'TWO'));
  assert.match(item.text, /TWO/);
  assert.equal(item.accessibilityInformation.label, 'rad-lsp: TWO');
  assert.equal(item.tooltip.value, 'tip');
  assert.deepEqual(item.tooltip.isTrusted, { enabledCommands: COMMANDS });
  window.activeTextEditor = undefined;
  listener.status(status('file:///one', 'ONE AGAIN'));
  assert.match(item.text, /TWO/);
  listener.closed('');
  assert.match(item.text, /starting/);
  stage.change('radLsp.statusBar.visibility', 'never');
  assert.equal(item.visible, false);
  bar.dispose();
});
