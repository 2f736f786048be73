/** Everything of one open book together: where one reads, its pictures, and what becomes of them. */
import { api } from "../../api/client";
import { href } from "../../api/base";
import type { Book } from "../../api/types";
import { ImagePool } from "../../state/imagePool.svelte";
import { live } from "../../state/live.svelte";
import { preferences } from "../../state/preferences.svelte";
import { ReaderStore } from "../../state/readerStore.svelte";
import { ReadingHabits } from "../../state/readingHabits.svelte";
import { UpscaleStore } from "../../state/upscaleStore.svelte";

export class OpenBook {
  readonly pool: ImagePool;
  readonly upscale: UpscaleStore;
  readonly reader: ReaderStore;

  constructor(
    readonly book: Book,
    page: number,
  ) {
    const id = encodeURIComponent(book.id);
    this.pool = new ImagePool((index) => href(`/v1/books/${id}/pages/${index}`));
    this.upscale = new UpscaleStore(book.id, this.pool, api, live);
    this.reader = new ReaderStore(book, new ReadingHabits(preferences, book.id), api, page);
  }

  static async load(id: string, page: number | null): Promise<OpenBook> {
    const book = await api.get<Book>(`/v1/books/${encodeURIComponent(id)}`);
    return new OpenBook(book, page ?? book.progress?.page ?? 0);
  }

  thumbnail(page: number, width: number): string {
    return href(`/v1/books/${encodeURIComponent(this.book.id)}/pages/${page}/thumbnail?width=${width}`);
  }

  /** The window goes, for good or into the browser's memory of pages: the server works for nobody then. */
  hide(): void {
    this.reader.flush();
    this.upscale.leave();
  }

  /** It came back out of that memory. */
  show(): void {
    void this.upscale.open();
  }

  leave(): void {
    this.reader.flush();
    this.upscale.leave();
    this.pool.clear();
  }
}
