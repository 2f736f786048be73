/** Reading, cache and server as they are set: each change is stored at once, or taken back with what was against it. */

import { switchedTo } from "../parts/choices";
import { toldOf, type Http, type LiveFeed } from "../ports";
import type { CacheView, Model, ReaderView, ServerView, Told } from "../wire";

export type ReaderChange = Partial<Omit<ReaderView, "openBooks" | "hint">>;

const PAUSE_MS = 300;

export class SettingsState {
  reader = $state.raw<ReaderView | null>(null);
  models = $state.raw<Model[]>([]);
  cache = $state.raw<CacheView | null>(null);
  server = $state.raw<ServerView | null>(null);
  loading = $state(true);
  failure = $state.raw<Told | null>(null);
  /** Why the last change of the reader was refused. */
  refusal = $state.raw<Told | null>(null);
  saving = $state(false);
  cleaning = $state(false);

  model = $derived.by(() => this.models.find((model) => model.name === this.reader?.model) ?? null);

  #stored: ReaderView | null = null;
  #change: ReaderChange = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stops: (() => void)[];

  constructor(
    private readonly http: Http,
    live: LiveFeed,
  ) {
    this.#stops = [live.on("reader", (message) => this.#take(message))];
  }

  close(): void {
    for (const stop of this.#stops) stop();
    if (this.#timer !== undefined) void this.flush();
  }

  async load(): Promise<void> {
    try {
      const [reader, models, cache, server] = await Promise.all([
        this.http.get<ReaderView>("/v1/reader"),
        this.http.get<{ models: Model[] }>("/v1/models"),
        this.http.get<CacheView>("/v1/cache"),
        this.http.get<ServerView>("/v1/server"),
      ]);
      this.#take(reader);
      this.models = models.models;
      this.cache = cache;
      this.server = server;
      this.failure = null;
    } catch (error) {
      this.failure = toldOf(error);
    } finally {
      this.loading = false;
    }
  }

  /** Show a change at once, and store it when nothing more is changed for a moment. */
  set(change: ReaderChange): void {
    if (this.reader === null) return;
    this.reader = { ...this.reader, ...change };
    this.#change = { ...this.#change, ...change };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  /** Another model: a scale or noise level that it lacks becomes one that it has. */
  setModel(name: string): void {
    const model = this.models.find((each) => each.name === name);
    if (model === undefined || this.reader === null) return;
    this.set(switchedTo(model, this.reader));
  }

  /** Store what was changed; refused, it goes back to what is stored. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const change = this.#change;
    if (Object.keys(change).length === 0) return;
    this.#change = {};
    this.saving = true;
    try {
      this.#take(await this.http.patch<ReaderView>("/v1/reader", change));
      this.refusal = null;
    } catch (error) {
      this.refusal = toldOf(error);
      this.reader = this.#stored && { ...this.#stored, ...this.#change };
    } finally {
      this.saving = false;
    }
  }

  /** Drop renders that were not used for so many days; what went, or null when it could not be. */
  async clean(olderThanDays: number): Promise<{ removedFiles: number; freedSize: number } | null> {
    this.cleaning = true;
    try {
      const cleaned = await this.http.delete<{ removedFiles: number; freedSize: number }>("/v1/cache", {
        olderThanDays,
      });
      this.cache = await this.http.get<CacheView>("/v1/cache");
      return cleaned;
    } catch (error) {
      this.failure = toldOf(error);
      return null;
    } finally {
      this.cleaning = false;
    }
  }

  #take(reader: ReaderView): void {
    this.#stored = reader;
    this.reader = { ...reader, ...this.#change };
  }
}
