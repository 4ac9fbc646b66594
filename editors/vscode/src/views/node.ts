import { l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';

/** An item of a tree, with those below it. */
export interface Node {
  readonly item: TreeItem;
  readonly children?: readonly Node[];
  /** Asks for those below it when it is expanded. */
  readonly expand?: () => Promise<readonly Node[]>;
  /** What a menu on it is about. */
  readonly target?: Target;
}

/** The session or the project that a command is about. */
export interface Target {
  readonly workspaceUri: string;
  readonly allProjects?: boolean;
  readonly sessionId?: string;
  readonly uri?: string;
  readonly resume?: string | null;
  readonly project?: string;
}

interface Look {
  readonly id?: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: string;
  readonly warns?: boolean;
  /** What a screen reader says, where the label and description leave names of figures out. */
  readonly spoken?: string;
  readonly context?: string;
}

/** An item whose texts are shown as they are, whatever is in them. */
export function item(label: string, look: Look, collapsible = TreeItemCollapsibleState.None): TreeItem {
  const made = new TreeItem(label, collapsible);
  if (look.id !== undefined) made.id = look.id;
  if (look.description !== undefined) made.description = look.description;
  made.tooltip = look.tooltip ?? [label, look.description].filter(Boolean).join('\n');
  const color = look.warns ? new ThemeColor('list.warningForeground') : undefined;
  if (look.icon !== undefined) made.iconPath = new ThemeIcon(look.icon, color);
  if (look.context !== undefined) made.contextValue = look.context;
  const spoken = look.spoken ?? [label, look.description].filter(Boolean).join(', ');
  const label_ = look.warns ? l10n.t('warning: {0}', spoken) : spoken;
  made.accessibilityInformation = { label: label_, role: 'treeitem' };
  return made;
}

/** A heading with items below it; undefined where there are none. */
export function section(id: string, label: string, icon: string, children: readonly Node[]): Node | undefined {
  if (!children.length) return undefined;
  return { item: item(label, { id, icon, tooltip: label }, TreeItemCollapsibleState.Expanded), children };
}

/** What went wrong, and an item that tries again by a command. */
export function fault(message: string, id: string, retry: () => void): Node[] {
  const again = item(l10n.t('Retry'), { id: `${id}:retry`, icon: 'refresh', spoken: l10n.t('Retry') });
  again.command = { command: 'radLsp.views.retry', title: l10n.t('Retry'), arguments: [retry] };
  const said = item(message, { id: `${id}:fault`, icon: 'error', spoken: l10n.t('error: {0}', message) });
  return [{ item: said }, { item: again }];
}
