/** What becomes of the pages of the open book: their states as the server tells them, and the reader's switch. */
import type { ApiClient } from "../api/client";
import type { PageState, ReaderOptions, ReaderView } from "../api/types";
import type { ImagePool } from "./imagePool.svelte";
import { LatestOnly } from "./latestOnly";
import type { Live } from "./live.svelte";

type Http = Pick<ApiClient, "get" | "post" | "put" | "patch" | "delete">;
type Feed = Pick<Live, "on" | "onResync">;
interface Turn {
  page: number;
  also: readonly number[];
}

export class UpscaleStore {
  /** null until the server told */
  options = $state.raw<ReaderView | null>(null);
  /** the last thing that went wrong between us and the server */
  error = $state.raw<unknown>(null);
  #states = $state.raw<ReadonlyMap<number, PageState>>(new Map());
  #heardDuring: Set<number> | null = null;
  #here: Turn = { page: 0, also: [] };
  #turns: LatestOnly<Turn>;
  #unhear: (() => void)[] = [];
  #began = false;
  #left = false;

  constructor(
    readonly bookId: string,
    private readonly pool: Pick<ImagePool, "setUpscaled" | "clearUpscaled" | "clearAllUpscaled">,
    private readonly http: Http,
    private readonly feed: Feed,
    pauseMs = 120,
  ) {
    this.#turns = new LatestOnly((turn) => this.#tellPlace(turn), pauseMs);
  }

  get enabled(): boolean {
    return this.options?.enabled ?? true;
  }

  stateOf(page: number): PageState | undefined {
    return this.#states.get(page);
  }

  /** Listen, learn the options, and let the server know that the book is open. */
  async open(): Promise<void> {
    this.#unhear = [
      this.feed.on("upscale-ready", (message) => {
        if (message.bookId !== this.bookId) return;
        this.#heardDuring?.add(message.page);
        this.#take(message);
      }),
      this.feed.on("reader", (view) => {
        if (this.#takeOptions(view) && view.enabled) this.#turnAgain(); // set by somebody else
      }),
      this.feed.onResync(() => void this.#again()),
    ];
    await this.#again();
  }

  /** The reader is here now, and sees these pages too. */
  turn(page: number, also: readonly number[] = []): void {
    this.#here = { page, also };
    this.#began = true;
    this.#turns.push(this.#here);
  }

  /** The book is left: its work ends. Sent even when the window is being closed. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#turns.close();
    for (const stop of this.#unhear) stop();
    this.http.delete(this.#path(""), { keepalive: true }).catch(() => undefined);
  }

  setEnabled(enabled: boolean): Promise<void> {
    return this.set({ enabled });
  }

  /** Change what pages get; they are asked for anew. */
  async set(changes: Partial<ReaderOptions>): Promise<void> {
    const before = this.options;
    if (before) this.#takeOptions({ ...before, ...changes }); // at once: a switch does not wait
    try {
      this.#takeOptions(await this.http.patch<ReaderView>("/v1/reader", changes));
      if (this.enabled) this.#turnAgain();
    } catch (error) {
      if (before) this.#takeOptions(before);
      throw error;
    }
  }

  /** Ask for a failed or cancelled page once more: given up first, it is wanted anew. */
  async retry(page: number): Promise<void> {
    await this.http.delete(this.#path(`/pages/${page}`));
    this.#turnAgain();
  }

  async #again(): Promise<void> {
    await this.#careful(async () => {
      this.#takeOptions(await this.http.get<ReaderView>("/v1/reader"));
      await this.#asked(() => this.http.post<{ pages: PageState[] }>(this.#path("/open")));
      if (this.#began) this.#turnAgain();
    });
  }

  async #tellPlace(turn: Turn): Promise<void> {
    await this.#careful(() => this.#asked(() => this.http.put<{ pages: PageState[] }>(this.#path("/position"), turn)));
  }

  /** An answer is older than what the socket said while it was on its way. */
  async #asked(ask: () => Promise<{ pages: PageState[] }>): Promise<void> {
    const heard = new Set<number>();
    this.#heardDuring = heard;
    try {
      const { pages } = await ask();
      for (const state of pages) if (!heard.has(state.page)) this.#take(state);
    } finally {
      if (this.#heardDuring === heard) this.#heardDuring = null;
    }
  }

  async #careful(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.error = null;
    } catch (error) {
      if (!this.#left) this.error = error;
    }
  }

  #take(state: PageState): void {
    if (this.#left) return;
    this.#states = new Map(this.#states).set(state.page, state);
    if (state.status === "completed" && state.url && this.enabled) void this.#show(state.page, state.url);
    else if (state.status === "original" || state.status === "skipped") this.pool.clearUpscaled(state.page);
  }

  async #show(page: number, url: string): Promise<void> {
    const shown = await this.pool.setUpscaled(page, url);
    if (shown && !this.enabled) this.pool.clearUpscaled(page);
  }

  /** Whether what is sharp already has become worthless; it is forgotten then. */
  #takeOptions(view: ReaderView): boolean {
    const before = this.options;
    this.options = view;
    if (!before || !changesPixels(before, view)) return false;
    this.#states = new Map();
    this.pool.clearAllUpscaled();
    return true;
  }

  #turnAgain(): void {
    this.turn(this.#here.page, this.#here.also);
  }

  #path(rest: string): string {
    return `/v1/reader/books/${encodeURIComponent(this.bookId)}${rest}`;
  }
}

const DECIDING = ["enabled", "model", "scale", "noise", "tileSize", "quality", "lossless"] as const;

/** Whether pages that are sharp already would come out otherwise now. */
function changesPixels(before: ReaderOptions, now: ReaderOptions): boolean {
  return DECIDING.some((name) => before[name] !== now[name]);
}
