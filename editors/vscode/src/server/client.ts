/**
 * The language client, built as a file of its own: it is most of the extension's code, and
 * activation does without it.
 */
import { homedir } from 'node:os';
import type { CancellationToken, LogOutputChannel } from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type ClientCapabilities,
} from 'vscode-languageclient/node';
import { VERSION, type Notice, type Notifications, type Requests } from '../contract';
import { COMMANDS } from '../links';
import { REPORTS, transcripts } from '../reports';
import { spawnOptions, type Program } from './probe';
import { Stderr } from './stderr';

export interface Connection {
  request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    token?: CancellationToken,
  ): Promise<Requests[M]['result']>;
  /** What the server says of itself. */
  readonly introduction: { readonly name: string; readonly version: string; readonly contract: number | undefined };
  stop(): Promise<void>;
}

export interface Listener {
  status(status: Notifications['stats/status']): void;
  /** What a notice is about is to be shown, as its button was chosen. */
  show(notice: Notice): void;
  /** The connection is lost, and nobody asked for that; with what the server said last on stderr. */
  closed(lastWords: string): void;
}

/** Its errors go into the log alone: what the user hears of them is decided outside. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** A server that did not come up; the message is what it said last on stderr, if anything. */
export class StartFailed extends Error {}

export async function connect(program: Program, log: LogOutputChannel, listener: Listener): Promise<Connection> {
  const stderr = new Stderr(log);
  const client = new QuietClient(
    'radLsp',
    'rad-lsp',
    { command: program.command, args: [...program.args], options: spawnOptions(program) },
    {
      // Virtual documents of other extensions must not reach the server.
      documentSelector: [
        { scheme: 'file', language: 'json', pattern: REPORTS },
        { scheme: 'file', language: 'jsonc', pattern: REPORTS },
        ...transcripts(process.env, homedir()).map((pattern) => ({ scheme: 'file', pattern })),
      ],
      diagnosticCollectionName: 'rad-lsp',
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { isTrusted: { enabledCommands: COMMANDS } },
      initializationFailedHandler: () => false,
      stdioOptions: {
        // Messages come that way.
        stdout: () => undefined,
        stderr: (stream) => stderr.listen(stream),
      },
      // When to start again is decided outside.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          void stderr.lastWords().then((words) => listener.closed(words));
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    },
  );
  client.registerFeature({
    fillClientCapabilities(capabilities: ClientCapabilities) {
      const ours = { radStats: { version: VERSION, commands: COMMANDS } };
      capabilities.experimental = { ...(capabilities.experimental as object | undefined), ...ours };
    },
    initialize: () => undefined,
    getState: () => ({ kind: 'static' }),
    clear: () => undefined,
  });
  client.onNotification('stats/status', (status: Notifications['stats/status']) => listener.status(status));
  client.onNotification('stats/show', (notice: Notice) => listener.show(notice));
  const stop = async (): Promise<void> => {
    await client.dispose(2_000).catch(() => undefined);
  };
  try {
    await client.start();
  } catch (error) {
    const lastWords = await stderr.lastWords();
    await stop();
    throw new StartFailed(lastWords, { cause: error });
  }
  const { serverInfo, capabilities } = client.initializeResult ?? {};
  const ours = capabilities?.experimental as { radStats?: { version?: number } } | undefined;
  return {
    // A token that is undefined would be sent as a second parameter.
    request: (method, params, token) =>
      token ? client.sendRequest(method, params, token) : client.sendRequest(method, params),
    introduction: {
      name: serverInfo?.name ?? '',
      version: serverInfo?.version ?? '',
      contract: ours?.radStats?.version,
    },
    stop,
  };
}
