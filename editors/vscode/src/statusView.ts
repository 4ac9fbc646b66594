import { l10n } from 'vscode';
import type { Status } from './contract';
import type { State } from './server/server';

export type Visibility = 'always' | 'relevant' | 'never';

/** What the status bar item is to look like; undefined when it is to be hidden. */
export interface View {
  readonly text: string;
  readonly label: string;
  readonly tooltip: string;
  readonly warning: boolean;
  readonly command: string;
}

/** The item for the server's state and the status of the folder that counts. */
export function view(state: State, status: Status | undefined, visibility: Visibility): View | undefined {
  if (visibility === 'never') return undefined;
  switch (state.kind) {
    case 'idle':
      return undefined;
    case 'missing':
      return own(
        'warning',
        l10n.t('no server'),
        l10n.t('rad-lsp was not found. Click for help.'),
        true,
        'radLsp.serverHelp',
      );
    case 'stopped': {
      const tooltip = l10n.t('The server ended too often. Click to start it again.');
      return own('debug-disconnect', l10n.t('server stopped'), tooltip, true, 'radLsp.restartServer');
    }
    case 'starting':
      return own('loading~spin', l10n.t('starting'), l10n.t('The server is being started.'), false, 'radLsp.showLog');
    case 'running': {
      if (!status) {
        return own('loading~spin', l10n.t('starting'), l10n.t('Sessions are being read.'), false, 'radLsp.showLog');
      }
      if (!status.session && visibility === 'relevant' && status.severity === 'ok') return undefined;
      const warning = status.severity === 'warning';
      const icon = warning ? 'warning' : status.session ? 'pulse' : 'circle-outline';
      return of(icon, status.text, status.tooltip, warning, 'radLsp.showMenu', status.spoken);
    }
  }
}

/** A state that the server can't tell; it names the product, among items that may say the same. */
function own(icon: string, text: string, tooltip: string, warning: boolean, command: string): View {
  return { ...of(icon, text, tooltip, warning, command), text: `$(${icon}) ${l10n.t('rad-lsp: {0}', text)}` };
}

function of(icon: string, text: string, tooltip: string, warning: boolean, command: string, spoken = text): View {
  const label = warning ? l10n.t('rad-lsp, warning: {0}', spoken) : l10n.t('rad-lsp: {0}', spoken);
  return { text: `$(${icon}) ${text}`, label, tooltip, warning, command };
}
