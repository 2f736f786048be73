/** The pictures of the open book: originals, sharp ones once they are decoded, and which of them is shown. */

export interface Decoded {
  width: number;
  height: number;
  /** keeps the picture decoded while it is held */
  element: unknown;
}

/** Fetches and decodes; rejects when the address gives no picture. */
export type Decode = (url: string) => Promise<Decoded>;

export interface PooledImage {
  page: number;
  original: string;
  upscaled: string | null;
  display: string;
}

interface Sharp {
  url: string;
  width: number;
  height: number;
}

const BYTES_PER_PIXEL = 4;
const DEFAULT_LIMIT_BYTES = 256 * 1024 ** 2;

export async function decodeInBrowser(url: string): Promise<Decoded> {
  const element = new Image();
  element.decoding = "async";
  element.src = url;
  await element.decode();
  return { width: element.naturalWidth, height: element.naturalHeight, element };
}

export class ImagePool {
  /** sharp pages that are ready to be shown */
  #sharp = $state.raw<ReadonlyMap<number, Sharp>>(new Map());
  /** the sharp address a page is to get; a later one makes an earlier one void */
  #wanted = new Map<number, string>();
  /** decoded pictures by address, the one used last at the end */
  #decoded = new Map<string, { bytes: number; decoded: Decoded }>();
  #loading = new Map<string, Promise<Decoded>>();
  #bytes = 0;
  #epoch = 0;
  #preloads = 0;

  constructor(
    private readonly originalUrl: (page: number) => string,
    private readonly decode: Decode = decodeInBrowser,
    private readonly limitBytes = DEFAULT_LIMIT_BYTES,
  ) {}

  /** Everything known of a page's picture. */
  get(page: number): PooledImage {
    const upscaled = this.#sharp.get(page)?.url ?? null;
    const original = this.originalUrl(page);
    return { page, original, upscaled, display: upscaled ?? original };
  }

  /** What to show: the sharp picture once it can be shown without a gap, the original until then. */
  getDisplayUrl(page: number): string {
    return this.#sharp.get(page)?.url ?? this.originalUrl(page);
  }

  getOriginalUrl(page: number): string {
    return this.originalUrl(page);
  }

  isSharp(page: number): boolean {
    return this.#sharp.has(page);
  }

  /** Show a sharp picture as soon as it is decoded. False: it cannot be shown, or something newer took its place. */
  async setUpscaled(page: number, url: string): Promise<boolean> {
    if (this.#sharp.get(page)?.url === url || this.#wanted.get(page) === url) return true;
    this.clearUpscaled(page); // another sharp picture of it is out of date
    this.#wanted.set(page, url);
    const epoch = this.#epoch;
    try {
      const { width, height } = await this.#take(url);
      if (epoch !== this.#epoch || this.#wanted.get(page) !== url) return false;
      this.#sharp = new Map(this.#sharp).set(page, { url, width, height });
      return true;
    } catch {
      return false; // it went out of the cache meanwhile: the original stays
    } finally {
      if (this.#wanted.get(page) === url) this.#wanted.delete(page);
    }
  }

  /** Back to the original. */
  clearUpscaled(page: number): void {
    this.#wanted.delete(page);
    if (!this.#sharp.has(page)) return;
    const rest = new Map(this.#sharp);
    rest.delete(page);
    this.#sharp = rest;
  }

  clearAllUpscaled(): void {
    this.#epoch += 1;
    this.#wanted.clear();
    this.#sharp = new Map();
  }

  /** Decode what is shown of these pages before it is turned to, the first first; what else was to be is given up. */
  async preload(pages: readonly number[]): Promise<void> {
    const mine = ++this.#preloads;
    for (const page of pages) {
      if (mine !== this.#preloads) return;
      await this.#take(this.getDisplayUrl(page)).catch(() => undefined);
    }
  }

  /** Forget everything; the pool can be used again. */
  clear(): void {
    this.clearAllUpscaled();
    this.#preloads += 1;
    this.#decoded.clear();
    this.#bytes = 0;
  }

  get stats(): { count: number; bytes: number } {
    return { count: this.#decoded.size, bytes: this.#bytes };
  }

  async #take(url: string): Promise<Decoded> {
    const held = this.#decoded.get(url);
    if (held) {
      this.#decoded.delete(url);
      this.#decoded.set(url, held);
      return held.decoded;
    }
    const loading = this.#loading.get(url) ?? this.decode(url);
    this.#loading.set(url, loading);
    try {
      const decoded = await loading;
      if (this.#loading.get(url) === loading) this.#hold(url, decoded);
      return decoded;
    } finally {
      if (this.#loading.get(url) === loading) this.#loading.delete(url);
    }
  }

  #hold(url: string, decoded: Decoded): void {
    const bytes = decoded.width * decoded.height * BYTES_PER_PIXEL;
    this.#decoded.set(url, { bytes, decoded });
    this.#bytes += bytes;
    for (const [oldest, { bytes: size }] of this.#decoded) {
      if (this.#bytes <= this.limitBytes || oldest === url) break;
      this.#decoded.delete(oldest);
      this.#bytes -= size;
    }
  }
}
