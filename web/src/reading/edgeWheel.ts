/** Turning with the wheel: first the page is scrolled, and at its edge a new push of the wheel turns. */

const PUSH_PX = 50;
const PAUSE_MS = 160; // of a wheel that was let go: a touchpad glides on for long
const PATIENCE_MS = 700;

export class EdgeWheel {
  #pushed = 0;
  #last = -Infinity;
  #lockedAt = -Infinity;

  /** `moved`: the page itself could be scrolled. 1: the next page, -1: the one before, 0: neither. */
  push(delta: number, moved: boolean, now: number): -1 | 0 | 1 {
    const fresh = now - this.#last > PAUSE_MS;
    this.#last = now;
    if (fresh) this.#unlock();
    if (moved) {
      this.#lockedAt = now;
      this.#pushed = 0;
      return 0;
    }
    if (now - this.#lockedAt < PATIENCE_MS) return 0;
    this.#pushed = Math.sign(delta) === Math.sign(this.#pushed) ? this.#pushed + delta : delta;
    if (Math.abs(this.#pushed) < PUSH_PX) return 0;
    this.#lockedAt = now;
    const step = this.#pushed > 0 ? 1 : -1;
    this.#pushed = 0;
    return step;
  }

  #unlock(): void {
    this.#pushed = 0;
    this.#lockedAt = -Infinity;
  }
}
