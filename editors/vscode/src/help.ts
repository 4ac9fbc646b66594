import {
  commands,
  ConfigurationTarget,
  env,
  l10n,
  window,
  workspace,
  type Disposable,
  type ExtensionContext,
} from 'vscode';
import { Once } from './once';
import type { Candidate, Search } from './server/find';
import { hasPythonExtension } from './server/python';
import type { Server, State } from './server/server';
import { OLDEST } from './server/version';

/** For a clone of the server's repository. */
const INSTALL = 'pipx install --force .';

/** Helps to get a server that can be used, and says when there is none or it ended. */
export class Help implements Disposable {
  readonly #server: Server;
  readonly #context: ExtensionContext;
  readonly #once: Once;
  readonly #disposables: readonly Disposable[];

  constructor(server: Server, context: ExtensionContext) {
    this.#server = server;
    this.#context = context;
    this.#once = new Once(context.globalState);
    this.#disposables = [
      commands.registerCommand('radLsp.serverHelp', () => this.#help()),
      commands.registerCommand('radLsp.copyInstallCommand', async () => {
        await env.clipboard.writeText(INSTALL);
        void window.showInformationMessage(l10n.t('{0} is on the clipboard.', INSTALL));
      }),
      server.onDidChangeState((state) => {
        void commands.executeCommand('setContext', 'radLsp.running', state.kind === 'running');
        if (state.kind === 'missing') void this.#missingOnce(state.search);
        if (state.kind === 'running') void this.#once.forget('missing');
        if (state.kind === 'stopped') void this.#stopped(state);
      }),
      server.onDidFindOldServer((version) => void this.#tooOld(version)),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #help(): Promise<void> {
    const { state } = this.#server;
    if (state.kind === 'missing') await this.#missing(state.search, []);
    else if (state.kind === 'running') void window.showInformationMessage(l10n.t('The server is running.'));
    else await this.#server.restart();
  }

  /** On its own once, until something changes; when the user asks, always. */
  async #missingOnce(search: Search): Promise<void> {
    const notAgain = l10n.t('Not Again');
    if (!(await this.#once.isNew('missing', aboutMachine(search)))) return;
    if ((await this.#missing(search, [notAgain])) === notAgain) await this.#once.never('missing');
  }

  async #missing(search: Search, more: readonly string[]): Promise<string | undefined> {
    const guide = l10n.t('Open Guide');
    const choose = l10n.t('Choose Python');
    const answer = await window.showWarningMessage(whyMissing(search), guide, choose, ...more);
    if (answer === choose) await this.#choose();
    if (answer === guide) await this.#openGuide();
    return answer;
  }

  async #choose(): Promise<void> {
    if (hasPythonExtension() && workspace.isTrusted) {
      await commands.executeCommand('python.setInterpreter');
      await this.#server.restart();
      return;
    }
    const [python] = (await window.showOpenDialog({ title: l10n.t('Python in which rad-lsp is installed') })) ?? [];
    // That the setting has changed starts the server.
    if (python) {
      await workspace.getConfiguration('radLsp').update('interpreter', python.fsPath, ConfigurationTarget.Global);
    }
  }

  async #stopped({ cameUp, lastWords }: State & { kind: 'stopped' }): Promise<void> {
    const log = l10n.t('Show Log');
    const restart = l10n.t('Restart Server');
    const what = cameUp
      ? l10n.t('The server ended five times in three minutes and is not started again.')
      : l10n.t('The server does not start.');
    const message = lastWords ? `${what} ${l10n.t('It said: {0}', lastWords)}` : what;
    const answer = await window.showErrorMessage(message, log, restart);
    if (answer === log) await commands.executeCommand('radLsp.showLog');
    if (answer === restart) await this.#server.restart();
  }

  async #tooOld(version: string): Promise<void> {
    if (!(await this.#once.isNew('old', version))) return;
    const guide = l10n.t('Open Guide');
    const notAgain = l10n.t('Not Again');
    const message = l10n.t(
      'The rad-lsp server {0} is too old for this extension; some commands will fail. Update it.',
      version,
    );
    const answer = await window.showWarningMessage(message, guide, notAgain);
    if (answer === guide) await this.#openGuide();
    if (answer === notAgain) await this.#once.never('old');
  }

  async #openGuide(): Promise<void> {
    const id = `${this.#context.extension.id}#start`;
    await commands.executeCommand('workbench.action.openWalkthrough', id, false);
  }
}

function whyMissing({ candidates }: Search): string {
  const [found] = candidates.filter((candidate) => candidate.fault && candidate.program);
  const { program, fault, refusal = '' }: Partial<Candidate> = found ?? {};
  if (program && fault === 'old') {
    return l10n.t(
      'The rad-lsp server at {0} is too old: this extension needs {1} or newer. The guide tells how to update it.',
      program.command,
      OLDEST.join('.'),
    );
  }
  if (program) {
    return l10n.t(
      'The rad-lsp server at {0} cannot be started: {1}. Install it anew, as the guide tells; or choose a Python that has it.',
      program.command,
      refusal,
    );
  }
  return l10n.t(
    'The rad-lsp server, which the figures come from, was not found. The guide tells how to install it; or choose a Python that has it.',
  );
}

/** What of a search is the same in all folders. */
function aboutMachine({ candidates }: Search): string {
  const setting = (key: string): unknown => workspace.getConfiguration('radLsp').inspect(key)?.globalValue;
  const programs = candidates
    .filter(({ origin }) => origin === 'PATH' || origin === '~/.local/bin')
    .map(({ program, refusal }) => [program?.command, refusal]);
  return JSON.stringify([setting('server.path'), setting('interpreter'), programs]);
}
