import { commands, l10n, QuickPickItemKind, window, type QuickPickItem } from 'vscode';
import type { Target } from './pages/page';

interface Item extends QuickPickItem {
  readonly command?: string;
  readonly arguments?: readonly unknown[];
}

/** What the status bar item can do. `label` is the name of the session that it shows. */
export async function showMenu(target: Target & { label?: string }): Promise<void> {
  const { label, ...where } = target;
  const item = (icon: string, text: string, name: string, more: Target = {}, description = ''): Item => ({
    label: `$(${icon}) ${text}`,
    description,
    command: `radLsp.${name}`,
    arguments: [{ ...where, ...more }],
  });
  const group = (text: string): Item => ({ label: text, kind: QuickPickItemKind.Separator });
  const items: Item[] = [
    item('pulse', l10n.t('Show Session'), 'openSession', {}, label),
    item('credit-card', l10n.t('Show Cost'), 'showCost', { sessionId: 'latest' }, label),
    item('diff', l10n.t('Compare with Previous'), 'comparePrevious', {}, label),
    group(l10n.t('All sessions')),
    item('calendar', l10n.t('Today'), 'showToday'),
    item('history', l10n.t('History'), 'showHistory'),
    item('graph', l10n.t('Show Report'), 'showReport'),
    item('credit-card', l10n.t('Cost of the last 7 days'), 'showCost', { since: '7d' }),
    item('tools', l10n.t('Tools'), 'showTools'),
    item('dashboard', l10n.t('Plan limits'), 'showLimits'),
    item('law', l10n.t('Budgets'), 'showBudget'),
    group(l10n.t('Extension')),
    {
      label: `$(gear) ${l10n.t('Settings')}`,
      command: 'workbench.action.openSettings',
      arguments: ['radLsp'],
    },
    { label: `$(output) ${l10n.t('Log')}`, command: 'radLsp.showLog' },
    { label: `$(debug-restart) ${l10n.t('Restart Server')}`, command: 'radLsp.restartServer' },
  ];
  const picked = await window.showQuickPick(items, {
    title: l10n.t('Sessions of coding agents'),
    matchOnDescription: true,
  });
  if (picked?.command) await commands.executeCommand(picked.command, ...(picked.arguments ?? []));
}
