import { randomBytes } from 'node:crypto';
import { l10n, ViewColumn, window, type Disposable, type WebviewPanel, type WebviewPanelSerializer } from 'vscode';
import { normal } from '../folders';
import type { Server } from '../server/server';
import { Latest } from './latest';
import { html, text } from './markdown';
import { ask, keyOf, kept, type Action, type Answer, type Page } from './page';
import style from './page.css' with { type: 'text' };
import script from './page.script.js' with { type: 'text' };

const TYPE = 'radLsp.page';

/** The commands that a page may run: those of its links. */
const LINKED = [
  'radLsp.openSession',
  'radLsp.openComparison',
  'radLsp.comparePrevious',
  'radLsp.exportSession',
  'radLsp.modelUsage',
  'radLsp.showBudget',
  'radLsp.showCost',
  'radLsp.showHistory',
  'radLsp.showLimits',
  'radLsp.showReport',
  'radLsp.showToday',
  'radLsp.showTools',
];

/** The server's answers as pages, each in a tab of its own, that follow the sessions. */
export class Pages implements WebviewPanelSerializer, Disposable {
  readonly #server: Server;
  readonly #open = new Map<string, Tab>();
  readonly #disposables: Disposable[];

  constructor(server: Server) {
    this.#server = server;
    this.#disposables = [
      window.registerWebviewPanelSerializer(TYPE, this),
      server.onDidReceiveStatus(({ workspaceUri }) => this.#refresh(normal(workspaceUri))),
    ];
  }

  /** Shows a page; an answer that is an error is the caller's to show, and opens nothing. */
  async show(page: Page): Promise<void> {
    const key = keyOf(page);
    const open = this.#open.get(key);
    if (open) {
      open.panel.reveal();
      open.refresh();
      return;
    }
    const answer = await this.#ask(page);
    // It may have been asked for twice.
    if (this.#open.has(key)) return this.#open.get(key)?.panel.reveal();
    const options = { enableScripts: true, enableCommandUris: LINKED, localResourceRoots: [] };
    const panel = window.createWebviewPanel(TYPE, answer.title, ViewColumn.Active, {
      ...options,
      enableFindWidget: true,
    });
    this.#add(page, panel, answer);
  }

  /** A page that was open before the window was loaded again. */
  async deserializeWebviewPanel(panel: WebviewPanel, state: unknown): Promise<void> {
    const page = kept(state);
    if (!page || this.#open.has(keyOf(page))) {
      panel.dispose();
      return;
    }
    this.#add(page, panel).refresh();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    for (const tab of [...this.#open.values()]) tab.panel.dispose();
  }

  #add(page: Page, panel: WebviewPanel, answer?: Answer): Tab {
    const tab = new Tab(page, panel, () => this.#ask(page), answer);
    this.#open.set(keyOf(page), tab);
    panel.onDidDispose(() => this.#open.delete(keyOf(page)));
    return tab;
  }

  #ask(page: Page): Promise<Answer> {
    return ask((method, params) => this.#server.request(method, params), page);
  }

  #refresh(workspaceUri: string): void {
    for (const tab of this.#open.values()) {
      if (tab.page.allProjects || normal(tab.page.workspaceUri) === workspaceUri) tab.refresh();
    }
  }
}

/** A page in its tab. */
class Tab {
  readonly page: Page;
  readonly panel: WebviewPanel;
  readonly #latest: Latest;
  #answer: Answer | undefined;
  #failure: string | undefined;
  #isReady = false;

  constructor(page: Page, panel: WebviewPanel, asking: () => Promise<Answer>, answer?: Answer) {
    this.page = page;
    this.panel = panel;
    this.#answer = answer;
    this.#latest = new Latest(
      () => panel.visible,
      async () => {
        try {
          this.#answer = await asking();
          this.#failure = undefined;
        } catch (error) {
          // Figures that were right stay, beside what keeps them from being new.
          this.#failure = error instanceof Error ? error.message : String(error);
        }
        this.#show();
      },
    );
    panel.onDidChangeViewState(() => {
      // A tab that is hidden forgets what it shows, and says so when it is back.
      if (!panel.visible) this.#isReady = false;
      this.#latest.resume();
    });
    panel.webview.onDidReceiveMessage(({ type }: { type?: unknown }) => {
      this.#isReady = true;
      if (type === 'retry') this.refresh();
      else this.#show();
    });
    panel.webview.html = document();
  }

  refresh(): void {
    this.#latest.ask();
  }

  #show(): void {
    if (this.#answer) this.panel.title = this.#answer.title;
    if (!this.#isReady || !(this.#answer ?? this.#failure)) return;
    const said = body(this.#answer, this.#failure);
    void this.panel.webview.postMessage({ state: { page: this.page }, html: said });
  }
}

/** The page without its content, which comes as a message: nothing but our own script runs in it. */
function document(): string {
  const nonce = randomBytes(16).toString('base64');
  const allowed = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${allowed}">
<style nonce="${nonce}">${style}</style>
</head>
<body>
<div id="page"></div>
<script nonce="${nonce}">${script}</script>
</body>
</html>`;
}

function body(answer: Answer | undefined, failure: string | undefined): string {
  const parts: string[] = [];
  if (answer) {
    parts.push(`<h1>${text(answer.title)}</h1>`, `<nav>${answer.actions.map(link).join('')}</nav>`);
  }
  if (failure !== undefined) {
    const retry = `<button id="retry">${text(l10n.t('Retry'))}</button>`;
    parts.push(`<div class="failure" role="alert"><p>${text(failure)}</p>${retry}</div>`);
  }
  if (answer) parts.push(`<main>${html(answer.markdown, { untitled: true })}</main>`);
  return parts.join('\n');
}

function link({ title, command, target }: Action): string {
  const address = `command:${command}?${encodeURIComponent(JSON.stringify([target]))}`;
  return `<a id="${text(`${command} ${title}`)}" href="${text(address)}">${text(title)}</a>`;
}
