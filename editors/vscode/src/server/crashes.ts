const WINDOW = 3 * 60_000;
const LIMIT = 5;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 8_000;

/** How often the server ended by itself lately, and whether it is started once more. */
export class Crashes {
  #times: number[] = [];
  #failure: string | undefined;

  /**
   * Milliseconds to wait before the next start; undefined when it is time to give up: after too many
   * ends, or when a server that did not come up has failed in the same words as the time before.
   */
  add(now: number, failure?: string): number | undefined {
    const again = failure !== undefined && failure === this.#failure;
    this.#failure = failure;
    this.#times = [...this.#times.filter((time) => now - time < WINDOW), now];
    if (again || this.#times.length >= LIMIT) return undefined;
    return Math.min(FIRST_PAUSE * 2 ** (this.#times.length - 1), LONGEST_PAUSE);
  }

  forget(): void {
    this.#times = [];
    this.#failure = undefined;
  }

  get times(): readonly number[] {
    return this.#times;
  }
}
