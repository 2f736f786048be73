/** The live test: what the rules, saved or not, would do with one page of one book. */

import { toldOf, type Http } from "../ports";
import type { BookPage, RuleSet, Told, Verdict } from "../wire";

const PAUSE_MS = 250;

export interface TestPage {
  bookId: string;
  title: string;
  page: BookPage;
}

export class RuleTest {
  page = $state.raw<TestPage | null>(null);
  verdict = $state.raw<Verdict | null>(null);
  failure = $state.raw<Told | null>(null);
  busy = $state(false);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(private readonly http: Http) {}

  /** Ask once nothing was changed for a moment. */
  soon(form: RuleSet): void {
    clearTimeout(this.#timer);
    if (this.page !== null) this.#timer = setTimeout(() => void this.run(form), PAUSE_MS);
  }

  async run(form: RuleSet): Promise<void> {
    if (this.page === null) return;
    const asked = ++this.#asked;
    this.busy = true;
    try {
      const question = {
        bookId: this.page.bookId,
        page: this.page.page.index,
        rules: form.rules,
        enabled: form.enabled,
      };
      const verdict = await this.http.post<Verdict>("/v1/reader/rules/test", question);
      if (asked !== this.#asked) return;
      this.verdict = verdict;
      this.failure = null;
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#asked++;
  }
}
