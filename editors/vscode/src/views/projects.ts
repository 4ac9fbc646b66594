import { l10n, TreeItemCollapsibleState } from 'vscode';
import type { TrendPart, TrendResult } from '../contract';
import { currentFolder } from '../folders';
import type { Server } from '../server/server';
import { SessionList, shortNames } from './list';
import { item, type Node } from './node';
import { moreNode, sessionNode, type Place } from './rows';
import { sessionCount } from './today';
import { View } from './view';

/** Months back in which a project that is listed was worked on. */
const MONTHS = 12;

/** The sessions of a project that was expanded, as of an answer. */
interface Branch {
  readonly list: SessionList;
  answer: number;
  nodes: readonly Node[];
}

/** All projects, those that cost most this month first, with their sessions below them. */
export class ProjectsView extends View {
  readonly #branches = new Map<string, Branch>();
  /** Which answer is shown: sessions of an earlier one are asked for again. */
  #answer = 0;
  #month: TrendResult | undefined;
  #year: TrendResult | undefined;

  constructor(server: Server) {
    super(server, 'radLsp.projects');
  }

  protected override async load(): Promise<readonly Node[]> {
    const workspaceUri = currentFolder()?.uri.toString();
    if (workspaceUri === undefined) return [];
    this.#month = await this.#trend(workspaceUri, 1);
    this.#answer += 1;
    void this.#askOlder(workspaceUri);
    return this.#nodes(workspaceUri);
  }

  /** Gets the projects of earlier months, once: to sum up a year takes long. */
  async #askOlder(workspaceUri: string): Promise<void> {
    if (this.#year) return;
    this.#year = await this.#trend(workspaceUri, MONTHS).catch(() => undefined);
    if (this.#year) this.show(this.#nodes(workspaceUri));
  }

  #trend(workspaceUri: string, count: number): Promise<TrendResult> {
    const question = { workspaceUri, allProjects: true, unit: 'month', split: 'project', count } as const;
    return this.server.request('stats/trend', question);
  }

  #nodes(workspaceUri: string): Node[] {
    const projects = thisMonth(this.#month, this.#year);
    const names = shortNames([...projects.keys()]);
    return [...projects].map(([project, part]) =>
      this.#node(project, names.get(project) || l10n.t('No known project'), part, workspaceUri),
    );
  }

  #node(project: string, name: string, part: TrendPart | undefined, workspaceUri: string): Node {
    const counted = part ? sessionCount(part.sessions) : l10n.t('nothing this month');
    const cost = part?.costText ?? '';
    const made = item(
      name,
      {
        id: `project:${project}`,
        icon: project ? 'root-folder' : 'circle-slash',
        description: [cost, counted].filter(Boolean).join(' · '),
        tooltip: [project || name, part && l10n.t('This month: {0} in {1}', cost, counted)].filter(Boolean).join('\n'),
        spoken: [name, l10n.t('this month'), cost && l10n.t('cost {0}', cost), counted].filter(Boolean).join(', '),
        context: 'project',
      },
      TreeItemCollapsibleState.Collapsed,
    );
    const place: Place = { id: `project:${project}`, workspaceUri, allProjects: true, isByDay: false };
    return {
      item: made,
      target: { workspaceUri, allProjects: true, project },
      expand: () => this.#sessions(project, place),
    };
  }

  async #sessions(project: string, place: Place): Promise<readonly Node[]> {
    const { workspaceUri } = place;
    const branch: Branch = this.#branches.get(project) ?? {
      list: new SessionList((page) =>
        this.server.request('stats/history', { workspaceUri, allProjects: true, project, ...page }),
      ),
      answer: 0,
      nodes: [],
    };
    this.#branches.set(project, branch);
    const { list } = branch;
    if (branch.answer !== this.#answer) {
      const answer = this.#answer;
      await list.refresh();
      branch.answer = answer;
      void this.#title(list);
    }
    branch.nodes = list.rows.map((row) => sessionNode(row, place));
    return [...branch.nodes, ...moreNode(list, place, () => void this.#more(branch))];
  }

  async #title(list: SessionList): Promise<void> {
    if (await list.titles().catch(() => false)) this.redraw();
  }

  async #more(branch: Branch): Promise<void> {
    const { list } = branch;
    const shown = list.rows.length;
    await this.attempt(() => list.more());
    this.redraw();
    await this.focus(() => branch.nodes[shown]);
    void this.#title(list);
  }
}

/** The projects of this month and what they came to, dearest first, then the others of the year. */
export function thisMonth(
  month: TrendResult | undefined,
  year: TrendResult | undefined,
): Map<string, TrendPart | undefined> {
  const projects = new Map<string, TrendPart | undefined>();
  for (const part of month?.total.parts ?? []) projects.set(part.name ?? '', part);
  for (const { name } of year?.total.parts ?? []) if (!projects.has(name ?? '')) projects.set(name ?? '', undefined);
  return projects;
}
