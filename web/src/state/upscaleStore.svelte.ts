/** What becomes of the pages of the open book: their states as the server tells them, and the reader's switch. */
import type { ApiClient } from "../api/client";
import type { PageState, ReaderOptions, ReaderView } from "../api/types";
import type { ImagePool } from "./imagePool.svelte";
import { LatestOnly } from "./latestOnly";
import type { Live } from "./live.svelte";
import { seat as ownSeat } from "./seat";

type Http = Pick<ApiClient, "get" | "post" | "put" | "patch" | "delete">;
type Feed = Pick<Live, "on" | "onResync">;
/** Nothing more happens by itself to the others. */
const UNDER_WAY: readonly PageState["status"][] = ["pending", "checking", "processing"];

interface Pages {
  pages: PageState[];
}

interface Turn {
  page: number;
  also: readonly number[];
}

/** Which store reads a book just now: what another left late must not be taken from it. */
const reading = new Map<string, UpscaleStore>();

export class UpscaleStore {
  /** null until the server told */
  options = $state.raw<ReaderView | null>(null);
  /** the last thing that went wrong between us and the server */
  error = $state.raw<unknown>(null);
  #states = $state.raw<ReadonlyMap<number, PageState>>(new Map());
  /** for each answer on its way, the oldest first, the pages of which something newer was heard */
  #awaited = new Set<Set<number>>();
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
    private readonly pauseMs = 120,
    private readonly seat = ownSeat,
  ) {
    this.#turns = this.#newTurns();
  }

  get enabled(): boolean {
    return this.options?.enabled ?? true;
  }

  stateOf(page: number): PageState | undefined {
    return this.#states.get(page);
  }

  /** Listen, learn the options, and let the server know that the book is open; again, after it was left. */
  async open(): Promise<void> {
    if (this.#left) this.#turns = this.#newTurns();
    this.#left = false;
    reading.set(this.bookId, this);
    this.#unhear = [
      this.feed.on("upscale-ready", (message) => {
        if (message.bookId !== this.bookId) return;
        for (const heard of this.#awaited) heard.add(message.page);
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
    this.#awaited.clear();
    this.#turns.close();
    for (const stop of this.#unhear) stop();
    if (reading.get(this.bookId) === this) reading.delete(this.bookId);
    this.#sayLeft();
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
      if (before && this.#takeOptions(before) && this.#began && this.enabled) this.#turnAgain();
      throw error;
    }
  }

  /** Ask for a failed or cancelled page once more: the server forgets how it went, then the place wants it anew. */
  async retry(page: number): Promise<void> {
    await this.http.delete(this.#path(`/pages/${page}`));
    this.#turnAgain();
  }

  async #again(): Promise<void> {
    await this.#careful(async () => {
      this.#takeOptions(await this.http.get<ReaderView>("/v1/reader"));
      if (this.#left) return;
      await this.#asked(() => this.http.post<Pages>(this.#path("/open"), undefined, { query: this.#whoReads }));
      if (this.#began) this.#turnAgain();
    });
  }

  async #tellPlace(turn: Turn): Promise<void> {
    const tell = (): Promise<Pages> => this.http.put<Pages>(this.#path("/position"), turn, { query: this.#whoReads });
    await this.#careful(() => this.#asked(tell));
  }

  #sayLeft(): void {
    this.http.delete(this.#path(""), { keepalive: true, query: this.#whoReads }).catch(() => undefined);
  }

  /** The server heard a question after it heard that the book was left: for it the book is open again. */
  #leaveAgain(): void {
    if (!reading.has(this.bookId)) this.#sayLeft();
  }

  /** An answer is older than what the socket, or the answer to a later question, said while it was on its way. */
  async #asked(ask: () => Promise<Pages>): Promise<void> {
    const heard = new Set<number>();
    this.#awaited.add(heard);
    try {
      const { pages } = await ask();
      if (!this.#awaited.has(heard)) return; // of other options
      const news = pages.filter((state) => !heard.has(state.page));
      for (const older of this.#awaited) {
        if (older === heard) break;
        for (const { page } of news) older.add(page);
      }
      for (const state of news) this.#take(state);
    } finally {
      this.#awaited.delete(heard);
      if (this.#left) this.#leaveAgain(); // whatever came of it: an answer that was lost was heard there too
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
    else if (!UNDER_WAY.includes(state.status)) this.pool.clearUpscaled(state.page);
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
    this.#awaited.clear();
    this.pool.clearAllUpscaled();
    return true;
  }

  #newTurns(): LatestOnly<Turn> {
    return new LatestOnly((turn) => this.#tellPlace(turn), this.pauseMs);
  }

  #turnAgain(): void {
    this.turn(this.#here.page, this.#here.also);
  }

  get #whoReads(): { seat: string } {
    return { seat: this.seat };
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
