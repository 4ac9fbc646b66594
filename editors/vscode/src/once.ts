import type { Memento } from 'vscode';

/**
 * Messages that come by themselves: each is shown once on this machine, in whatever folders, until
 * what it is about has changed; and never again when the user says so.
 */
export class Once {
  readonly #memory: Memento;

  constructor(memory: Memento) {
    this.#memory = memory;
  }

  /** Whether a message is to be shown now; it counts as shown from here on. */
  async isNew(message: string, about: string): Promise<boolean> {
    if (this.#memory.get(never(message)) || this.#memory.get(last(message)) === about) return false;
    await this.#memory.update(last(message), about);
    return true;
  }

  /** What the message was about is over: the next time it is news. */
  async forget(message: string): Promise<void> {
    if (this.#memory.get(last(message)) !== undefined) await this.#memory.update(last(message), undefined);
  }

  async never(message: string): Promise<void> {
    await this.#memory.update(never(message), true);
  }
}

const last = (message: string): string => `radLsp.said.${message}`;
const never = (message: string): string => `radLsp.notAgain.${message}`;
