import { window, workspace } from 'vscode';
import { currentFolder } from '../folders';
import type { SessionSummary } from '../contract';
import type { Server } from '../server/server';
import { byDay, SessionList } from './list';
import type { Node } from './node';
import { dayNode, moreNode, sessionNode, type Place } from './rows';
import { View } from './view';

/** The sessions of the folder that counts, by day, newest first. */
export class SessionsView extends View {
  #shown: { readonly place: Place; readonly list: SessionList } | undefined;

  constructor(server: Server) {
    super(server, 'radLsp.sessions');
    this.own(
      window.onDidChangeActiveTextEditor(() => {
        if (currentFolder()?.uri.toString() !== this.#shown?.place.workspaceUri) this.refresh();
      }),
    );
  }

  protected override concerns(workspaceUri: string): boolean {
    return !this.#shown || workspaceUri === this.#shown.place.workspaceUri;
  }

  protected override hint(newest: SessionSummary): void {
    if (!this.#shown) return;
    const { place, list } = this.#shown;
    list.put(newest);
    this.#showIfNew(place, list);
  }

  protected override async load(): Promise<readonly Node[] | undefined> {
    const folder = currentFolder();
    if (!folder) return [];
    const workspaceUri = folder.uri.toString();
    if (this.#shown?.place.workspaceUri !== workspaceUri) {
      this.#shown = {
        place: { id: 'sessions', workspaceUri, allProjects: false, isByDay: true },
        list: new SessionList((page) => this.server.request('stats/history', { workspaceUri, ...page })),
      };
    }
    // Which folder it is only matters where there are several.
    this.tree.description = (workspace.workspaceFolders?.length ?? 0) > 1 ? folder.name : '';
    const { place, list } = this.#shown;
    await list.refresh();
    void this.#title(place, list);
    return this.isNew([place, list.rows, list.total]) ? this.#nodes(place, list) : undefined;
  }

  #showIfNew(place: Place, list: SessionList): void {
    if (this.isNew([place, list.rows, list.total])) this.show(this.#nodes(place, list));
  }

  /** Shows titles once they have been read. */
  async #title(place: Place, list: SessionList): Promise<void> {
    const found = await list.titles().catch(() => false);
    if (found && list === this.#shown?.list) this.#showIfNew(place, list);
  }

  #nodes(place: Place, list: SessionList): Node[] {
    const days = byDay(list.rows).map(({ day, label, rows }) => {
      const nodes = rows.map((row) => sessionNode(row, place));
      return dayNode(`${place.id}:${day}`, label, nodes);
    });
    return [...days, ...moreNode(list, place, () => void this.#more(place, list))];
  }

  async #more(place: Place, list: SessionList): Promise<void> {
    const shown = list.rows.length;
    await this.attempt(() => list.more());
    this.isNew([place, list.rows, list.total]);
    const nodes = this.#nodes(place, list);
    this.show(nodes);
    // The focus goes on from where it was: to the first of those that have come.
    await this.focus(() => nodes.flatMap(({ children = [] }) => children)[shown]);
    void this.#title(place, list);
  }
}
