import { commands, ConfigurationTarget, l10n, window, workspace, type Disposable, type ExtensionContext } from 'vscode';
import type { Search } from './server/find';
import { hasPythonExtension } from './server/python';
import type { Server } from './server/server';
import { OLDEST } from './server/version';

const SAID = 'radLsp.saidThatServerIsMissing';

/** Helps to get a server that can be used, and says when there is none or it ended. */
export class Help implements Disposable {
  readonly #server: Server;
  readonly #context: ExtensionContext;
  readonly #disposables: readonly Disposable[];

  constructor(server: Server, context: ExtensionContext) {
    this.#server = server;
    this.#context = context;
    this.#disposables = [
      commands.registerCommand('radLsp.serverHelp', () => this.#help()),
      server.onDidChangeState((state) => {
        void commands.executeCommand('setContext', 'radLsp.running', state.kind === 'running');
        if (state.kind === 'missing') void this.#missingOnce(state.search);
        if (state.kind === 'stopped') void this.#stopped();
      }),
      server.onDidFindOldServer((version) => void this.#tooOld(version)),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #help(): Promise<void> {
    const { state } = this.#server;
    if (state.kind === 'missing') await this.#missing(state.search);
    else if (state.kind === 'running') void window.showInformationMessage(l10n.t('The server is running.'));
    else await this.#server.restart();
  }

  /** On its own once in a workspace; when the user asks, always. */
  async #missingOnce(search: Search): Promise<void> {
    const { workspaceState } = this.#context;
    if (workspaceState.get(SAID)) return;
    await workspaceState.update(SAID, true);
    await this.#missing(search);
  }

  async #missing({ candidates }: Search): Promise<void> {
    const old = candidates.find((candidate) => candidate.old);
    const message = old?.program
      ? l10n.t(
          'rad-lsp at {0} is too old: this extension needs {1} or newer. The guide tells how to update it.',
          old.program.command,
          OLDEST.join('.'),
        )
      : l10n.t(
          'rad-lsp, which the figures come from, was not found. The guide tells how to install it; or choose a Python that has it.',
        );
    const choose = l10n.t('Choose Python');
    const guide = l10n.t('Open Guide');
    const answer = await window.showWarningMessage(message, guide, choose);
    if (answer === choose) await this.#choose();
    if (answer === guide) {
      const id = `${this.#context.extension.id}#start`;
      await commands.executeCommand('workbench.action.openWalkthrough', id, false);
    }
  }

  async #choose(): Promise<void> {
    if (hasPythonExtension() && workspace.isTrusted) {
      await commands.executeCommand('python.setInterpreter');
      await this.#server.restart();
      return;
    }
    const [python] = (await window.showOpenDialog({ title: l10n.t('Python in which rad-lsp is installed') })) ?? [];
    // That the setting has changed starts the server.
    if (python)
      await workspace.getConfiguration('radLsp').update('interpreter', python.fsPath, ConfigurationTarget.Global);
  }

  async #stopped(): Promise<void> {
    const log = l10n.t('Show Log');
    const restart = l10n.t('Restart Server');
    const message = l10n.t('The server ended five times in three minutes and is not started again.');
    const answer = await window.showErrorMessage(message, log, restart);
    if (answer === log) await commands.executeCommand('radLsp.showLog');
    if (answer === restart) await this.#server.restart();
  }

  async #tooOld(version: string): Promise<void> {
    const guide = l10n.t('Open Guide');
    const message = l10n.t('rad-lsp {0} is too old for this extension; some commands will fail. Update it.', version);
    const answer = await window.showWarningMessage(message, guide);
    if (answer === guide) {
      await commands.executeCommand('workbench.action.openWalkthrough', `${this.#context.extension.id}#start`, false);
    }
  }
}
