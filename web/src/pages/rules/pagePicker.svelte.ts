/** A page to try rules on: a book first, of those read last or found by name, then one of its pages. */

import { toldOf, type Http } from "../ports";
import type { BookView, Item, Listed, Root, Told } from "../wire";

const MOST = 60;

export class PagePickerState {
  books = $state.raw<Item[]>([]);
  book = $state.raw<BookView | null>(null);
  loading = $state(false);
  failure = $state.raw<Told | null>(null);
  #asked = 0;

  constructor(private readonly http: Http) {}

  /** Books whose titles have these words; without any, those read last and then the first on the shelf. */
  find(query: string): Promise<void> {
    return this.#load(async () => {
      const { roots } = await this.http.get<{ roots: Root[] }>("/v1/shelf");
      const lists = await Promise.all([
        query === "" ? this.http.get<{ items: Item[] }>("/v1/shelf/recent", { limit: 12 }) : { items: [] },
        ...roots.map((root) =>
          this.http.get<Listed<Item>>("/v1/shelf/items", { root: root.id, q: query, limit: MOST }),
        ),
      ]);
      const found = lists.flatMap((list) => list.items).filter((item) => item.kind === "book");
      return () => {
        this.books = [...new Map(found.map((item) => [item.id, item])).values()].slice(0, MOST);
      };
    });
  }

  open(item: Item): Promise<void> {
    return this.#load(async () => {
      const book = await this.http.get<BookView>(`/v1/books/${item.id}`);
      return () => {
        this.book = book;
      };
    });
  }

  back(): void {
    this.book = null;
  }

  async #load(work: () => Promise<() => void>): Promise<void> {
    const asked = ++this.#asked;
    this.loading = true;
    this.failure = null;
    try {
      const take = await work();
      if (asked === this.#asked) take();
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }
}
