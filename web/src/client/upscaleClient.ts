/**
 * The client that readers' front ends had for their built-in upscaler, over the server: the same methods by meaning.
 * A picture is named by its path on the server's shelf ("<archive> inner=<member>" for a page of an archive), or given
 * as a Blob. Timeouts are in seconds, as there.
 */
import { api, type ApiClient } from "../api/client";
import { isAbort } from "../api/errors";
import type { CacheView, LookupView, ModelView, PageState, ReaderView, UpscaleReady } from "../api/types";
import { i18n } from "../i18n/index.svelte";
import { live, type Live } from "../state/live.svelte";
import { seat } from "../state/seat";

export interface UpscaleModel {
  modelName: string;
  scale: number;
  /** pixels; 0: planned */
  tileSize: number;
  noiseLevel: number | null;
}

/** A picture took longer than it was given; the work was stopped. The message holds 超时 or "timeout", as clients expect. */
export class UpscaleTimeoutError extends Error {
  override name = "UpscaleTimeoutError";
}

type Http = Pick<ApiClient, "get" | "patch" | "post" | "delete" | "send">;
type Feed = Pick<Live, "on">;

const DEFAULT_TIMEOUT_S = 60;
const WAITING: readonly PageState["status"][] = ["pending", "checking", "processing"];

export class UpscaleClient {
  models: readonly ModelView[] = [];
  #current: UpscaleModel = { modelName: "", scale: 2, tileSize: 0, noiseLevel: null };
  #initialized = false;

  constructor(
    private readonly http: Http = api,
    private readonly feed: Feed = live,
  ) {}

  /** Learn the models and what is set now. */
  async initialize(): Promise<void> {
    const [{ models }, view] = await Promise.all([
      this.http.get<{ models: ModelView[] }>("/v1/models"),
      this.http.get<ReaderView>("/v1/reader"),
    ]);
    this.models = models;
    this.#take(view);
    this.#initialized = true;
  }

  /** Whether a model's weights are here, so that work can begin at once. */
  isAvailable(): boolean {
    return this.models.some((model) => model.networksHere > 0);
  }

  isInitialized(): boolean {
    return this.#initialized;
  }

  getAvailableModels(): string[] {
    return this.models.map((model) => model.name);
  }

  getCurrentModel(): UpscaleModel {
    return { ...this.#current };
  }

  setModel(modelName: string, scale: number): Promise<void> {
    return this.#set({ model: modelName, scale });
  }

  /** Pixels; 0: planned by the server. */
  setTileSize(tileSize: number): Promise<void> {
    return this.#set({ tileSize });
  }

  setNoiseLevel(noise: number | null): Promise<void> {
    return this.#set({ noise });
  }

  /** The enlarged picture, WebP. Raises UpscaleTimeoutError, ApiError, OfflineError. */
  upscaleImage(image: string | Blob, timeout = DEFAULT_TIMEOUT_S): Promise<Uint8Array> {
    return typeof image === "string" ? this.#upscalePath(image, timeout) : this.#upscaleBlob(image, timeout);
  }

  /** Where a page's finished picture is, or null: it is not in the cache, and is not made now. */
  async checkCache(imagePath: string): Promise<string | null> {
    const { tileSize, noiseLevel, ...own } = this.#named;
    const query = { imagePath, ...own, tileSize: tileSize ?? null, noiseLevel: noiseLevel ?? null };
    return (await this.http.get<LookupView>("/v1/reader/lookup", { query })).url;
  }

  getCacheStats(): Promise<CacheView> {
    return this.http.get<CacheView>("/v1/cache");
  }

  /** Drop what was not used for so many days; how many files went. */
  async cleanupCache(maxAgeDays = 30): Promise<number> {
    const { removedFiles } = await this.http.delete<{ removedFiles: number }>("/v1/cache", {
      query: { olderThanDays: maxAgeDays },
    });
    return removedFiles;
  }

  /** One sentence on how a picture went; without one, a small drawing is sent. */
  async test(image?: string | Blob): Promise<string> {
    const begun = performance.now();
    const bytes = await this.upscaleImage(image ?? (await sampleDrawing()));
    const facts = {
      model: this.#current.modelName,
      scale: this.#current.scale,
      size: i18n.bytes(bytes.byteLength),
      time: i18n.seconds((performance.now() - begun) / 1000),
    };
    return i18n.t("common.clientTested", facts);
  }

  /** How pages are to be made; before anything was learnt the server's rules and settings say. */
  get #named(): Partial<UpscaleModel> {
    return this.#initialized ? this.getCurrentModel() : {};
  }

  async #set(changes: object): Promise<void> {
    this.#take(await this.http.patch<ReaderView>("/v1/reader", changes));
  }

  #take({ model, scale, tileSize, noise }: ReaderView): void {
    const noiseLevel = noise === null || noise === undefined ? null : Number(noise);
    this.#current = { modelName: model, scale, tileSize, noiseLevel };
  }

  async #upscaleBlob(image: Blob, timeout: number): Promise<Uint8Array> {
    if (!this.#initialized) await this.initialize();
    const { modelName, scale, tileSize, noiseLevel } = this.#current;
    const form = new FormData();
    form.set("file", image, image instanceof File ? image.name : "picture");
    for (const [name, value] of Object.entries({ model: modelName, scale, tile: tileSize, format: "webp" })) {
      form.set(name, String(value));
    }
    if (noiseLevel !== null) form.set("noise", String(noiseLevel));
    const giveUp = AbortSignal.timeout(timeout * 1000); // the server stops working when the connection closes
    try {
      const answer = await this.http.send("POST", "/v1/upscale", form, { signal: giveUp });
      return new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (giveUp.aborted && (isAbort(error) || isTimeout(error))) throw timedOut(timeout);
      throw error;
    }
  }

  async #upscalePath(imagePath: string, timeout: number): Promise<Uint8Array> {
    const { url } = await this.#page(imagePath, "current", timeout);
    if (url === null) throw new Error(i18n.t("common.clientNoResult"));
    const answer = await this.http.send("GET", url);
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** The page once nothing more happens to it. It is cancelled when that takes too long. */
  async #page(imagePath: string, priority: string, timeout: number): Promise<PageState> {
    const heard: UpscaleReady[] = []; // the answer may come after the first news of the page
    const asked = { imagePath, priority, ...this.#named };
    let tell = (state: UpscaleReady): unknown => heard.push(state);
    const stop = this.feed.on("upscale-ready", (state) => void tell(state));
    try {
      const first = await this.http.post<PageState>("/v1/reader/requests", asked, { query: { seat } });
      const settled = new Promise<PageState>((resolve) => {
        tell = (state) => isOf(first, state) && !WAITING.includes(state.status) && resolve(state);
        if (!WAITING.includes(first.status)) resolve(first);
        heard.forEach(tell);
      });
      return reported(await this.#inTime(settled, first, timeout));
    } finally {
      stop();
    }
  }

  async #inTime(settled: Promise<PageState>, first: PageState, timeout: number): Promise<PageState> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), timeout * 1000)));
    const state = await Promise.race([settled, late]);
    clearTimeout(timer);
    if (state !== "late") return state;
    await this.http.delete(`/v1/reader/books/${encodeURIComponent(first.bookId)}/pages/${first.page}`);
    throw timedOut(timeout);
  }
}

function isOf(first: PageState, state: PageState): boolean {
  return state.bookId === first.bookId && state.page === first.page;
}

/** A page that failed is an error; one that was skipped has no picture, and says why. */
function reported(state: PageState): PageState {
  if (state.status === "failed") throw new Error(state.error?.message ?? i18n.t("common.failed"));
  return state;
}

function timedOut(timeout: number): UpscaleTimeoutError {
  return new UpscaleTimeoutError(i18n.t("common.clientTimeout", { seconds: timeout }));
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** Lines and a circle, the size of a thumbnail: enough for every part of the road to be used. */
async function sampleDrawing(): Promise<Blob> {
  const canvas = new OffscreenCanvas(96, 96);
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error(i18n.t("common.failed"));
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 96, 96);
  pen.lineWidth = 2;
  pen.arc(48, 48, 30, 0, 2 * Math.PI);
  for (let x = 0; x <= 96; x += 12) {
    pen.moveTo(x, 0);
    pen.lineTo(96 - x, 96);
  }
  pen.stroke();
  return canvas.convertToBlob({ type: "image/png" });
}

export const upscaleClient = new UpscaleClient();
