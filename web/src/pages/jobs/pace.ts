/** How fast a job goes, from what was seen of it lately. */

interface Sample {
  at: number;
  done: number;
}

const WINDOW_S = 90;
const FEWEST_S = 2;

export class Pace {
  #samples: Sample[] = [];

  /** What is done now, pages with their shares; `at` in seconds. Going backwards, as a retry does, begins anew. */
  note(done: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && done < last.done) this.#samples = [];
    if (last !== undefined && done === last.done) return;
    this.#samples.push({ done, at });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_S) this.#samples.shift();
  }

  /** It waits: what was measured says nothing about what comes. */
  forget(): void {
    this.#samples = [];
  }

  /** Pages in a second; null: not known yet. */
  get perSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < FEWEST_S) return null;
    return (last.done - first.done) / (last.at - first.at);
  }

  /** Seconds that `pages` will take; null: not known yet. */
  secondsFor(pages: number): number | null {
    const speed = this.perSecond;
    return speed === null || speed <= 0 ? null : pages / speed;
  }
}
