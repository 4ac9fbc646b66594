import {
  commands,
  EventEmitter,
  l10n,
  Uri,
  window,
  workspace,
  type Disposable,
  type TextDocumentContentProvider,
} from 'vscode';
import { escape, shortId } from './display';
import { normal } from './folders';
import type { Server } from './server/server';

export const SCHEME = 'radium-sessions';

/** A question to the server, whose answer is a page. */
export type Page =
  | { readonly kind: 'session'; readonly workspaceUri: string; readonly sessionId?: string }
  | {
      readonly kind: 'comparison';
      readonly workspaceUri: string;
      readonly sessionA?: string;
      readonly sessionB: string;
    }
  | { readonly kind: 'models'; readonly workspaceUri: string; readonly sessionId?: string };

/** The page's address: its title as path, so that the tab shows it, and the question as query. */
export function addressOf(page: Page): Uri {
  return Uri.from({ scheme: SCHEME, path: `/${title(page)}.md`, query: JSON.stringify(page) });
}

export function pageOf(address: Uri): Page {
  return JSON.parse(address.query) as Page;
}

export function title(page: Page): string {
  switch (page.kind) {
    case 'session':
      return page.sessionId === undefined ? l10n.t('Latest session') : l10n.t('Session {0}', name(page.sessionId));
    case 'comparison':
      return page.sessionA === undefined
        ? l10n.t('{0} against the one before', name(page.sessionB))
        : l10n.t('{0} against {1}', name(page.sessionB), name(page.sessionA));
    case 'models':
      return page.sessionId === undefined ? l10n.t('Model usage') : l10n.t('Model usage of {0}', name(page.sessionId));
  }
}

/** An id in a path: what separates folders must not be in it. */
function name(id: string): string {
  return shortId(id).replace(/[\\/?#%]/g, '_');
}

/** Read-only Markdown documents with the server's answers, shown rendered, that follow changes. */
export class Pages implements TextDocumentContentProvider, Disposable {
  readonly #server: Server;
  readonly #changed = new EventEmitter<Uri>();
  readonly #open = new Map<string, Uri>();
  readonly #last = new Map<string, string>();
  readonly #disposables: Disposable[];

  readonly onDidChange = this.#changed.event;

  constructor(server: Server) {
    this.#server = server;
    this.#disposables = [
      this.#changed,
      workspace.registerTextDocumentContentProvider(SCHEME, this),
      server.onDidReceiveStatus(({ workspaceUri }) => void this.#refresh(normal(workspaceUri))),
      window.tabGroups.onDidChangeTabs(({ closed }) => {
        if (closed.length) this.#forget();
      }),
    ];
  }

  /** Shows a page; an answer that is an error is the caller's to show, and opens nothing. */
  async show(page: Page): Promise<void> {
    const address = addressOf(page);
    this.#last.set(address.toString(), await this.#ask(page));
    this.#open.set(address.toString(), address);
    this.#changed.fire(address);
    await commands.executeCommand('markdown.showPreview', address);
  }

  async provideTextDocumentContent(address: Uri): Promise<string> {
    const key = address.toString();
    try {
      const text = await this.#ask(pageOf(address));
      this.#last.set(key, text);
      return text;
    } catch (error) {
      // Figures that were right stay until there are new ones.
      return this.#last.get(key) ?? `> ${escape(error instanceof Error ? error.message : String(error))}\n`;
    }
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #ask(page: Page): Promise<string> {
    const { workspaceUri } = page;
    switch (page.kind) {
      case 'session': {
        const sessionId = page.sessionId ?? null;
        return (await this.#server.request('stats/session', { workspaceUri, sessionId })).markdown;
      }
      case 'comparison': {
        const { sessionA = null, sessionB } = page;
        return (await this.#server.request('stats/compare', { workspaceUri, sessionA, sessionB })).markdown;
      }
      case 'models': {
        const sessionId = page.sessionId ?? null;
        return (await this.#server.request('stats/model', { workspaceUri, sessionId })).markdown;
      }
    }
  }

  async #refresh(workspaceUri: string): Promise<void> {
    const open = new Set(workspace.textDocuments.map(({ uri }) => uri.toString()));
    let closed = false;
    for (const [key, address] of this.#open) {
      if (normal(pageOf(address).workspaceUri) !== workspaceUri) continue;
      if (open.has(key)) this.#changed.fire(address);
      else closed = true;
    }
    // VS Code closes documents that only a preview shows after some minutes. A preview does not
    // take one that is opened anew for changed, unless it is told to render.
    if (closed) await commands.executeCommand('markdown.preview.refresh');
  }

  /** Pages whose preview was closed are not asked for again. Tabs of previews tell only a label. */
  #forget(): void {
    const labels = window.tabGroups.all.flatMap((group) => group.tabs.map((tab) => tab.label));
    for (const [key, address] of this.#open) {
      const file = address.path.slice(1);
      if (labels.some((label) => label.includes(file))) continue;
      this.#open.delete(key);
      this.#last.delete(key);
    }
  }
}
