/**
 * Work that is asked for more often than it can be done: once at a time, and once more for all
 * that asked meanwhile. What is not wanted now, as nobody sees it, is done when `wanted` again.
 */
export class Latest {
  readonly #wanted: () => boolean;
  readonly #work: () => Promise<void>;
  #isAsked = false;
  #isRunning = false;

  constructor(wanted: () => boolean, work: () => Promise<void>) {
    this.#wanted = wanted;
    this.#work = work;
  }

  ask(): void {
    this.#isAsked = true;
    this.resume();
  }

  /** Does what was asked for while it was not wanted. */
  resume(): void {
    if (this.#isAsked && !this.#isRunning && this.#wanted()) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isAsked = false;
    this.#isRunning = true;
    try {
      await this.#work();
    } finally {
      this.#isRunning = false;
      this.resume();
    }
  }
}
