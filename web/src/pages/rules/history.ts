/** Undo and redo over whole states: they are small, and nothing can be forgotten. */

const DEPTH = 100;

export class History<State> {
  #past: State[] = [];
  #future: State[] = [];
  #lastKey: string | null = null;

  /** Keep what was before a change. Changes in a row with the same `key` are one step: typing a word is not five. */
  keep(before: State, key: string | null = null): void {
    if (key === null || key !== this.#lastKey) {
      this.#past.push(before);
      if (this.#past.length > DEPTH) this.#past.shift();
    }
    this.#lastKey = key;
    this.#future = [];
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** What was before the last change; null: nothing was. */
  undo(now: State): State | null {
    return this.#step(this.#past, this.#future, now);
  }

  /** What was undone last; null: nothing was. */
  redo(now: State): State | null {
    return this.#step(this.#future, this.#past, now);
  }

  clear(): void {
    this.#past = [];
    this.#future = [];
    this.#lastKey = null;
  }

  #step(from: State[], to: State[], now: State): State | null {
    const state = from.pop();
    if (state === undefined) return null;
    to.push(now);
    this.#lastKey = null;
    return state;
  }
}
