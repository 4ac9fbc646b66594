import { EventEmitter, l10n, workspace, type CancellationToken, type Disposable, type LogOutputChannel } from 'vscode';
import { VERSION, type Requests, type Status } from '../contract';
import type * as Client from './client';
import { Crashes } from './crashes';
import { explain, findServer, HOME, sameProgram, type Search, type Winner } from './find';
import { probe } from './probe';
import { activeInterpreter, onInterpreterChange } from './python';

export type State =
  /** Nothing has asked for the server yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  /** It ended too often, or does not come up; with what it said last, which may be nothing. */
  | { readonly kind: 'stopped'; readonly cameUp: boolean; readonly lastWords: string }
  /** No candidate is a server that can be used. */
  | { readonly kind: 'missing'; readonly search: Search };

/** A request that can't be sent, because no server runs. */
export class NotRunning extends Error {}

const OURS = ['radLsp.server.path', 'radLsp.server.args', 'radLsp.interpreter'] as const;

/** The server: found, started, started again when it ends, asked. */
export class Server implements Disposable {
  readonly #log: LogOutputChannel;
  readonly #changed = new EventEmitter<State>();
  readonly #said = new EventEmitter<Status>();
  readonly #tooOld = new EventEmitter<string>();
  readonly #crashes = new Crashes();
  readonly #disposables: Disposable[] = [this.#changed, this.#said, this.#tooOld];
  #state: State = { kind: 'idle' };
  #connection: Client.Connection | undefined;
  #search: Search = { candidates: [] };
  #watching: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;
  #starting: Promise<void> = Promise.resolve();
  #queued = false;
  #generation = 0;
  #warnedOfAge = false;

  readonly onDidChangeState = this.#changed.event;
  readonly onDidReceiveStatus = this.#said.event;
  /** The server runs, but does not know all that this extension asks for; gives its version. */
  readonly onDidFindOldServer = this.#tooOld.event;

  constructor(log: LogOutputChannel) {
    this.#log = log;
    this.#disposables.push(
      workspace.onDidChangeConfiguration((event) => {
        if (this.#state.kind !== 'idle' && OURS.some((key) => event.affectsConfiguration(key))) void this.restart();
      }),
      workspace.onDidGrantWorkspaceTrust(() => {
        if (this.#state.kind !== 'idle') void this.#restartIfAnother();
      }),
    );
  }

  get state(): State {
    return this.#state;
  }

  /** Starts the server unless that has been done. */
  start(): void {
    if (this.#state.kind === 'idle') void this.restart();
  }

  /** Starts the server afresh. One start at a time; requests for more meanwhile become one. */
  restart(): Promise<void> {
    this.#crashes.forget();
    return this.#begin();
  }

  /** Asks the server, which is started or waited for where need be. */
  async request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    token?: CancellationToken,
  ): Promise<Requests[M]['result']> {
    this.start();
    if (!this.#connection) await this.#settled();
    if (!this.#connection) throw new NotRunning(l10n.t('The server is not running.'));
    return this.#connection.request(method, params, token);
  }

  /** What there is to know when something does not work. */
  describe(): string[] {
    const said = this.#connection?.introduction;
    return [
      `state: ${this.#state.kind}`,
      ...(this.#state.kind === 'stopped' ? [`last words: ${this.#state.lastWords || '-'}`] : []),
      said ? `server: ${said.name} ${said.version}, contract ${said.contract ?? '-'} (ours: ${VERSION})` : 'server: -',
      `crashes: ${this.#crashes.times.map((time) => new Date(time).toISOString()).join(', ') || '-'}`,
      'candidates:',
      ...explain(this.#search).map((line) => `  ${line}`),
    ];
  }

  async stop(): Promise<void> {
    this.#generation += 1;
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.stop();
  }

  dispose(): void {
    void this.stop();
    this.#watching?.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #begin(): Promise<void> {
    if (!this.#queued) {
      this.#queued = true;
      this.#set({ kind: 'starting' });
      this.#starting = this.#starting.then(() => {
        this.#queued = false;
        return this.#startOnce().catch((error: unknown) => this.#log.error(String(error)));
      });
    }
    return this.#starting;
  }

  async #startOnce(): Promise<void> {
    await this.stop();
    const generation = this.#generation;
    this.#set({ kind: 'starting' });
    const search = await this.#find();
    if (generation !== this.#generation) return;
    this.#search = search;
    for (const line of explain(search)) this.#log.info(line);
    if (!search.winner) {
      this.#set({ kind: 'missing', search });
      return;
    }
    await this.#connect(search.winner, generation);
  }

  async #connect(winner: Winner, generation: number): Promise<void> {
    const crashed = (lastWords: string): void => {
      if (generation === this.#generation) this.#crashed(lastWords);
    };
    const extra = workspace.getConfiguration('radLsp').get<string[]>('server.args', []);
    const { command, args, avoid = [] } = winner;
    const program = { command, args: [...args, ...extra], ...(avoid.length && { avoid }) };
    try {
      // Loaded here, not above: see scripts/build.mjs.
      const { connect } = require('./client.js') as typeof Client;
      const connection = await connect(program, this.#log, {
        status: (status) => {
          if (generation === this.#generation) this.#said.fire(status);
        },
        closed: crashed,
      });
      if (generation !== this.#generation) {
        await connection.stop();
        return;
      }
      this.#connection = connection;
    } catch (error) {
      this.#log.error(String(error instanceof Error ? (error.cause ?? error) : error));
      crashed(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#set({ kind: 'running' });
    this.#checkAge();
  }

  /** A crash, or a start that failed, which counts as one. */
  #crashed(lastWords: string): void {
    this.#generation += 1;
    const connection = this.#connection;
    const cameUp = connection !== undefined;
    this.#connection = undefined;
    void connection?.stop();
    const pause = this.#crashes.add(Date.now(), cameUp ? undefined : lastWords);
    if (pause === undefined) {
      this.#log.error('The server ended too often and is not started again.');
      this.#set({ kind: 'stopped', cameUp, lastWords });
      return;
    }
    this.#log.warn(`The server ended and is started again in ${pause} ms.`);
    this.#set({ kind: 'starting' });
    this.#timer = setTimeout(() => void this.#begin(), pause);
  }

  #find(): Promise<Search> {
    const settings = workspace.getConfiguration('radLsp');
    const folder = workspace.workspaceFolders?.[0]?.uri;
    const trusted = workspace.isTrusted;
    return findServer({
      serverPath: settings.get('server.path', ''),
      interpreter: settings.get('interpreter', ''),
      pythonExtension: async () => {
        const found = await activeInterpreter(folder);
        this.#watching ??= onInterpreterChange(() => void this.#restartIfAnother());
        return found;
      },
      folders: (workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
      trusted,
      path: process.env['PATH'] ?? process.env['Path'] ?? '',
      platform: process.platform,
      home: HOME,
      probe,
    });
  }

  /** Restarts when another program would win now. */
  async #restartIfAnother(): Promise<void> {
    const { winner } = await this.#find();
    if (!sameProgram(winner, this.#search.winner) || this.#state.kind !== 'running') await this.restart();
  }

  #checkAge(): void {
    const said = this.#connection?.introduction;
    if (!said || this.#warnedOfAge || (said.contract ?? 0) >= VERSION) return;
    this.#warnedOfAge = true;
    this.#tooOld.fire(said.version);
  }

  /** Until the server runs, or it is known that it won't. */
  #settled(): Promise<void> {
    if (this.#state.kind !== 'starting') return Promise.resolve();
    return new Promise((resolve) => {
      const listening = this.#changed.event((state) => {
        if (state.kind === 'starting') return;
        listening.dispose();
        resolve();
      });
    });
  }

  #set(state: State): void {
    if (state.kind === 'starting' && this.#state.kind === 'starting') return;
    this.#state = state;
    this.#changed.fire(state);
  }
}
