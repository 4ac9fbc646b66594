import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { LogOutputChannel } from 'vscode';

/** As many characters of a line as fit into a message. */
const MOST = 200;

/** What was said earlier than this many milliseconds before the end is not its reason. */
const FRESH = 5_000;

/** How long it may stay open after the end: what the server started can hold it. */
const PATIENCE = 1_000;

/** What the server says on stderr: it is logged, and the last line is the reason of an end. */
export class Stderr {
  readonly #log: LogOutputChannel;
  #words = '';
  #spoken = 0;
  #silence = Promise.resolve();

  constructor(log: LogOutputChannel) {
    this.#log = log;
  }

  listen(stream: Readable): void {
    const lines = createInterface({ input: stream });
    this.#silence = new Promise((resolve) => lines.once('close', resolve));
    lines.on('line', (line) => {
      this.#log.info(line);
      if (!line.trim()) return;
      this.#words = line.trim().slice(0, MOST);
      this.#spoken = Date.now();
    });
  }

  /** The last line of a server that has just ended; empty where it gave no reason. */
  async lastWords(): Promise<string> {
    const ended = Date.now();
    await Promise.race([this.#silence, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    return ended - this.#spoken < FRESH ? this.#words : '';
  }
}
