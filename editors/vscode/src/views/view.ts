import {
  EventEmitter,
  window,
  workspace,
  type Disposable,
  type TreeDataProvider,
  type TreeItem,
  type TreeView,
} from 'vscode';
import type { SessionSummary } from '../contract';
import { normal } from '../folders';
import { NotRunning, type Server } from '../server/server';
import { fault, type Node } from './node';

/** The clock alone changes figures, too: those of today, and limits of plans. */
const MINUTE = 60_000;

/** A tree of the side bar: asks while it is visible, one question at a time, and shows what goes wrong. */
export abstract class View implements TreeDataProvider<Node>, Disposable {
  protected readonly server: Server;
  protected readonly tree: TreeView<Node>;
  readonly #id: string;
  readonly #changed = new EventEmitter<Node[] | undefined>();
  readonly #disposables: Disposable[];
  readonly #parents = new WeakMap<Node, Node>();
  #stale = true;
  #work: Promise<void> | undefined;
  #roots: readonly Node[] = [];
  #fault: string | undefined;
  #drawnFault: string | undefined;
  #said = '';
  #isLoaded = false;
  #told: () => void = () => undefined;
  readonly #first = new Promise<void>((resolve) => (this.#told = resolve));

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(server: Server, id: string) {
    this.server = server;
    this.#id = id;
    this.tree = window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true, canSelectMany: true });
    const timer = setInterval(() => this.refresh(), MINUTE);
    this.#disposables = [
      this.tree,
      this.#changed,
      { dispose: () => clearInterval(timer) },
      server.onDidReceiveStatus((status) => {
        if (!this.concerns(normal(status.workspaceUri))) return;
        if (this.tree.visible && status.session) this.hint?.(status.session);
        this.refresh();
      }),
      server.onDidChangeState(() => this.refresh()),
      workspace.onDidChangeWorkspaceFolders(() => this.refresh()),
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#stale) void this.#update();
      }),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Brings the view up to date: now while it is visible, else once it is. */
  refresh(): void {
    this.#stale = true;
    if (this.tree.visible) void this.#update();
  }

  getTreeItem({ item }: Node): TreeItem {
    return item;
  }

  getParent(node: Node): Node | undefined {
    return this.#parents.get(node);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (!node) {
      // The first time there is nothing to show before the answer.
      if (!this.#isLoaded) {
        void this.#update();
        await this.#first;
      }
      const faults = this.#fault === undefined ? [] : fault(this.#fault, this.#id, () => this.refresh());
      return [...faults, ...this.#roots];
    }
    const children = node.children ?? (await this.#expanded(node));
    for (const child of children) this.#parents.set(child, node);
    return [...children];
  }

  /** Whether the figures of a folder are among those that the view shows. */
  protected concerns(workspaceUri: string): boolean {
    return workspaceUri !== '';
  }

  protected own(disposable: Disposable): void {
    this.#disposables.push(disposable);
  }

  /** Asks the server; what it returns is shown. Undefined is what is shown already. */
  protected abstract load(): Promise<readonly Node[] | undefined>;

  /** A status has told the newest session, of which the answers will tell as well. */
  protected hint?(newest: SessionSummary): void;

  /** Whether an answer differs from the one before; nothing is drawn again without need. */
  protected isNew(answer: unknown): boolean {
    const said = JSON.stringify(answer);
    if (said === this.#said) return false;
    this.#said = said;
    return true;
  }

  /** Shows other nodes, without asking. */
  protected show(roots: readonly Node[]): void {
    if (this.#isLoaded && this.#drawnFault === this.#fault && sameIds(roots, this.#roots)) {
      // To draw only what has changed takes half of the time.
      const drawn = this.#roots.filter((node, index) => replaced(node, roots[index]));
      this.#adopt(drawn);
      if (drawn.length) this.#changed.fire(drawn);
      return;
    }
    this.#roots = roots;
    this.#adopt(roots);
    this.#drawnFault = this.#fault;
    if (this.#isLoaded) this.#changed.fire(undefined);
    this.#isLoaded = true;
    this.#told();
  }

  #adopt(nodes: readonly Node[]): void {
    for (const node of nodes) for (const child of node.children ?? []) this.#parents.set(child, node);
  }

  /** Asks again for what is below the expanded nodes. */
  protected redraw(): void {
    this.#changed.fire(undefined);
  }

  /** Does what the user asked for; what goes wrong is shown in the view. */
  protected async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fault = sentence(error);
    }
  }

  /** Moves the focus to a node that has just been shown. */
  protected async focus(node: () => Node | undefined): Promise<void> {
    const found = node();
    if (found) await this.tree.reveal(found, { select: true, focus: true });
  }

  async #expanded(node: Node): Promise<readonly Node[]> {
    try {
      return (await node.expand?.()) ?? [];
    } catch (error) {
      return fault(sentence(error), node.item.id ?? '', () => this.refresh());
    }
  }

  #update(): Promise<void> {
    this.#work ??= this.#updateWhileStale().finally(() => (this.#work = undefined));
    return this.#work;
  }

  async #updateWhileStale(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      try {
        const roots = workspace.workspaceFolders?.length ? await this.load() : [];
        const hadFault = this.#fault !== undefined;
        this.#fault = undefined;
        if (roots !== undefined || hadFault) this.show(roots ?? this.#roots);
      } catch (error) {
        // That no server runs is said by the welcome of the empty view.
        const isGone = error instanceof NotRunning;
        this.#fault = isGone ? undefined : sentence(error);
        if (isGone) this.#said = '';
        this.show(isGone ? [] : this.#roots);
      }
      if (!this.tree.visible) return;
    }
  }
}

function sameIds(some: readonly Node[], others: readonly Node[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ item }, index) => item.id !== undefined && item.id === others[index]?.item.id)
  );
}

/** Puts another node's content into a node that is shown, where it differs. */
function replaced(node: Node, other: Node | undefined): boolean {
  const looks = (one: Node): string => JSON.stringify([one.item, one.children?.map(({ item }) => item)]);
  if (!other || (!other.expand && looks(node) === looks(other))) return false;
  Object.assign(node, other);
  return true;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
