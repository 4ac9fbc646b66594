import { commands, env, l10n, Uri, window, type Disposable } from 'vscode';
import type { Server } from '../server/server';
import type { Node, Target } from './node';
import { ProjectsView } from './projects';
import { SessionsView } from './sessions';
import { TodayView } from './today';

/** The side bar: its views, and what can be done with their items. */
export class SideBar implements Disposable {
  readonly #disposables: Disposable[];

  constructor(server: Server) {
    const views = [new TodayView(server), new SessionsView(server), new ProjectsView(server)];
    const tell = (): void => void commands.executeCommand('setContext', 'radLsp.state', server.state.kind);
    tell();
    const all: Record<string, (target: Target, chosen: readonly Target[]) => unknown> = {
      open: (target) => run('radLsp.openSession', target),
      comparePrevious: (target) => run('radLsp.comparePrevious', target),
      compareWith: (target, chosen) => {
        const [a, b] = chosen.map(({ sessionId }) => sessionId);
        const both = chosen.length === 2 ? { sessionA: a, sessionB: b } : { sessionB: target.sessionId };
        return run('radLsp.openComparison', { ...target, ...both });
      },
      showCost: (target) => run('radLsp.showCost', target),
      export: (target) => run('radLsp.exportSession', target),
      showReport: (target) => run('radLsp.showReport', target),
      openFile: ({ uri = '' }) => run('vscode.open', Uri.parse(uri)),
      copyId: ({ sessionId = '' }) => env.clipboard.writeText(sessionId),
      copyResume: async ({ resume }) => {
        if (!resume) return;
        await env.clipboard.writeText(resume);
        window.setStatusBarMessage(l10n.t('Copied: {0}', resume), 5_000);
      },
    };
    this.#disposables = [
      ...views,
      server.onDidChangeState(tell),
      ...Object.entries(all).map(([name, act]) =>
        commands.registerCommand(`radLsp.views.${name}`, (node?: Node, chosen?: readonly Node[]) => {
          const targets = (chosen ?? []).flatMap(({ target }) => target ?? []);
          return node?.target && act(node.target, targets);
        }),
      ),
      commands.registerCommand('radLsp.views.refresh', () => {
        for (const view of views) view.refresh();
      }),
      // What these do comes with the items that name them.
      ...['more', 'retry'].map((name) =>
        commands.registerCommand(`radLsp.views.${name}`, (act?: () => void) => act?.()),
      ),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }
}

function run(command: string, argument: unknown): Thenable<unknown> {
  return commands.executeCommand(command, argument);
}
