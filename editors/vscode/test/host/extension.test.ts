import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  commands,
  extensions,
  languages,
  Position,
  Range,
  workspace,
  type CodeAction,
  type CodeLens,
  type DocumentSymbol,
  type Hover,
  type InlayHint,
  type MarkdownString,
  type SymbolInformation,
  type Uri,
} from 'vscode';
import { COMMANDS } from '../../src/links';
import { eventually, file, remove, report, tab, tabs, workspaceUri, write } from './workspace';

const settings = () => workspace.getConfiguration('radLsp');

const closeEditors = () => commands.executeCommand('workbench.action.closeAllEditors');

/** What the server says of the first place of a text in a report. */
async function hoverOn(text: string): Promise<string> {
  const document = await workspace.openTextDocument(report('newer'));
  const at = document.positionAt(document.getText().indexOf(text) + 1);
  const hovers = await commands.executeCommand<Hover[]>('vscode.executeHoverProvider', document.uri, at);
  return hovers.flatMap(({ contents }) => contents.map((content) => (content as MarkdownString).value)).join('\n');
}

async function lensesOf(uri: Uri): Promise<CodeLens[]> {
  await workspace.openTextDocument(uri);
  return commands.executeCommand<CodeLens[]>('vscode.executeCodeLensProvider', uri, 10);
}

describe('rad-lsp', () => {
  before(async () => {
    const extension = extensions.getExtension('rad-lsp.rad-lsp');
    await eventually(() => extension?.isActive);
  });

  afterEach(async () => {
    await closeEditors();
    remove(report('newest'), report('broken'));
  });

  it('has the commands of its manifest, and those that the server may name', async () => {
    const { contributes } = extensions.getExtension('rad-lsp.rad-lsp')?.packageJSON as {
      contributes: { commands: { command: string }[] };
    };
    const known = new Set(await commands.getCommands(true));
    const wanted = [...contributes.commands.map(({ command }) => command), ...COMMANDS];
    assert.ok(wanted.length > 20);
    assert.deepEqual(
      wanted.filter((command) => !known.has(command)),
      [],
    );
  });

  it('keeps the latest session in its tab when a report is written', async () => {
    await commands.executeCommand('radLsp.showSession');
    await tab(/^Latest: .* newer · /);
    write('newest', 1.5);
    await tab(/^Latest: .* newest · /);
    remove(report('newest'));
    await tab(/^Latest: .* newer · /);
  });

  it('compares with the previous session, and follows', async () => {
    await commands.executeCommand('radLsp.comparePrevious');
    await tab(/ newer .* compared with .* older /);
    write('newest', 1.5);
    await tab(/ newest .* compared with .* newer /);
  });

  it('opens each page in a tab of its own, once', async () => {
    for (const name of ['showCost', 'showToday', 'showTools', 'showLimits', 'showBudget', 'modelUsage', 'showCost']) {
      await commands.executeCommand(`radLsp.${name}`);
    }
    await commands.executeCommand('radLsp.openComparison', { workspaceUri, sessionA: 'newer', sessionB: 'older' });
    await commands.executeCommand('radLsp.showNotice', { what: 'budget', workspaceUri });
    // Tabs are told of a moment later.
    await eventually(() => tabs().length === 7);
    assert.deepEqual(
      tabs()
        .map((title) => title.replace(/ · .*/, ''))
        .sort(),
      ['Budgets', 'Cost of Radium', 'Model usage', 'Plan limits', 'Radium', 'Today', 'Tools'],
    );
  });

  it('opens nothing when there is no answer', async () => {
    await commands.executeCommand('radLsp.openSession', { workspaceUri, sessionId: 'nowhere' });
    assert.deepEqual(tabs(), []);
    await commands.executeCommand('notifications.clearAll');
  });

  it('exports a session, asking for format and file', async () => {
    const target = file('session-older.json').fsPath;
    const done = commands.executeCommand('radLsp.exportSession', { workspaceUri, sessionId: 'older' });
    // The first format, and the file that is proposed.
    await eventually(async () => {
      await commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return existsSync(target);
    });
    await done;
    const exported = JSON.parse(readFileSync(target, 'utf8')) as { metrics: { session_id: string } };
    assert.equal(exported.metrics.session_id, 'older');
  });

  it('has lenses on a report, which run', async () => {
    const lenses = await eventually(async () => {
      const found = await lensesOf(report('newer'));
      return found.length === 5 && found;
    });
    const titles = lenses.map(({ command }) => command?.title);
    assert.deepEqual(titles.slice(1), ['Cost', 'Compare with previous', 'Compare with…', 'Export']);
    const { command, arguments: given = [] } = lenses[2]?.command ?? { command: '' };
    await commands.executeCommand(command, ...(given as unknown[]));
    await tab(/ newer .* compared with .* older /);
  });

  it('has nothing on other files', async () => {
    const other = file('other.json');
    writeFileSync(other.fsPath, readFileSync(report('newer').fsPath));
    assert.deepEqual(await lensesOf(other), []);
    const symbols = await commands.executeCommand<Hover[]>('vscode.executeHoverProvider', other, new Position(3, 6));
    assert.deepEqual(symbols, []);
  });

  it('has hovers, hints and symbols on a report', async () => {
    assert.match(await hoverOn('"tool_time"'), /1h 43m 35s, 59\.8% of the agent's active time/);
    const all = new Range(0, 0, 200, 0);
    const hints = await commands.executeCommand<InlayHint[]>('vscode.executeInlayHintProvider', report('newer'), all);
    assert.ok(
      hints.some(({ label }) => label === '4h 9m 54s'),
      JSON.stringify(hints.map(({ label }) => label)),
    );
    const symbols = await commands.executeCommand<DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      report('newer'),
    );
    assert.ok(symbols.some(({ name }) => name === 'metrics'));
    const sessions = await commands.executeCommand<SymbolInformation[]>('vscode.executeWorkspaceSymbolProvider', 'old');
    assert.ok(sessions.some(({ location }) => location.uri.path === report('older').path));
  });

  it('marks a broken report and offers to delete it', async () => {
    const broken = report('broken');
    writeFileSync(broken.fsPath, '{"metrics": ');
    const [problem] = await eventually(() => {
      const found = languages.getDiagnostics(broken);
      return found.length === 1 && found;
    });
    assert.equal(problem?.source, 'rad-lsp');
    await workspace.openTextDocument(broken);
    const [action] = await eventually(async () => {
      const range = languages.getDiagnostics(broken)[0]?.range;
      const found =
        range && (await commands.executeCommand<CodeAction[]>('vscode.executeCodeActionProvider', broken, range));
      return found?.length && found;
    });
    assert.equal(action?.title, 'Delete the unreadable report broken.json');
    remove(broken);
    await eventually(() => languages.getDiagnostics(broken).length === 0);
  });

  it('takes new settings at once', async () => {
    assert.match(await hoverOn('"end_time"'), /2026-01-02 10:00:00 UTC/);
    await settings().update('timezone', 'Asia/Tokyo');
    await eventually(async () => (await hoverOn('"end_time"')).includes('2026-01-02 19:00:00 JST'));
    await settings().update('timezone', undefined);
    await eventually(async () => (await hoverOn('"end_time"')).includes('2026-01-02 10:00:00 UTC'));
  });

  it('restarts the server by command, and asks the new one', async () => {
    const pid = (): string => readFileSync(join(dirname(settings().get('server.path', '')), 'pid'), 'utf8');
    const before = pid();
    await commands.executeCommand('radLsp.restartServer');
    assert.notEqual(pid(), before);
    await commands.executeCommand('radLsp.openSession', { workspaceUri, sessionId: 'older' });
    await tab(/ older · /);
  });
});
