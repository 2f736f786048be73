/** The first at once, then never more than one under way, and of what came meanwhile only the last. */

export class LatestOnly<T> {
  #busy = false;
  #wanted: { value: T } | null = null;
  #closed = false;

  /** `send` must not throw; `pauseMs` lies between two sendings. */
  constructor(
    private readonly send: (value: T) => Promise<void>,
    private readonly pauseMs = 120,
  ) {}

  push(value: T): void {
    if (this.#closed) return;
    this.#wanted = { value };
    if (!this.#busy) void this.#run();
  }

  /** Forget what waits; nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#wanted = null;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#wanted) {
      const { value } = this.#wanted;
      this.#wanted = null;
      await this.send(value);
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    this.#busy = false;
  }
}
