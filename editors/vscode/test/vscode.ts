/** Stands in for VS Code in unit tests: as much of it as the tested modules touch. */

export class Disposable {
  constructor(private readonly action: () => void) {}
  dispose(): void {
    this.action();
  }
}

export class EventEmitter<T> {
  readonly #listeners = new Set<(value: T) => unknown>();
  readonly event = (listener: (value: T) => unknown): Disposable => {
    this.#listeners.add(listener);
    return new Disposable(() => this.#listeners.delete(listener));
  };
  fire(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

export class Uri {
  private constructor(
    readonly scheme: string,
    readonly path: string,
    readonly query: string,
  ) {}
  static parse(text: string): Uri {
    const { protocol, pathname, search } = new URL(text);
    return new Uri(protocol.slice(0, -1), decodeURIComponent(pathname), decodeURIComponent(search.slice(1)));
  }
  static file(path: string): Uri {
    return new Uri('file', path, '');
  }
  static from({ scheme, path = '', query = '' }: { scheme: string; path?: string; query?: string }): Uri {
    return new Uri(scheme, path, query);
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri(base.scheme, [base.path, ...parts].join('/'), base.query);
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    const path = this.path.split('/').map(encodeURIComponent).join('/');
    return `${this.scheme}:${this.scheme === 'file' ? '//' : ''}${path}${this.query ? `?${encodeURIComponent(this.query)}` : ''}`;
  }
}

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export class ThemeColor extends ThemeIcon {}

export class MarkdownString {
  isTrusted: unknown;
  constructor(readonly value: string) {}
}

export class RelativePattern {
  constructor(
    readonly base: unknown,
    readonly pattern: string,
  ) {}
}

export const ViewColumn = { Active: -1 };
export class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState: number,
  ) {}
}

export const StatusBarAlignment = { Left: 1, Right: 2 };
export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const ProgressLocation = { Notification: 15 };
export const ConfigurationTarget = { Global: 1 };
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export const version = '1.91.0';

export const l10n = {
  t: (message: string, ...values: string[]): string =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => values[Number(index)] ?? ''),
};

const nothing = (): Disposable => new Disposable(() => undefined);
const changedConfiguration = new EventEmitter<{ affectsConfiguration: (key: string) => boolean }>();

/** What tests look at and set. */
export const stage = {
  settings: {} as Record<string, unknown>,
  items: [] as Record<string, unknown>[],
  trees: [] as { visible: boolean; show: (visible: boolean) => void }[],
  registered: new Map<string, (...values: unknown[]) => unknown>(),
  executed: [] as unknown[][],
  messages: [] as string[],
  log: [] as string[],
  panels: [] as Panel[],
  serializers: new Map<string, { deserializeWebviewPanel: (panel: Panel, state: unknown) => Promise<void> }>(),
  change(key: string, value: unknown): void {
    stage.settings[key] = value;
    changedConfiguration.fire({ affectsConfiguration: (asked) => key.startsWith(asked) });
  },
  reset(): void {
    stage.settings = {};
    stage.items = [];
    stage.trees = [];
    stage.registered.clear();
    stage.executed = [];
    stage.messages = [];
    stage.log = [];
    stage.panels = [];
    stage.serializers.clear();
    workspace.workspaceFolders = undefined;
    window.activeTextEditor = undefined;
    workspace.isTrusted = true;
  },
};

/** A tab with a page in it. What is sent to the page is kept; `says` is what the page sends. */
export class Panel {
  visible = true;
  disposed = false;
  revealed = 0;
  readonly sent: { html: string; state: unknown }[] = [];
  readonly #said = new EventEmitter<unknown>();
  readonly #seen = new EventEmitter<void>();
  readonly #closed = new EventEmitter<void>();
  readonly onDidChangeViewState = this.#seen.event;
  readonly onDidDispose = this.#closed.event;
  readonly webview = {
    html: '',
    onDidReceiveMessage: this.#said.event,
    postMessage: async (message: { html: string; state: unknown }) => void this.sent.push(message),
  };

  constructor(
    readonly viewType = '',
    public title = '',
    readonly options: unknown = {},
  ) {
    stage.panels.push(this);
  }

  says(message: unknown): void {
    this.#said.fire(message);
  }
  show(visible: boolean): void {
    this.visible = visible;
    this.#seen.fire();
  }
  reveal(): void {
    this.revealed += 1;
  }
  dispose(): void {
    this.disposed = true;
    this.#closed.fire();
  }
}

const write = (line: string): number => stage.log.push(line);

export const window = {
  activeTextEditor: undefined as { document: { uri: Uri } } | undefined,
  createOutputChannel: () => ({ info: write, warn: write, error: write, show: nothing, dispose: nothing }),
  createStatusBarItem: (id: string) => {
    const item: Record<string, unknown> = { id, visible: false, dispose: nothing };
    item['show'] = () => (item['visible'] = true);
    item['hide'] = () => (item['visible'] = false);
    stage.items.push(item);
    return item;
  },
  createTreeView: () => {
    const changed = new EventEmitter<{ visible: boolean }>();
    const tree = {
      visible: false,
      show: (visible: boolean): void => {
        tree.visible = visible;
        changed.fire({ visible });
      },
      onDidChangeVisibility: changed.event,
      dispose: nothing,
    };
    stage.trees.push(tree);
    return tree;
  },
  onDidChangeActiveTextEditor: nothing,
  showInformationMessage: async (message: string) => void stage.messages.push(message),
  showWarningMessage: async (message: string) => void stage.messages.push(message),
  showErrorMessage: async (message: string) => void stage.messages.push(message),
  createWebviewPanel: (type: string, title: string, _column: number, options: unknown) =>
    new Panel(type, title, options),
  registerWebviewPanelSerializer: (type: string, serializer: unknown) => {
    stage.serializers.set(type, serializer as never);
    return nothing();
  },
};

export const workspace = {
  workspaceFolders: undefined as { uri: Uri; name: string }[] | undefined,
  isTrusted: true,
  getConfiguration: (section: string) => ({
    get: (key: string, fallback?: unknown) => stage.settings[`${section}.${key}`] ?? fallback,
  }),
  getWorkspaceFolder: (uri: Uri) =>
    workspace.workspaceFolders?.find((folder) => uri.path.startsWith(`${folder.uri.path}/`)),
  onDidChangeConfiguration: changedConfiguration.event,
  onDidChangeWorkspaceFolders: nothing,
  onDidGrantWorkspaceTrust: nothing,
  createFileSystemWatcher: () => ({ onDidCreate: nothing, dispose: nothing }),
};

export const commands = {
  registerCommand: (name: string, run: (...values: unknown[]) => unknown) => {
    stage.registered.set(name, run);
    return new Disposable(() => stage.registered.delete(name));
  },
  executeCommand: async (...values: unknown[]) => void stage.executed.push(values),
};

export const extensions = { getExtension: (): undefined => undefined };
export const env = { remoteName: undefined, clipboard: { writeText: async () => undefined } };
